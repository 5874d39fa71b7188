"""`codeens data etl code_contests`, on files made in the data set's own schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from codeens._scripts.codeens import main
from codeens_server.bench.datasets.base import Choice
from codeens_server.bench.datasets.loading import load_tasks

arrow: Any = pytest.importorskip("pyarrow", reason="pyarrow reads parquet")
parquet: Any = pytest.importorskip("pyarrow.parquet")

_TESTS = arrow.struct([("input", arrow.list_(arrow.string())), ("output", arrow.list_(arrow.string()))])
_PROGRAMS = arrow.struct([("language", arrow.list_(arrow.int64())), ("solution", arrow.list_(arrow.string()))])
SCHEMA = arrow.schema(
    [
        ("name", arrow.string()),
        ("description", arrow.string()),
        ("public_tests", _TESTS),
        ("private_tests", _TESTS),
        ("generated_tests", _TESTS),
        ("source", arrow.int64()),
        ("difficulty", arrow.int64()),
        ("solutions", _PROGRAMS),
        ("incorrect_solutions", _PROGRAMS),
        ("cf_contest_id", arrow.int64()),
        ("cf_index", arrow.string()),
        ("cf_points", arrow.float32()),
        ("cf_rating", arrow.int32()),
        ("cf_tags", arrow.list_(arrow.string())),
        ("is_description_translated", arrow.bool_()),
        ("untranslated_description", arrow.string()),
        ("time_limit", arrow.struct([("seconds", arrow.int64()), ("nanos", arrow.int64())])),
        ("memory_limit_bytes", arrow.int64()),
        ("input_file", arrow.string()),
        ("output_file", arrow.string()),
    ]
)


def row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "name": f"{number}_A. Sum",
        "description": "Print the sum.",
        "public_tests": {"input": ["1 2\n"], "output": ["3\n"]},
        "private_tests": {"input": ["5 2\n"], "output": ["7\n"]},
        "generated_tests": {"input": ["0 0\n"], "output": ["0\n"]},
        "source": 2,
        "difficulty": 7 + number % 6,
        "solutions": {"language": [2, 3, 3], "solution": ["int main(){}", "print(1)", "print(2)"]},
        "incorrect_solutions": {"language": [1, 3], "solution": ["print 0", "print(0)"]},
        "cf_contest_id": number,
        "cf_index": "A",
        "cf_points": 500.0,
        "cf_rating": 800,
        "cf_tags": ["math"],
        "is_description_translated": False,
        "untranslated_description": "",
        "time_limit": {"seconds": 1, "nanos": 500000000},
        "memory_limit_bytes": 256000000,
        "input_file": "",
        "output_file": "",
    } | more


def made(path: Path, *rows: dict[str, Any]) -> Path:
    parquet.write_table(arrow.Table.from_pylist(list(rows), schema=SCHEMA), path)
    return path


def etl(source: Path, target: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["data", "etl", "code_contests", str(source), "--out", str(target), *more])


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_problems_keep_what_python_needs_in_words(tmp_path: Path) -> None:
    source = made(tmp_path / "c.parquet", row(1), row(2, solutions={"language": [2], "solution": [""]}))
    done = etl(source, tmp_path / "c.jsonl", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout) == {"read": 2, "written": 2, "without_solution": 1}
    first, _ = written(tmp_path / "c.jsonl")
    assert first["solutions"] == ["print(1)", "print(2)"]
    assert first["incorrect_solutions"] == ["print(0)"]
    assert (first["source"], first["difficulty"], first["time_limit_s"]) == ("codeforces", "easy", 1.5)
    assert (first["public_tests"], first["private_tests"]) == ([["1 2\n", "3\n"]], [["5 2\n", "7\n"]])
    assert first["metadata"] == {"cf_rating": 800, "cf_tags": ["math"]}


def test_what_comes_out_is_read_as_the_data_set_itself_is(tmp_path: Path) -> None:
    source = made(tmp_path / "c.parquet", row(1), row(2))
    assert etl(source, tmp_path / "c.jsonl").exit_code == 0
    kinds: list[Choice] = [Choice(), Choice(tests=("public",)), Choice(tests=("generated",))]
    for choice in kinds:
        raw = load_tasks("code_contests", source, {}, choice=choice)
        assert load_tasks("code_contests", tmp_path / "c.jsonl", {}, choice=choice).digest == raw.digest


def test_a_share_is_drawn_by_name_and_seed(tmp_path: Path) -> None:
    source = made(tmp_path / "c.parquet", *map(row, range(60)))

    def drawn(*more: str) -> list[str]:
        assert etl(source, tmp_path / "c.jsonl", *more).exit_code == 0
        return [one["id"] for one in written(tmp_path / "c.jsonl")]

    tenth = drawn("--share", "0.1")
    assert 0 < len(tenth) < 20
    assert drawn("--share", "0.1") == tenth
    assert drawn("--share", "0.1", "--seed", "1") != tenth
    assert drawn("--max", "3") == ["0_A. Sum", "1_A. Sum", "2_A. Sum"]


def test_a_file_of_another_schema_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    parquet.write_table(arrow.Table.from_pylist([{"name": "a"}]), tmp_path / "c.parquet")
    done = etl(tmp_path / "c.parquet", tmp_path / "c.jsonl")
    assert (done.exit_code, "c.parquet, row 1: " in done.stderr, "description" in done.stderr) == (2, True, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.parquet"]
