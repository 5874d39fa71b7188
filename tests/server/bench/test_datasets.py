"""Data sets of every form, read from small files in that form."""

from __future__ import annotations

import base64
import gzip
import json
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest

from codeens_server.bench.datasets.base import Choice, Item
from codeens_server.bench.datasets.loading import Filter, TaskSet, load_tasks
from codeens_server.bench.datasets.registry import dataset_names
from codeens_server.errors import CodeensError, ConfigError, InputError
from tests.server.bench.made import FIRST, TWICE

OWN: dict[str, Any] = {
    "id": "own/1",
    "prompt": "Return n two times.",
    "entry_point": "twice",
    "difficulty": "easy",
    "version": "2",
    "test_cases": [{"args": [2], "expected_output": 4, "weight": 2.0, "timeout": 1.0}],
    "reference_solution": "def twice(n):\n    return 2 * n\n",
}
MBPP = {
    "task_id": 11,
    "text": "Write a function to double.",
    "code": "import math\r\ndef double(n, *, by=2):\r\n    return n * by",
    "test_list": ["assert double(2) == 4"],
    "test_setup_code": "",
    "challenge_test_list": [],
}
LCB = {
    "question_id": "1873_A",
    "question_content": "Print the sum.",
    "starter_code": "",
    "difficulty": "easy",
    "public_test_cases": json.dumps([{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}]),
    "private_test_cases": json.dumps([{"input": "5 2\n", "output": "7\n", "testtype": "stdin"}]),
    "metadata": "{}",
}
CONTEST: dict[str, Any] = {
    "name": "1_A. Sum",
    "description": "Print the sum.",
    "public_tests": {"input": ["1 2\n"], "output": ["3\n"]},
    "private_tests": {"input": ["5 2\n"], "output": ["7\n"]},
    "generated_tests": {"input": ["0 0\n", "9 9\n"], "output": ["0\n", "18\n"]},
    "source": 2,
    "difficulty": 9,
    "solutions": {"language": [2, 3, 1], "solution": ["int main(){}", "print(1)", "print 1"]},
    "incorrect_solutions": {"language": [3], "solution": ["print(0)"]},
    "time_limit": {"seconds": 3, "nanos": 500000000},
    "memory_limit_bytes": 256000000,
}


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


def read(name: str, path: Path, choice: Choice | None = None, **wanted: Any) -> TaskSet:
    return load_tasks(name, path, {}, wanted=Filter(**wanted), choice=choice)


def only(name: str, path: Path, choice: Choice | None = None) -> Item:
    (item,) = read(name, path, choice).items
    return item


def test_the_data_sets_are_found_through_their_entry_points() -> None:
    public = {"code_contests", "humaneval", "humanevalpack", "humanevalplus", "livecodebench", "mbpp", "mbppplus"}
    assert public <= set(dataset_names())


def test_a_reference_that_continues_the_prompt_is_joined(tmp_path: Path) -> None:
    item = only("humaneval", lines(tmp_path / "h.jsonl", TWICE))
    assert item.task.reference == TWICE["prompt"] + TWICE["canonical_solution"]


def test_a_repair_shows_the_faulty_function_and_may_tell_the_public_tests(tmp_path: Path) -> None:
    row = TWICE | {
        "declaration": "def twice(n):\n",
        "buggy_solution": "    return n\n",
        "bug_type": "value misuse",
        "example_test": "def check(twice):\n    assert twice(1) == 2\ncheck(twice)\n",
    }
    item = only("humanevalpack", lines(tmp_path / "h.jsonl", row))
    assert (item.mode, item.shown) == ("repair", TWICE["prompt"] + "    return n\n")
    assert item.public is not None
    assert item.public.tests == row["example_test"]
    assert item.task.metadata["bug_type"] == "value misuse"


def test_mbpp_shows_signature_and_asserts_and_has_splits(tmp_path: Path) -> None:
    path = lines(tmp_path / "m.jsonl", MBPP, MBPP | {"task_id": 1})
    item = only("mbpp", path)
    assert item.task.id == "MBPP/11"
    assert "def double(n, *, by=2):" in item.task.prompt
    assert "assert double(2) == 4" in item.task.prompt
    assert only("mbpp", path, Choice(split="prompt")).task.id == "MBPP/1"
    assert len(read("mbpp", path, Choice(split="all")).items) == 2


def test_a_test_that_needs_a_class_of_the_solution_makes_no_task(tmp_path: Path) -> None:
    row = MBPP | {"code": "class Node: ...\ndef size(n): return 1", "test_list": ["assert size(Node()) == 1"]}
    assert [one.task.id for one in read("mbpp", lines(tmp_path / "m.jsonl", MBPP, row | {"task_id": 12})).items] == [
        "MBPP/11"
    ]


def test_inputs_of_mbppplus_get_back_the_types_that_json_has_no_word_for(tmp_path: Path) -> None:
    row: dict[str, Any] = {
        "task_id": "Mbpp/2",
        "prompt": '"""\nFind the common elements.\n"""\n',
        "entry_point": "common",
        "canonical_solution": "def common(a, b):\n    return tuple(set(a) & set(b))\n",
        "base_input": [[[1, 2], [2, 3]]],
        "plus_input": {},
        "atol": 0,
    }
    tests = only("mbppplus", lines(tmp_path / "m.jsonl", row)).task.tests
    assert tests is not None
    assert "_inputs = [[(1, 2), (2, 3)]]" in tests


def test_rows_of_the_hub_bring_the_tests_of_evalplus_as_python(tmp_path: Path) -> None:
    row = {"task_id": 2, "prompt": "Double.", "code": MBPP["code"], "test_list": MBPP["test_list"], "test_imports": []}
    item = only("mbppplus", lines(tmp_path / "m.jsonl", row | {"test": "assert double(3) == 6"}))
    assert (item.task.id, item.task.entry_point, item.task.tests) == ("Mbpp/2", "double", "assert double(3) == 6")
    item = only("humanevalplus", lines(tmp_path / "h.jsonl", TWICE))
    assert (item.task.tests, item.task.reference) == (TWICE["test"], TWICE["prompt"] + TWICE["canonical_solution"])


def test_a_contest_on_stdin_is_a_script_judged_by_hidden_tests_too(tmp_path: Path) -> None:
    item = only("livecodebench", lines(tmp_path / "l.jsonl", LCB))
    assert [case.stdin for case in item.task.test_cases] == ["1 2\n", "5 2\n"]
    assert item.public is not None
    assert [case.stdin for case in item.public.test_cases] == ["1 2\n"]
    chosen = only("livecodebench", tmp_path / "l.jsonl", Choice(tests=("private",)))
    assert [case.stdin for case in chosen.task.test_cases] == ["5 2\n"]


def test_a_method_of_a_solution_class_is_asked_for_as_a_function(tmp_path: Path) -> None:
    row = LCB | {
        "starter_code": "class Solution:\n    def total(self, xs: List[int], k: int) -> int:\n        ",
        "metadata": json.dumps({"func_name": "total"}),
        "public_test_cases": json.dumps([{"input": "[1, 2]\n3", "output": "6", "testtype": "functional"}]),
        "private_test_cases": "[]",
    }
    task = only("livecodebench", lines(tmp_path / "l.jsonl", row)).task
    assert "def total(xs: List[int], k: int) -> int:" in task.prompt
    assert (task.entry_point, task.test_cases[0].args, task.test_cases[0].expected_output) == ("total", [[1, 2], 3], 6)


def packed(value: object) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


def test_hidden_tests_that_are_packed_are_unpacked_and_nothing_else_is(tmp_path: Path) -> None:
    row = LCB | {"private_test_cases": packed(LCB["private_test_cases"])}
    assert len(only("livecodebench", lines(tmp_path / "l.jsonl", row)).task.test_cases) == 2

    class Hostile:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.mkdir, (f"{tmp_path}/ran",)

    row = LCB | {"private_test_cases": packed(Hostile())}
    with pytest.raises(ConfigError, match="private_test_cases is neither JSON nor a packed list"):
        only("livecodebench", lines(tmp_path / "l.jsonl", row))
    assert not (tmp_path / "ran").exists()


def test_a_contest_has_its_numbers_translated_and_tests_apart(tmp_path: Path) -> None:
    path = lines(tmp_path / "c.jsonl", CONTEST)
    item = only("code_contests", path)
    assert len(item.task.test_cases) == 4
    assert (item.references, item.task.difficulty) == (("print(1)",), "medium")
    assert item.task.metadata["source"] == "codeforces"
    assert item.task.test_cases[0].timeout == 17.5
    generated = only("code_contests", path, Choice(tests=("generated",)))
    assert [case.stdin for case in generated.task.test_cases] == ["0 0\n", "9 9\n"]


def test_own_tasks_are_the_same_in_every_form(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow reads parquet")
    parquet = pytest.importorskip("pyarrow.parquet")
    other = OWN | {"id": "own/2"}
    (tmp_path / "a.json").write_text(json.dumps([OWN, other]), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(json.dumps([OWN, other]), encoding="utf-8")
    lines(tmp_path / "c.jsonl", OWN, other)
    (tmp_path / "d.jsonl.gz").write_bytes(gzip.compress((tmp_path / "c.jsonl").read_bytes()))
    parquet.write_table(arrow.Table.from_pylist([OWN, other]), tmp_path / "e.parquet")
    folder = tmp_path / "tasks"
    folder.mkdir()
    for row, name in ((OWN, "1.json"), (other, "2.yml")):
        (folder / name).write_text(json.dumps(row), encoding="utf-8")
    forms = ["a.json", "b.yaml", "c.jsonl", "d.jsonl.gz", "e.parquet", "tasks"]
    found = [load_tasks(str(tmp_path / form), None, {}) for form in forms]
    assert {one.digest for one in found} == {found[0].digest}
    assert [item.task.id for item in found[-1].items] == ["own/1", "own/2"]


def test_the_digest_is_of_the_content_and_not_of_what_was_chosen(tmp_path: Path) -> None:
    path = lines(tmp_path / "h.jsonl", TWICE, FIRST)
    whole = read("humaneval", path)
    assert read("humaneval", path, ids=("1",)).digest == whole.digest
    changed = lines(tmp_path / "i.jsonl", TWICE, FIRST | {"test": "def check(candidate):\n    candidate([1])\n"})
    assert read("humaneval", changed).digest != whole.digest


def test_tasks_are_drawn_by_seed_whatever_their_order(tmp_path: Path) -> None:
    rows = [OWN | {"id": f"own/{number}"} for number in range(40)]
    forward, backward = lines(tmp_path / "f.jsonl", *rows), lines(tmp_path / "b.jsonl", *reversed(rows))

    def drawn(path: Path, seed: int) -> list[str]:
        return [item.task.id for item in read("tasks", path, sample=5, seed=seed).items]

    assert drawn(forward, 1) == drawn(backward, 1)
    assert drawn(forward, 1) != drawn(forward, 2)
    assert len(set(drawn(forward, 1))) == 5


def test_tasks_are_chosen_by_id_difficulty_and_number(tmp_path: Path) -> None:
    rows = [OWN | {"id": f"own/{number}", "difficulty": "hard" if number % 2 else "easy"} for number in range(6)]
    path = lines(tmp_path / "t.jsonl", *rows)

    def ids(**wanted: Any) -> list[str]:
        return [item.task.id.removeprefix("own/") for item in read("tasks", path, **wanted).items]

    assert ids(ids=("own/2", "4")) == ["2", "4"]
    assert ids(difficulties=("hard",), most=2) == ["1", "3"]
    assert ids(left_out=("0", "1"), difficulties=("easy",)) == ["2", "4"]


@pytest.mark.parametrize(
    ("name", "row", "complaint"),
    [
        ("humaneval", {key: value for key, value in TWICE.items() if key != "test"}, r"t\.jsonl:1: .*`test`"),
        ("humaneval", TWICE | {"prompt": ["no"]}, r"t\.jsonl:1: .*prompt"),
        ("tasks", OWN | {"difficulty": "impossible"}, r"t\.jsonl:1: .*difficulty"),
        ("tasks", OWN | {"test_cases": [{"args": [1]}]}, r"t\.jsonl:1: .*expected_output"),
        ("code_contests", CONTEST | {"public_tests": {"input": ["1"], "output": []}}, "public_tests has 1 inputs"),
        ("livecodebench", LCB | {"public_test_cases": "[{"}, "public_test_cases is neither"),
        ("mbpp", MBPP | {"test_list": ["assert other(1)"]}, "test_list calls no function"),
    ],
)
def test_what_is_broken_is_named_by_file_record_and_field(
    tmp_path: Path, name: str, row: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        read(name, lines(tmp_path / "t.jsonl", row))


def test_other_wrong_input_gets_one_clear_error(tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl", TWICE)
    (tmp_path / "torn.jsonl").write_text('{"task_id": ', encoding="utf-8")
    (tmp_path / "no.parquet").write_text("PAR", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    cases: list[tuple[str, Path | None, dict[str, Any], str]] = [
        ("humanevil", path, {}, "Did you mean 'humaneval'"),
        ("humaneval", tmp_path / "absent.jsonl", {}, "cannot be read: No such file"),
        ("humaneval", tmp_path / "absent.gz", {}, "cannot be read: No such file"),
        ("humaneval", tmp_path / "torn.jsonl", {}, "torn.jsonl:1 is no JSON"),
        ("humaneval", tmp_path / "empty", {}, "has no file that ends in"),
        ("humaneval", lines(tmp_path / "twice.jsonl", TWICE, TWICE), {}, "'Small/0' is there twice"),
        ("humaneval", path, {"ids": ("Small/9",)}, "no task is called 'Small/9'"),
        ("humaneval", path, {"difficulties": ("hard",)}, "no task of humaneval is left"),
        ("humaneval", None, {}, "where is HumanEval.jsonl.gz"),
        ("tasks", tmp_path / "no.parquet", {}, "is no parquet file"),
    ]
    for name, given, wanted, complaint in cases:
        with pytest.raises(CodeensError, match=complaint):
            load_tasks(name, given, {}, wanted=Filter(**wanted))
    with pytest.raises(InputError, match="does not tell public"):
        load_tasks("humaneval", path, {}, choice=Choice(tests=("public",)))
