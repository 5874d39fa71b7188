"""Records how a program calls a function, as calls that a run takes as evidence and to time on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from codeens_server.domain.target import Target
from codeens_server.errors import Hint, InputError
from codeens_server.programs.command import ProgramCommand
from codeens_server.programs.inside import run_program
from codeens_server.programs.profiling import PROFILED_S
from codeens_server.run.asking import CALLABLE

if TYPE_CHECKING:
    from codeens import Session

MOST_CALLS = 40


class Recorded(NamedTuple):
    """How a program calls a function."""

    calls: tuple[str, ...] = ()
    why: str = ""
    """Why there is no call that could be written down; empty where there is one."""


async def recorded_calls(session: Session, root: Path, program: ProgramCommand, target: Target) -> Recorded:
    """Return calls that a program makes of a function, of different sizes, each once; none that are no literals.

    Args:
        session: whose sandbox.
        root: the workspace.
        program: what is run, 30 s at the most.
        target: the function; of a method nothing is recorded, for what it is called on cannot be written down.

    Raises:
        InputError: the program did not come to its end.
        SandboxError: the sandbox failed.
    """
    if target.kind not in CALLABLE - {"classmethod"}:
        return Recorded(why=f"{target.qualname} is called on an object, which cannot be written down")
    name = target.qualname.rpartition(".")[2]
    ran = await run_program(session, root, program, wall_s=PROFILED_S, recorded=(target.path, target.line, name))
    owner = target.qualname.removesuffix(name)
    if calls := tuple(f"{owner}{call}" for call in _spread(ran.told["calls"])):
        return Recorded(calls)
    if ended := ran.told["ended"]:
        return Recorded(why=f"the program did not come to its end: {ended}")
    if notes := ran.told["notes"]:
        return Recorded(why="; ".join(notes))
    return Recorded(why="it makes none, or with arguments that are no literals of at most 20,000 characters")


def _spread(calls: Sequence[str]) -> list[str]:
    """Return some of the calls: the shortest, the longest, and what lies evenly between."""
    ordered = sorted(calls, key=len)
    if len(ordered) <= MOST_CALLS:
        return ordered
    return [ordered[place * (len(ordered) - 1) // (MOST_CALLS - 1)] for place in range(MOST_CALLS)]


def read_calls(path: Path) -> tuple[str, ...]:
    """Return the calls of a file, one a line; what begins with `#` is none. Blocks.

    Raises:
        InputError: it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}."
        raise InputError(message, code="no_calls", hint=Hint("fix", "Write calls into it, one a line.")) from None
    return tuple(line for line in map(str.strip, lines) if line and not line.startswith("#"))
