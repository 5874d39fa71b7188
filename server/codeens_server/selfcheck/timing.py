"""Races in which nobody may be taken for fast who is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codeens_sandbox_backends.jobs import CallsJob
from codeens_sandbox_backends.programs import CallInput, ModuleSource, Program
from codeens_sandbox_backends.selfcheck.checks import CheckContext, SelfCheck
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.domain.evidence import Case
from codeens_server.domain.measurement import Measurement
from codeens_server.measuring.measure import Baseline
from codeens_server.measuring.race import Entrant, Patience, SpeedComparison, race
from codeens_server.selfcheck.cheats.clocks import CLOCKS, FAST, SLOW

_GIVEN = ((1, 2), *(tuple(range(start, start + 400)) for start in (1000, 5000, 20000)))
_MORE = ((1, 2), *(tuple(range(start, start + 2000)) for start in (1000, 5000, 20000)))
"""For the control: what is saved shall be more than the stalls of a busy machine."""
_TRIES = 6
_TOGETHER = 4
"""Cheats of one race."""
_PATIENCE = Patience(15.0, 3.0)
"""A race shall fit into the time of a check, and so shall all tries of the control."""
_APART = ("the original held up",)
"""Who would hold up the other cheats too."""


def cheats() -> list[SelfCheck]:
    """Slow functions; none may be said to be faster."""
    apart = [_cheat(name, _Race({name: CLOCKS[name]})) for name in _APART]
    together = [(name, source) for name, source in CLOCKS.items() if name not in _APART]
    heats = [together[begin : begin + _TOGETHER] for begin in range(0, len(together), _TOGETHER)]
    races = [_Race(dict(heat)) for heat in heats]
    return [*(_cheat(name, raced) for raced in races for name in raced.sources), *apart]


def control() -> SelfCheck:
    """An honest function that is faster is said to be, if not always: on a busy machine a race says less."""

    async def run(context: CheckContext) -> str:
        said: list[str] = []
        for _ in range(_TRIES):
            (found,) = await _speeds(context, (FAST,), _MORE)
            if found.speed and found.speed.faster:
                return ""
            said.append(found.note or (found.speed.note if found.speed else "") or "too much noise")
        return f"it was not seen to be faster: {'; '.join(said)}"

    return SelfCheck(name="a race: faster code is seen to be faster", kind="control", run=run, alone=True)


class _Race:
    """Cheats that race together, as candidates do; the first who asks how one did has the race run."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources
        self._found: dict[str, SpeedComparison] = {}

    async def of(self, name: str, context: CheckContext) -> SpeedComparison:
        """Return how fast a cheat was taken to be.

        Raises:
            SandboxError: the sandbox failed.
        """
        if not self._found:
            sources = [f"GIVEN = {_GIVEN}\n{SLOW}{source}" for source in self.sources.values()]
            self._found = dict(zip(self.sources, await _speeds(context, sources, _GIVEN), strict=True))
        return self._found[name]


def _cheat(name: str, raced: _Race) -> SelfCheck:
    async def run(context: CheckContext) -> str:
        speed = (await raced.of(name, context)).speed
        return f"it was said to be {speed.ratio:.1f} times as fast" if speed and speed.faster else ""

    return SelfCheck(name=f"timing: {name}", kind="race", run=run, alone=True)


async def _speeds(
    context: CheckContext, sources: Sequence[str], inputs_given: Sequence[Sequence[int]]
) -> list[SpeedComparison]:
    original = _program(SLOW, "slow")
    inputs = tuple(CallInput(args=(encode(list(given)),)) for given in inputs_given)
    known = await context.sandbox.run(CallsJob(program=original, inputs=inputs))
    cases = tuple(
        Case(id=str(index), origin="generated", input=call, expected=outcome)
        for index, (call, outcome) in enumerate(zip(inputs, known.outcomes, strict=True))
    )
    baseline = Baseline(cases=cases, program=original, measurement=Measurement(), compared=True)
    entrants = [Entrant(program=_program(source, "f")) for source in sources]
    found = {index: each async for index, each in race(baseline, entrants, context.sandbox, _PATIENCE)}
    return [found[index] for index in range(len(sources))]


def _program(source: str, name: str) -> Program:
    return Program(module="timed", qualname=name, modules=(ModuleSource(name="timed", source=source),))
