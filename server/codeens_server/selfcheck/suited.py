"""Cheats on a workspace with tests, and an honest function beside them."""

from __future__ import annotations

from codeens_sandbox_backends.selfcheck.checks import CheckContext, SelfCheck
from codeens_server.domain.terms import PASSING
from codeens_server.selfcheck.cheats.suites import SUITES
from codeens_server.selfcheck.project import RIGHT, WRONG, Project


def cheats(project: Project) -> list[SelfCheck]:
    """Wrong functions; none may pass."""
    return [_cheat(project, name, source) for name, source in SUITES.items()]


def _cheat(project: Project, name: str, source: str) -> SelfCheck:
    async def run(context: CheckContext) -> str:
        evidence = await project.evidence(context.sandbox)
        status = await project.status(source, evidence, context.sandbox)
        return "wrong code was accepted" if status in PASSING else ""

    return SelfCheck(name=f"in a workspace: {name}", kind="cheat", run=run)


def control(project: Project) -> SelfCheck:
    """What is right passes both gates, what is wrong does not."""

    async def run(context: CheckContext) -> str:
        evidence = await project.evidence(context.sandbox)
        if (status := await project.status(RIGHT, evidence, context.sandbox)) != "passed":
            return f"right code was not accepted: {status}"
        return "wrong code was accepted" if await project.status(WRONG, evidence, context.sandbox) in PASSING else ""

    return SelfCheck(name="tests of a workspace: right passes, wrong fails", kind="control", run=run)
