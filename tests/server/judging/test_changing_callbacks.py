"""Functions among the arguments that change a list while it is worked on."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from codeens_sandbox_backends.jobs import Limits
from codeens_server.domain.verdict import Verdict
from codeens_server.evidence.gather import EvidencePlan, gather
from codeens_server.judging.judge import judge
from codeens_server.workspace.find import find_target
from tests.server.judging.rooms import candidate_of, local_sandbox

MODULE = """
def work_off(tasks, run):
    done = 0
    while done < len(tasks):
        run(tasks[done])
        done += 1
    return done


def answers(questions, ask):
    found = []
    for question in questions:
        found.append(ask(question))
    return found
"""


async def _say(_: str) -> None:
    return


def _verdict(folder: Path, name: str, source: str) -> Verdict:
    (folder / "pyproject.toml").write_text("[project]\nname = 'w'\n", encoding="utf-8")
    (folder / "kept.py").write_text(MODULE, encoding="utf-8")
    target = find_target(f"kept.py::{name}", cwd=folder)
    plan = EvidencePlan(mode="improve", max_inputs=80, timeout_s=60, limits=Limits())

    async def judged() -> Verdict:
        async with local_sandbox(target) as sandbox:
            evidence = await gather(target, plan, sandbox=sandbox, say=_say)
            candidate = candidate_of(source)
            found = await judge(candidate, target=target, evidence=evidence, sandbox=sandbox, sandbox_label="")
            return found.verdict

    return anyio.run(judged)


MEASURED_BEFORE = """def work_off(tasks, run):
    count = len(tasks)
    for place in range(count):
        run(tasks[place])
    return count
"""
ALL_THAT_COME = """def work_off(tasks, run):
    done = 0
    for task in tasks:
        run(task)
        done += 1
    return done
"""


@pytest.mark.parametrize(("source", "right"), [(MEASURED_BEFORE, False), (ALL_THAT_COME, True)])
def test_a_length_that_is_measured_in_each_turn_must_not_be_taken_before(
    tmp_path: Path, source: str, right: bool
) -> None:
    verdict = _verdict(tmp_path, "work_off", source)
    assert (verdict.status == "passed") is right, verdict.reason
    assert verdict.passes is right


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("def answers(questions, ask):\n    return [ask(question) for question in questions]", "passed"),
        ("def answers(questions, ask):\n    return [ask(question) for question in (*questions,)]", "conditional"),
    ],
)
def test_where_nothing_is_measured_anew_it_is_a_condition(tmp_path: Path, source: str, status: str) -> None:
    verdict = _verdict(tmp_path, "answers", source)
    assert verdict.status == status, verdict.reason
    assert status == "passed" or "changes questions" in verdict.reason
