"""Functions written from what real models once answered; the official tests, which a run never sees, say if rightly."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio.to_thread
import pytest

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.executor import open_executor
from codeens_sandbox_backends.registry import get_backend
from codeens_server.tasks.schema import ScoredCandidate, Task
from codeens_server.tasks.scoring import score_task
from codeens_server.workspace.edit import apply_edit
from tests.e2e.ensemble import Bench, entry
from tests.e2e.program import empty_workspace
from tests.loopback.recorded import RecordedAnswers, data_folder, humaneval_tasks
from tests.loopback.server import ModelServer
from tests.sandbox_backends.machine import why_not

DATA = data_folder()
TASKS = ("HumanEval/0", "HumanEval/22", "HumanEval/42", "HumanEval/60", "HumanEval/152")

pytestmark = [
    pytest.mark.scene,
    pytest.mark.anyio,
    pytest.mark.skipif(not (DATA / "candidates").is_dir(), reason=f"no recorded answers at {DATA}: set CODEENS_DATA"),
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]


def _task(task_id: str) -> dict[str, str]:
    return next(task for task in humaneval_tasks(DATA) if task["task_id"] == task_id)


async def _is_right(task: dict[str, str], source: str) -> bool:
    """Whether a module meets the task's official tests."""
    official = Task(id=task["task_id"], prompt=task["prompt"], entry_point=task["entry_point"], tests=task["test"])
    spec = SandboxSpec(python=sys.executable)
    async with open_executor(get_backend("local"), spec, 1) as executor:
        report = await score_task(
            official, [ScoredCandidate(id="best", source=source)], sandbox=executor, sandbox_label=executor.label
        )
    return report.results[0].rank == 1


@pytest.mark.parametrize("task_id", TASKS)
async def test_recorded_answers_become_a_function_that_passes_the_official_tests(tmp_path: Path, task_id: str) -> None:
    task = _task(task_id)
    async with ModelServer(answer=RecordedAnswers(DATA, frozenset({"pass"}))) as server:
        bench = Bench(tmp_path, server, task["prompt"])
        done = await bench.run([bench.model("recorded")], samples=3)
    assert done.run.mode == "implement"
    assert done.run.summary.failures == ()
    best = done.row(done.run.best)
    assert best.verdict.evidence in {"tests", "agreement"}
    assert not await _is_right(task, task["prompt"])
    apply_edit(done.run.target, best.candidate.replacement)
    assert await _is_right(task, bench.module.read_text(encoding="utf-8"))


async def test_the_program_writes_a_right_function_into_the_file(tmp_path: Path) -> None:
    task = _task("HumanEval/6")
    workspace = empty_workspace(tmp_path)
    module = workspace.folder / "parentheses.py"
    module.write_text(task["prompt"], encoding="utf-8")
    async with ModelServer(answer=RecordedAnswers(DATA, frozenset({"pass"}))) as server:
        workspace.configure(entry("recorded", server.url))
        arguments = ("run", f"parentheses.py::{task['entry_point']}", "--samples", "2", "--apply")
        done = await anyio.to_thread.run_sync(lambda: workspace.codeens(*arguments))
        assert len(server.requests) == 10
    assert done.returncode == 0, done.stderr
    assert "recorded · " in done.stdout
    assert await _is_right(task, module.read_text(encoding="utf-8"))
