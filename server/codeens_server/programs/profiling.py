"""Where a program's time goes: by a sampler in the sandbox, or by what cProfile or py-spy wrote."""

from __future__ import annotations

import io
import pstats
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from msgspec import Struct

from codeens_server.errors import Hint, InputError
from codeens_server.programs.command import ProgramCommand, read_command
from codeens_server.programs.inside import run_program

if TYPE_CHECKING:
    from codeens import Session

PROFILED_S = 30.0
"""A program is stopped after so long; what it did until then is told."""
_FRAME = re.compile(r"(?P<name>.+) \((?P<path>.+):(?P<line>\d+)\)")


class SlowFunction(Struct, frozen=True, kw_only=True):
    """A function of the workspace that costs time."""

    path: str
    """Absolute."""
    line: int
    """One of its lines."""
    name: str
    share: float
    """Of the time, 0 to 1, with what it calls."""
    own_share: float
    """In its own lines, and what they call outside of the workspace."""


class SlowLine(Struct, frozen=True, kw_only=True):
    """A line of the workspace that costs time."""

    path: str
    line: int
    share: float
    """Of the time of all lines, as far as they were watched, 0 to 1."""


class Profile(Struct, frozen=True, kw_only=True):
    """Functions by their own share, the most first."""

    samples: int
    """One for 2 ms of processor time, but while lines are timed; of a file: what it counts."""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    ended: str = ""
    """How, where not by itself."""
    functions: tuple[SlowFunction, ...]
    lines: tuple[SlowLine, ...] = ()
    """Of the main thread."""
    notes: tuple[str, ...] = ()
    """What the program does to how it is watched, a sentence each."""
    printed: str = ""


async def profiled_command(
    session: Session, root: Path, command: str, resolve: Callable[[str], Path] | None = None
) -> tuple[ProgramCommand, Profile]:
    """Read a command as `read_command` does, and return it with what `profiled` says of it."""
    program = await anyio.to_thread.run_sync(read_command, command, root, resolve)
    return program, await profiled(session, root, program)


async def profiled(session: Session, root: Path, program: ProgramCommand) -> Profile:
    """Run a program of a workspace under the sampler, in the sandbox.

    Raises:
        InputError: it did not come to its end.
        SandboxError: the sandbox failed.
    """
    ran = await run_program(session, root, program, wall_s=PROFILED_S, sampled=True)
    told = ran.told
    samples = max(1, told["samples"])
    seconds = sum(spent for *_, spent in told["lines"]) or 1.0
    functions = [
        SlowFunction(path=path, line=line, name=name, share=count / samples, own_share=own / samples)
        for path, line, name, count, own in told["functions"]
        if not name.startswith("<")
    ]
    return Profile(
        samples=told["samples"],
        wall_s=told["wall_s"],
        cpu_s=told["cpu_s"],
        ended=told["ended"],
        functions=_ordered(functions),
        lines=tuple(SlowLine(path=path, line=line, share=spent / seconds) for path, line, spent in told["lines"]),
        notes=tuple(f"the program is seen in part: {note}" for note in told["notes"]),
        printed=ran.printed,
    )


def read_profile(path: Path, root: Path) -> Profile:
    """Read what cProfile wrote (`python -m cProfile -o FILE`), or `py-spy record --format raw`. Blocks.

    Raises:
        InputError: it cannot be read, or is neither.
    """
    try:
        return _of_lines(path.read_text(encoding="utf-8"), root)
    except (UnicodeDecodeError, ValueError):
        pass
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from None
    try:
        return _of_stats(pstats.Stats(str(path), stream=io.StringIO()), root)
    except Exception:  # noqa: BLE001  whatever marshal makes of foreign bytes
        raise _refused(path, "neither cProfile nor py-spy wrote it") from None


def _refused(path: Path, why: str) -> InputError:
    message = f"{path} is no profile that can be read: {why}."
    advice = "Write one with python -m cProfile -o FILE, or py-spy record --format raw -o FILE."
    return InputError(message, code="no_profile", hint=Hint("fix", advice))


def _of_stats(stats: Any, root: Path) -> Profile:
    inside = _inside(root)
    total = stats.total_tt or 1.0
    functions = [
        SlowFunction(path=str(found), line=line, name=name, share=whole / total, own_share=own / total)
        for (file, line, name), (_, _, own, whole, _) in stats.stats.items()
        if (found := inside(file)) and not name.startswith("<")
    ]
    return Profile(samples=stats.total_calls, cpu_s=total, functions=_ordered(functions))


def _of_lines(text: str, root: Path) -> Profile:
    """Read stacks, a line each: frames from the outermost in, and how often they were seen."""
    inside = _inside(root)
    own: Counter[tuple[str, str]] = Counter()
    whole: Counter[tuple[str, str]] = Counter()
    places: dict[tuple[str, str], int] = {}
    total = 0
    for row in filter(None, text.splitlines()):
        stack, _, count = row.rpartition(" ")
        total += int(count)
        keys: list[tuple[str, str]] = []
        for frame in map(_FRAME.fullmatch, stack.split(";")):
            if frame and (found := inside(frame["path"])) and not frame["name"].startswith("<"):
                keys.append((str(found), frame["name"]))
                places.setdefault(keys[-1], int(frame["line"]))
        whole.update(dict.fromkeys(keys, int(count)))
        own.update({keys[-1]: int(count)} if keys else {})
    functions = [
        SlowFunction(path=key[0], line=places[key], name=key[1], share=seen / total, own_share=own[key] / total)
        for key, seen in whole.items()
    ]
    return Profile(samples=total, functions=_ordered(functions))


def _inside(root: Path) -> Callable[[str], Path | None]:
    """Return what gives a file of the workspace as an absolute path, and None for others."""

    @cache
    def find(file: str) -> Path | None:
        path = (root / file).resolve()
        is_own = path.is_relative_to(root) and "site-packages" not in path.parts and path.is_file()
        return path if is_own else None

    return find


def _ordered(functions: list[SlowFunction]) -> tuple[SlowFunction, ...]:
    return tuple(sorted(functions, key=lambda item: (-item.own_share, -item.share, item.path, item.line)))
