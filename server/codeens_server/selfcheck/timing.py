"""Races in which nobody may be taken for fast who is not."""

from __future__ import annotations

from collections.abc import Sequence

from codeens_sandbox_backends.base import CallInput, CallsJob, ModuleSource, Program, TimingJob
from codeens_sandbox_backends.selfcheck.checks import CheckContext, SelfCheck
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.domain import Case, Interval
from codeens_server.measuring.measure import compare_speed
from codeens_server.selfcheck.cheats.clocks import CLOCKS, FAST, LATER_PASSES, SLOW

_GIVEN = ((1, 2), *(tuple(range(start, start + 400)) for start in (1000, 5000, 20000)))
_MORE = ((1, 2), *(tuple(range(start, start + 2000)) for start in (1000, 5000, 20000)))
"""For the control: what is saved shall be more than the stalls of a busy machine."""
_PAIRS, _SAMPLES = 5, 3
_ONE_PASS_S, _SEVERAL_PASSES_S = 0.005, 0.1
"""Seconds of a sample: what is remembered between passes is of use where there are several."""
_BUDGET_S = 15.0
_TRIES = 3


def cheats() -> list[SelfCheck]:
    """Slow functions; none may be said to be faster."""
    return [_cheat(name, source) for name, source in CLOCKS.items()]


def control() -> SelfCheck:
    """An honest function that is faster is said to be, if not always: on a busy machine a race says less."""

    async def run(context: CheckContext) -> str:
        said: list[str] = []
        for _ in range(_TRIES):
            speed, why = await _speed(context, FAST, _ONE_PASS_S, _MORE)
            if speed and speed.faster:
                return ""
            said.append(why or (speed.note if speed else "") or "too much noise")
        return f"it was not seen to be faster: {'; '.join(said)}"

    return SelfCheck(name="a race: faster code is seen to be faster", kind="control", run=run, alone=True)


def _cheat(name: str, source: str) -> SelfCheck:
    sample_s = _SEVERAL_PASSES_S if name in LATER_PASSES else _ONE_PASS_S

    async def run(context: CheckContext) -> str:
        speed, _ = await _speed(context, f"GIVEN = {_GIVEN}\n{SLOW}{source}", sample_s)
        return f"it was said to be {speed.ratio:.1f} times as fast" if speed and speed.faster else ""

    return SelfCheck(name=f"timing: {name}", kind="cheat", run=run, alone=True)


async def _speed(
    context: CheckContext, source: str, sample_s: float, inputs_given: Sequence[Sequence[int]] = _GIVEN
) -> tuple[Interval | None, str]:
    original, candidate = _program(SLOW, "slow"), _program(source, "f")
    inputs = tuple(CallInput(args=(encode(list(given)),)) for given in inputs_given)
    known = await context.sandbox.run(CallsJob(program=original, inputs=inputs))
    cases = tuple(
        Case(id=str(index), origin="generated", input=call, expected=outcome)
        for index, (call, outcome) in enumerate(zip(inputs, known.outcomes, strict=True))
    )
    job = TimingJob(
        a=original,
        b=candidate,
        inputs=inputs,
        pairs=_PAIRS,
        samples=_SAMPLES,
        min_sample_s=sample_s,
        budget_s=_BUDGET_S,
    )
    raced = await compare_speed(job, cases, context.sandbox)
    return raced.speed, raced.note


def _program(source: str, name: str) -> Program:
    return Program(module="timed", qualname=name, modules=(ModuleSource(name="timed", source=source),))
