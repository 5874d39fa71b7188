"""The main job from outside, offline: `codeens run` on the example of the README."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.program import TARGET, Workspace, descendants, make_workspace, until_gone
from tests.quick import HARDLY_TIMED
from tests.sandbox_backends.machine import why_not

pytestmark = [
    pytest.mark.scene,
    pytest.mark.timeout(300),
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]

FEW_INPUTS = "max_inputs = 12\nmax_mutants = 4"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path)


@pytest.fixture
def untimed(workspace: Workspace) -> Workspace:
    """A workspace in which runs say nothing of speed."""
    return workspace._replace(program=(*HARDLY_TIMED, "codeens"))


def _until(process: subprocess.Popen[str], word: str) -> None:
    """Read the program's progress until a line has the word."""
    assert process.stderr is not None
    for line in process.stderr:
        if word in line:
            return
    pytest.fail(f"the program ended before it said {word!r}")


def _only_run(workspace: Workspace) -> dict[str, str]:
    (listed,) = json.loads(workspace.codeens("runs", "list", "--json").stdout)
    return listed


@pytest.mark.timed
def test_an_offline_rewrite_of_the_example_is_proven_faster_and_can_be_applied(workspace: Workspace) -> None:
    workspace = workspace._replace(settings={})
    workspace.configure("max_inputs = 80\nmax_mutants = 4")
    before = workspace.files()
    run = workspace.document("run", TARGET, "--goal", "speed")
    assert workspace.files() == before, "nothing is written into a workspace unasked"
    best = next(row for row in run.results if row.candidate.id == run.best)
    assert best.rank == 1
    assert best.speed is not None
    assert best.speed.faster
    assert best.speed.ratio > 2.0
    assert (best.verdict.status, best.verdict.isolation, best.verdict.evidence) == ("passed", "separate", "tests")
    assert best.verdict.tests_passed == best.verdict.tests_total == 4
    assert run.evidence.count("generated") > 50
    assert run.original.rank == 0
    assert run.summary.stopped is None

    shown = workspace.codeens("runs", "diff", run.run_id, "1")
    assert shown.stdout.startswith("--- a/orders.py\n+++ b/orders.py\n")
    applied = workspace.codeens("runs", "apply", run.run_id)
    assert applied.returncode == 0, applied.stderr
    after = workspace.files()
    assert {name for name in after if after[name] != before.get(name)} == {"orders.py"}
    tests = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=workspace.folder)
    assert tests.returncode == 0

    again = workspace.codeens("runs", "apply", run.run_id)
    assert again.returncode == 2
    assert "changed since the run" in again.stderr
    assert workspace.files()["orders.py"] == after["orders.py"]


def test_ctrl_c_keeps_what_was_found_and_ends_every_sandbox(workspace: Workspace) -> None:
    with workspace.start("run", TARGET) as process:
        _until(process, ": passed")
        below = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    until_gone(below)
    assert "cancelled" in out
    assert "offline" in out
    assert _only_run(workspace)["stopped"] == "cancelled"


def test_a_killed_run_loses_nothing_finished_and_goes_on(workspace: Workspace) -> None:
    workspace.configure(FEW_INPUTS)
    with workspace.start("run", TARGET) as process:
        _until(process, ": passed")
        below = descendants(process.pid)
        process.kill()
        process.wait(timeout=60)
    until_gone(below)
    run_id = _only_run(workspace)["run_id"]
    run = workspace.document("run", "--resume", run_id)
    assert run.run_id == run_id
    assert run.summary.stopped is None
    assert any(row.rank == 1 for row in run.results)
    assert len({row.candidate.id for row in run.results}) == len(run.results)


def test_tests_that_fail_before_any_change_are_set_aside_by_name(untimed: Workspace) -> None:
    untimed.configure(FEW_INPUTS)
    path = untimed.folder / "orders.py"
    path.write_text(
        path.read_text(encoding="utf-8").replace("elif customer not in", "elif customer in"), encoding="utf-8"
    )
    done = untimed.codeens("run", TARGET, "--mode", "improve")
    assert done.returncode == 0
    assert "test_a_busy_month" in done.stdout


def test_the_unsafe_sandbox_must_be_asked_for_and_is_marked_in_every_result(untimed: Workspace) -> None:
    untimed.configure(FEW_INPUTS)
    run = untimed.document("run", TARGET, "--sandbox", "unsafe")
    assert all("NOT ISOLATED" in row.verdict.sandbox for row in run.results if row.verdict.status == "passed")
    assert "NOT ISOLATED" in untimed.codeens("runs", "show", run.run_id).stdout
