"""Cheats on a task, and honest programs beside them."""

from __future__ import annotations

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.selfcheck.checks import NOT_TRIED, CheckContext, SelfCheck
from codeens_sandbox_backends.selfcheck.outside import remove_left
from codeens_sandbox_backends.selfcheck.segment import new_key, remove
from codeens_server.selfcheck.cheats.exits import EXITS
from codeens_server.selfcheck.cheats.lies import LIES
from codeens_server.selfcheck.cheats.near import NEAR
from codeens_server.selfcheck.cheats.peeks import LEFTOVERS, PEEKS
from codeens_server.selfcheck.cheats.scripts import SCRIPTS
from codeens_server.selfcheck.cheats.tampering import POISON, TAMPERING
from codeens_server.selfcheck.puzzle import WRONG, Puzzle, accepted, passes
from codeens_server.tasks.schema import Task

_WRONG_SCRIPT = "print(*(int(word) * 3 for word in input().split()))\n"


def cheats() -> list[SelfCheck]:
    """Wrong functions and scripts; none may be accepted in any way of judging."""
    named = {
        **LIES,
        **EXITS,
        **{f"a search of {name}": source for name, source in PEEKS.items()},
        **{f"tampering: {name}": source for name, source in TAMPERING.items()},
    }
    found = [_cheat(name, source) for name, source in named.items()]
    found += [_later_cheat(name, before, source) for name, (before, source) in LEFTOVERS.items()]
    found += [_later_cheat(f"poison: {name}", before, WRONG, plants=True) for name, before in POISON.items()]
    found += [_near_cheat(name, *sources) for name, sources in NEAR.items()]
    return found + [_script_cheat(name, source) for name, source in SCRIPTS.items()]


def controls() -> list[SelfCheck]:
    """Honest code: what is right passes, what is wrong does not."""
    puzzle = Puzzle()
    return [
        _control("calls", puzzle.calls, puzzle.right, WRONG),
        _control("tests", puzzle.tests, puzzle.right, WRONG),
        _control("scripts", puzzle.script, puzzle.right_script, _WRONG_SCRIPT),
    ]


def _cheat(name: str, source: str) -> SelfCheck:
    async def run(context: CheckContext) -> str:
        puzzle = Puzzle()
        return await accepted((puzzle.calls, puzzle.tests), source, context.sandbox)

    return SelfCheck(name=name, kind="cheat", run=run)


def _later_cheat(name: str, before: str, source: str, *, plants: bool = False) -> SelfCheck:
    """A right program prepares the ground for a wrong one."""

    async def run(context: CheckContext) -> str:
        if plants and not context.sandbox.isolation.filesystem:
            return NOT_TRIED
        puzzle = Puzzle()
        file, segment = f"left-{puzzle.key}", new_key()

        def named(text: str) -> str:
            return text.replace("LEFT_FILE", file).replace("LEFT_SEGMENT", str(segment))

        try:
            for task in (puzzle.calls, puzzle.tests):
                await passes(task, puzzle.right + named(before), context.sandbox)
            return await accepted((puzzle.calls, puzzle.tests), named(source), context.sandbox)
        finally:
            remove_left(file)
            remove(segment)

    return SelfCheck(name=name, kind="cheat", run=run)


def _script_cheat(name: str, source: str) -> SelfCheck:
    async def run(context: CheckContext) -> str:
        return await accepted((Puzzle().script,), source, context.sandbox)

    return SelfCheck(name=name, kind="cheat", run=run)


def _near_cheat(name: str, task: Task, right: str, wrong: str) -> SelfCheck:
    async def run(context: CheckContext) -> str:
        return await _both(task, right, wrong, context.sandbox)

    return SelfCheck(name=f"nearly right: {name}", kind="cheat", run=run)


def _control(name: str, task: Task, right: str, wrong: str) -> SelfCheck:
    async def run(context: CheckContext) -> str:
        return await _both(task, right, wrong, context.sandbox)

    return SelfCheck(name=f"{name}: right passes, wrong fails", kind="control", run=run)


async def _both(task: Task, right: str, wrong: str, sandbox: Sandbox) -> str:
    if not await passes(task, right, sandbox):
        return "right code was not accepted"
    return "wrong code was accepted" if await passes(task, wrong, sandbox) else ""
