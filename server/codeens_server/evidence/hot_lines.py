"""Which lines of a function run most often in a call that was seen: where the work is, the same at every look."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import Program
from codeens_server.domain.evidence import Case

_FEWEST_TIMES = 20
"""A call in which no line runs so often says nothing of where time goes."""
_MOST_LINES = 4
_LONGEST_LINE = 160


async def hot_lines(program: Program, cases: Sequence[Case], *, limits: Limits, sandbox: Sandbox) -> tuple[str, ...]:
    """Return the lines that run most often in the largest call that a test made or a person gave, with how often.

    Times would differ from one look to the next, and with them the questions, whose answers are kept.

    Args:
        program: its module as it stands, or with a candidate in its place.
        cases: calls of it.
        limits: what the job may take; where the call takes more, nothing is known.
        sandbox: where it is called.
    """
    seen = [case.input for case in cases if case.origin in {"recorded", "given"}]
    if not seen:
        return ()
    largest = max(seen, key=lambda call: len(msgspec.json.encode(call)))
    try:
        result = await sandbox.run(CallsJob(program=program, inputs=(largest,), counts=True, limits=limits))
    except SandboxError:
        return ()
    often = sorted(result.line_counts, key=lambda entry: -entry[1])[:_MOST_LINES]
    lines = program.modules[0].source.splitlines()
    if not often or often[0][1] < _FEWEST_TIMES:
        return ()
    least = max(_FEWEST_TIMES, often[0][1] // 10)
    return tuple(
        f"{lines[place - 1].strip()[:_LONGEST_LINE]}  # {times:,} times"
        for place, times in sorted(often)
        if times >= least and 0 < place <= len(lines)
    )
