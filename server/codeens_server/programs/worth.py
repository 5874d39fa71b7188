"""What a change is worth in a whole program: it is run with and without, in turns, in processes of their own."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from msgspec import Struct

from codeens_server.measuring.statistics import LOOKS, NARROW, bounds
from codeens_server.programs.command import ProgramCommand
from codeens_server.programs.inside import run_program

if TYPE_CHECKING:
    from codeens import Session

WORTH_S = 120.0
"""For all runs of a comparison."""
_LOOKS = LOOKS[:-1]
"""Nothing is refused here for noise, so the last is of no use."""
_LEAST_S = 1e-4
"""A program takes no less; what is below that cannot be told from nothing."""


class Worth(Struct, frozen=True, kw_only=True):
    """The program's processor time, with children, divided by that with the change; an interval of at least 95 %."""

    ratio: float
    low: float
    high: float
    runs: int
    """Pairs of runs."""
    same_output: bool = True
    """Whether it printed the same, and ended alike, in all of them."""


async def worth_of(
    session: Session, root: Path, program: ProgramCommand, changed: Mapping[str, str], *, wall_s: float
) -> Worth | None:
    """Return what a change is worth; None where there was no time for as many runs as an interval needs.

    Args:
        session: whose sandbox.
        root: the workspace.
        program: what is run.
        changed: what files hold with the change.
        wall_s: what one run may take.

    Raises:
        InputError: it did not come to its end.
        SandboxError: the sandbox failed.
    """
    ratios: list[float] = []
    outcomes: set[tuple[str, str]] = set()

    async def one(files: Mapping[str, str]) -> float:
        ran = await run_program(session, root, program, wall_s=wall_s, changed=files)
        outcomes.add(ran.outcome)
        return max(ran.told["cpu_s"], _LEAST_S)

    with anyio.move_on_after(WORTH_S):
        while len(ratios) < _LOOKS[-1]:
            # Who is first changes, so that what grows warm or full serves neither.
            order = (False, True) if len(ratios) % 2 else (True, False)
            spent = {is_changed: await one(changed if is_changed else {}) for is_changed in order}
            ratios.append(log(spent[False] / spent[True]))
            if len(ratios) in _LOOKS and _is_narrow(ratios):
                break
    looked = max((look for look in _LOOKS if look <= len(ratios)), default=0)
    if not looked:
        return None
    low, centre, high = bounds(ratios[:looked])
    return Worth(ratio=exp(centre), low=exp(low), high=exp(high), runs=looked, same_output=len(outcomes) == 1)


def _is_narrow(ratios: list[float]) -> bool:
    low, _, high = bounds(ratios)
    return (high - low) / 2 <= NARROW
