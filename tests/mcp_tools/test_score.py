"""`score`, `apply_candidate` and `compare_candidates`: candidates that the caller wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from codeens_server.domain.document import RunDocument
from codeens_server.tasks.schema import ScoreReport
from tests.mcp_tools.calling import ADD, DICT, RIGHT, SORTED, WRONG, Caller, candidate
from tests.mcp_tools.conftest import SUMS, isolated

pytestmark = [pytest.mark.anyio, isolated]
TARGET = "sums.py::unique"


async def test_candidates_are_judged_by_the_cases_of_a_task(caller: Caller) -> None:
    answered = await caller.call("score", task=ADD, candidates=[WRONG, RIGHT])

    report = msgspec.convert(answered.document, ScoreReport)
    assert [(row.rank, row.candidate.id) for row in report.results] == [(1, "right"), (None, "wrong")]
    assert report.results[1].reason in answered.text
    assert "add(1, 2): expected 3, got -1" in answered.text
    assert [told.progress for told in answered.progress] == [1, 2]


async def test_a_candidate_may_leave_out_what_the_prompt_defines(caller: Caller) -> None:
    prompt = "from typing import List\n\ndef one():\n    return 1\n\ndef count(items: List) -> int:\n    '''Count.'''\n"
    task = {"id": "t", "prompt": prompt, "entry_point": "count", "tests": "def check(f):\n    assert f([5, 6]) == 2\n"}
    whole = candidate("whole", "def count(items: List) -> int:\n    return sum(one() for _ in items)\n")
    body = candidate("body", "    return len(items)\n")

    report = (await caller.call("score", task=task, candidates=[whole, body])).document

    assert [row["verdict"]["status"] for row in report["results"]] == ["passed", "passed"]


async def test_a_prompt_in_words_is_no_part_of_the_program(caller: Caller) -> None:
    report = (await caller.call("score", task={**ADD, "prompt": "Add"}, candidates=[RIGHT])).document

    assert report["results"][0]["rank"] == 1


async def test_scripts_are_judged_by_what_they_print(caller: Caller) -> None:
    task = {
        "id": "t",
        "prompt": "Reverse.",
        "entry_point": "main",
        "test_cases": [{"stdin": "ab", "expected_output": "ba"}],
    }

    report = (await caller.call("score", task=task, candidates=[candidate("a", "print(input()[::-1])")])).document

    assert report["results"][0]["rank"] == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"test_cases": [{"args": [1, 2]}]}, "task.test_cases[0]: object missing required field `expected_output`"),
        ({"test_cases": []}, "nothing to judge by"),
        ({"test_case": []}, "test_case"),
        ({"reference_solution": "    return 0\n"}, "reference_solution fails"),
    ],
)
async def test_a_broken_task_is_refused_with_the_field(caller: Caller, change: dict[str, Any], said: str) -> None:
    assert said in await caller.refused("score", task={**ADD, **change}, candidates=[RIGHT])


async def test_candidates_are_ranked_against_a_function_of_the_workspace(caller: Caller, workspace: Path) -> None:
    broken = candidate("broken", "def unique(items:\n")
    same = candidate("same", SUMS)

    answered = await caller.call("score", target=TARGET, candidates=[SORTED, DICT, broken, same], goal="readability")

    result = answered.document["result"]
    rows = {row["id"]: row for row in result["rows"]}
    assert rows["dict"]["number"] == 1
    assert rows["sorted"]["verdict"]["status"] == "failed"
    assert "syntax error" in rows["broken"]["reason"]
    assert result["duplicates"] == {"same": "original"}
    assert result["best"] in {"dict", "original"}
    assert result["goal"] == "readability"
    numbers = [told.progress for told in answered.progress]
    assert numbers == sorted(set(numbers))
    assert (workspace / "sums.py").read_text(encoding="utf-8") == SUMS

    run_id = answered.document["run_id"]
    whole = msgspec.json.decode(await caller.resource(f"run://{run_id}"), type=RunDocument)
    assert {row.candidate.id for row in whole.results} == {"dict", "sorted", "broken"}
    assert "return list(dict.fromkeys(items))" in await caller.resource(f"run://{run_id}/dict/solution")
    assert json.loads(await caller.resource(f"run://{run_id}/dict/result"))["rank"] == 1
    assert "-    found = []" in await caller.resource(f"run://{run_id}/dict/diff")

    page = (await caller.call("get_run", id=run_id, limit=1, offset=1)).document
    assert (len(page["result"]["rows"]), page["next_offset"]) == (1, 2)

    patch = await caller.call("apply_candidate", id=run_id, rank=1)
    assert "+    return list(dict.fromkeys(items))" in patch.document["patch"]
    assert not patch.document["written"]
    assert (workspace / "sums.py").read_text(encoding="utf-8") == SUMS
    assert "was rejected" in await caller.refused("apply_candidate", id=run_id, rank="sorted")
    assert "written there or nowhere" in await caller.refused(
        "apply_candidate", id=run_id, rank=1, write_to="pyproject.toml"
    )

    written = await caller.call("apply_candidate", id=run_id, rank="dict", write_to="sums.py")
    assert written.document["written"]
    assert "dict.fromkeys" in (workspace / "sums.py").read_text(encoding="utf-8")
    assert "has changed since the run" in await caller.refused(
        "apply_candidate", id=run_id, rank="dict", write_to="sums.py"
    )


async def test_the_smallest_input_on_which_two_candidates_differ_is_found(caller: Caller) -> None:
    answered = await caller.call("compare_candidates", code=SUMS, a="original", b=SORTED)

    # On a busy machine the search may end one step before the smallest of all.
    call, a, b = (answered.document[name] for name in ("call", "a_does", "b_does"))
    assert (call, a, b) in {("unique([1, 0])", "[1, 0]", "[0, 1]"), ("unique([0, -1])", "[0, -1]", "[-1, 0]")}


async def test_candidates_that_do_the_same_are_said_to_as_far_as_was_tried(caller: Caller) -> None:
    answered = await caller.call("compare_candidates", code=SUMS, a="original", b=DICT, calls=["unique([1, 1, 3])"])

    assert answered.document["call"] is None
    assert "no proof" in answered.text


async def test_calls_to_compare_by_stand_in_for_types(caller: Caller) -> None:
    code = "def first(box):\n    return box.pop()\n"
    other = candidate("other", "def first(box):\n    return box[0]\n")

    answered = await caller.call(
        "compare_candidates", code=code, a="original", b=other, calls=["first([1, 2])", "first([1])"]
    )

    assert answered.document["call"].startswith("first([")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"candidates": [DICT]}, "Say which function"),
        ({"target": TARGET, "task": ADD, "candidates": [DICT]}, "either by `task`"),
        ({"target": TARGET, "candidates": [DICT, DICT]}, "Two candidates have the id 'dict'"),
        ({"target": TARGET, "candidates": [candidate("original", "x")]}, "id of the original"),
        ({"target": TARGET, "candidates": ["g000000-x"]}, "no candidate has the id"),
        ({"target": TARGET, "candidates": []}, "length >= 1"),
        ({"target": TARGET, "candidates": [DICT], "function": "unique"}, "leave `function` out"),
        ({"target": "sums.py::uniqe", "candidates": [DICT]}, "Did you mean unique?"),
        ({"target": TARGET, "candidates": [DICT], "backend": "unsafe"}, "only the user can choose it"),
        ({"target": TARGET, "candidates": [DICT], "backend": "locl"}, "Did you mean 'local'?"),
        ({"original": "x = 1\n", "candidates": [DICT]}, "defines no function"),
        ({"original": SUMS + "\n\ndef two():\n    return 2\n", "candidates": [DICT]}, "2 functions; name one"),
        ({"target": TARGET, "candidates": [DICT], "evidence": ["../../tests.py"]}, "outside of the folders"),
        ({"target": TARGET, "candidates": [DICT], "colour": 1}, "unknown field `colour`"),
        ({"target": ["a"], "candidates": [DICT]}, "expected `str | null`"),
    ],
)
async def test_a_wrong_call_is_told_what_to_change(caller: Caller, arguments: dict[str, Any], said: str) -> None:
    assert said in await caller.refused("score", **arguments)


async def test_a_rejected_candidate_comes_with_several_counterexamples(caller: Caller) -> None:
    emptied = candidate(
        "emptied", "def unique(items):\n    new = list(dict.fromkeys(items))\n    del items[2:]\n    return new"
    )

    answered = await caller.call("score", original=SUMS, candidates=[SORTED, emptied])

    row, other = sorted(answered.document["result"]["rows"], key=lambda each: each["label"], reverse=True)
    assert all("leaving" in example["got"] != example["expected"] for example in other["counterexamples"])
    assert 2 <= len(row["counterexamples"]) <= 5
    calls = [example["call"] for example in row["counterexamples"]]
    assert calls == sorted(calls, key=len)
    assert all(example["expected"] != example["got"] for example in row["counterexamples"])


async def test_a_unified_diff_is_a_candidate(caller: Caller) -> None:
    diff = """\
--- a/given.py
+++ b/given.py
@@ -4,4 +4,5 @@
-    found = []
+    found = []
+    seen = set()
     for item in items:
-        if item not in found:
+        if item not in seen:
+            seen.add(item)
             found.append(item)
"""
    answered = await caller.call("score", original=SUMS, candidates=[candidate("diff", diff)])

    (row,) = answered.document["result"]["rows"]
    assert row["verdict"]["status"] == "passed", row["reason"]
    assert row["receipt"] == ["read from a change of the function that was shown"]


async def test_a_test_that_is_not_there_is_told_at_once_with_those_that_are(caller: Caller, workspace: Path) -> None:
    (workspace / "test_sums.py").write_text("def test_one():\n    pass\n", encoding="utf-8")
    call: dict[str, Any] = {"target": "sums.py::unique", "candidates": [SORTED]}

    no_test = await caller.refused("score", **call, evidence=["test_sums.py::nope"])
    no_file = await caller.refused("score", **call, evidence=["tests/test_none.py"])

    assert "test_sums.py has no test 'nope'. It has test_one." in no_test
    assert "no test file 'tests/test_none.py'" in no_file


async def test_what_is_no_python_is_told_so(caller: Caller, workspace: Path) -> None:
    (workspace / "nb.ipynb").write_text("{}", encoding="utf-8")
    (workspace / "app.js").write_text("function f() {}", encoding="utf-8")

    assert "is a notebook" in await caller.refused("start_ensemble", target="nb.ipynb::total")
    assert "no Python file" in await caller.refused("start_ensemble", target="app.js::f")
    said = await caller.refused("generate_variants", code="function f() {}", prompts_only=True)
    assert said.endswith("Mend it first. codeens works on Python alone.")
