"""`codeens bench score`, through the command, in the real sandbox."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from codeens._scripts.codeens import main
from tests.sandbox_backends.machine import why_not

pytestmark = pytest.mark.skipif(bool(why_not("local")), reason=why_not("local") or "bubblewrap works")

TASKS = [
    {
        "task_id": "Small/0",
        "prompt": "def half(n):\n    return n // 2\n\ndef twice(n):\n",
        "entry_point": "twice",
        "canonical_solution": "    return 2 * n\n",
        "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert half(candidate(3)) == 3\n",
    },
    {
        "task_id": "Small/1",
        "prompt": "def first(xs):\n",
        "entry_point": "first",
        "canonical_solution": "    return xs[0]\n",
        "test": "def check(candidate):\n    assert candidate([1, 2]) == 1\n",
    },
]
SAMPLES = [
    {"task_id": "Small/0", "completion": "    return n + n\n"},
    {"task_id": "Small/0", "solution": "def twice(n):\n    return n * n\n"},
    {"task_id": "Small/1", "solution": "def first(xs):\n    while True:\n        pass\n"},
    {"task_id": "Small/1", "completion": "    return xs[-2]\n"},
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "tasks.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join(json.dumps(task) for task in TASKS).encode()))
    (tmp_path / "samples.jsonl").write_text("\n\n".join(map(json.dumps, SAMPLES)), encoding="utf-8")
    return file


def score(data: Path, *options: str) -> Result:
    samples = str(data.parent / "samples.jsonl")
    return CliRunner().invoke(main, ["bench", "score", "humaneval", samples, "--data", str(data), *options])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_samples_of_both_forms_are_judged_and_counted(data: Path) -> None:
    out = data.parent / "results.jsonl"
    done = score(data, "--json", "--workers", "2", "--out", str(out))
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["dataset"], report["samples"], report["pass@1"]) == ("humaneval", 4, 0.5)
    assert report["wall_s"] > 0
    assert report["start_s"] > 0
    assert report["cpu_s"] > 0
    found = {line["sample"]: (line["task_id"], line["passed"], line["status"]) for line in lines(out)}
    assert found == {
        0: ("Small/0", True, "passed"),
        2: ("Small/0", False, "failed"),
        4: ("Small/1", False, "timeout"),
        6: ("Small/1", True, "passed"),
    }


def test_an_answer_without_code_fails(data: Path) -> None:
    out = data.parent / "results.jsonl"
    lost = {"task_id": "Small/0", "solution": None}
    (data.parent / "samples.jsonl").write_text(json.dumps(lost), encoding="utf-8")
    assert score(data, "--out", str(out)).exit_code == 0
    assert [(line["passed"], line["status"]) for line in lines(out)] == [(False, "error")]


def test_resuming_judges_only_what_has_no_whole_line(data: Path) -> None:
    out = data.parent / "results.jsonl"
    kept = {"task_id": "Small/0", "sample": 2, "passed": True, "status": "passed", "reason": "pinned"}
    out.write_text(json.dumps(kept) + '\n{"task_id": "Sma', encoding="utf-8")
    done = score(data, "--json", "--resume", "--out", str(out))
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["pass@1"] == 0.75
    assert lines(out)[0]["reason"] == "pinned"
    assert sorted(line["sample"] for line in lines(out)) == [0, 2, 4, 6]


def test_results_of_other_samples_are_refused(data: Path) -> None:
    out = data.parent / "results.jsonl"
    other = {"task_id": "Small/1", "sample": 0, "passed": True, "status": "passed"}
    out.write_text(json.dumps(other) + "\n", encoding="utf-8")
    done = score(data, "--resume", "--out", str(out))
    assert (done.exit_code, "the result of sample 0 is of Small/1" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"task_id": "Small/9", "completion": ""}', "no task 'Small/9'"),
        ('{"task_id": "Small/0"}', "a whole `solution`"),
        ("{", "samples.jsonl:1"),
    ],
)
def test_a_line_that_is_no_sample_is_named(data: Path, line: str, complaint: str) -> None:
    (data.parent / "samples.jsonl").write_text(line, encoding="utf-8")
    done = score(data)
    assert (done.exit_code, complaint in done.stderr) == (2, True), done.stderr


def test_the_data_set_is_found_through_the_environment(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = data.parent / "humaneval"
    folder.mkdir()
    data.rename(folder / "HumanEval.jsonl.gz")
    monkeypatch.setenv("CODEENS_DATA", str(data.parent))
    done = CliRunner().invoke(main, ["bench", "score", "humaneval", str(data.parent / "samples.jsonl")])
    assert (done.exit_code, "pass@1 50.0 %" in done.stdout) == (0, True), done.stderr
    monkeypatch.delenv("CODEENS_DATA")
    done = CliRunner().invoke(main, ["bench", "score", "humaneval", str(data.parent / "samples.jsonl")])
    assert (done.exit_code, "--data" in done.stderr) == (2, True)


def test_an_unknown_data_set_is_answered_with_the_known_ones(data: Path) -> None:
    done = CliRunner().invoke(main, ["bench", "score", "humaneva", str(data.parent / "samples.jsonl")])
    assert (done.exit_code, "Did you mean 'humaneval'?" in done.stderr) == (2, True)
