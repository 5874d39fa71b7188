"""Functions among the arguments that change a list while it is worked on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio

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


def _verdicts(folder: Path, name: str, sources: Sequence[str]) -> list[Verdict]:
    """Those on candidates for a function of the module, all held to the same evidence."""
    (folder / "pyproject.toml").write_text("[project]\nname = 'w'\n", encoding="utf-8")
    (folder / "kept.py").write_text(MODULE, encoding="utf-8")
    target = find_target(f"kept.py::{name}", cwd=folder)
    plan = EvidencePlan(mode="improve", max_inputs=80, timeout_s=60, limits=Limits())

    async def judged() -> list[Verdict]:
        async with local_sandbox(target) as sandbox:
            evidence = await gather(target, plan, sandbox=sandbox, say=_say)
            found = [
                await judge(candidate_of(each), target=target, evidence=evidence, sandbox=sandbox, sandbox_label="")
                for each in sources
            ]
            return [each.verdict for each in found]

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
ALL_ANSWERS = "def answers(questions, ask):\n    return [ask(question) for question in questions]"
ANSWERS_TO_A_COPY = "def answers(questions, ask):\n    return [ask(question) for question in (*questions,)]"


def test_a_length_that_is_measured_in_each_turn_must_not_be_taken_before(tmp_path: Path) -> None:
    wrong, right = _verdicts(tmp_path, "work_off", (MEASURED_BEFORE, ALL_THAT_COME))

    assert not wrong.passes
    assert right.status == "passed", right.reason


def test_where_nothing_is_measured_anew_it_is_a_condition(tmp_path: Path) -> None:
    same, copied = _verdicts(tmp_path, "answers", (ALL_ANSWERS, ANSWERS_TO_A_COPY))

    assert same.status == "passed", same.reason
    assert copied.status == "conditional", copied.reason
    assert "changes questions" in copied.reason
