"""Cheats that answer with what will be called next, before and after somebody has passed the same tests."""

from __future__ import annotations

from codeens_sandbox_backends.selfcheck.checks import CheckContext, SelfCheck
from codeens_server.selfcheck.cheats.ahead import AHEAD
from codeens_server.selfcheck.puzzle import Puzzle, passes
from codeens_server.tasks.schema import Task


def cheats() -> list[SelfCheck]:
    """Programs that read calls ahead; none may be accepted."""
    return [_cheat(name, *sources) for name, sources in AHEAD.items()]


def _cheat(name: str, right: str, tests: str, cheat: str) -> SelfCheck:
    async def run(context: CheckContext) -> str:
        key = Puzzle().key
        right_source, tests_source = (text.replace("KEY", str(key)) for text in (right, tests))
        wrong_source = cheat.replace("LAST", str(_last_of_chain(key)))
        task = Task(id="ahead", prompt="", entry_point="f", tests=tests_source)
        for _ in range(2):
            if await passes(task, wrong_source, context.sandbox):
                return "wrong code was accepted"
            if not await passes(task, right_source, context.sandbox):
                return "right code was not accepted"
        return ""

    return SelfCheck(name=f"calls ahead: {name}", kind="cheat", run=run)


def _last_of_chain(key: int) -> int:
    """Return what the last call of a chain returns, which no later call tells."""
    number = 1
    for _ in range(4):
        number = 5 * number + key
    return number
