"""Finds the smallest input on which two implementations of a function differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio.to_thread
from hypothesis.strategies import SearchStrategy
from msgspec import Struct

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob
from codeens_sandbox_backends.programs import CallInput, Program
from codeens_sandbox_backends.values.compare import canonical_call
from codeens_sandbox_backends.values.render import render_call, render_outcome_pair
from codeens_server.domain.target import Replacement, Target
from codeens_server.errors import Hint, InputError
from codeens_server.evidence.strategies.draw import draw
from codeens_server.evidence.strategies.inputs import strategy_for
from codeens_server.judging.judge import shown_name
from codeens_server.judging.shrinking import Observation, shrink, smallest_difference
from codeens_server.judging.static_checks import refusal
from codeens_server.text import plural
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.text import snapshot

_SEARCH_S = 15.0
"""Seconds given to making a telling input smaller: as long as one waits for an answer that is not about a run."""


class Comparison(Struct, frozen=True, kw_only=True):
    """What was found out about two implementations."""

    inputs_tried: int
    input: CallInput | None = None
    """The smallest found on which they differ; None: they did the same on all, which is no proof that they always do.
    """
    call: str = ""
    """That input as a call, as Python writes it; empty: none was found."""
    a_does: str = ""
    b_does: str = ""

    @property
    def differ(self) -> bool:
        """Whether an input was found on which they differ."""
        return self.input is not None


class Pair(Struct, frozen=True, kw_only=True):
    """Two implementations of a function, and where to search."""

    target: Target
    here: Program
    there: Program
    inputs: tuple[CallInput, ...]
    strategy: SearchStrategy[CallInput] | None


def pair_of(
    target: Target, a: Replacement | None, b: Replacement | None, *, starts: Sequence[CallInput], max_inputs: int
) -> Pair:
    """Return two implementations ready to be run, with inputs to try. Blocks: draws inputs of the function's types.

    Args:
        target: the function that they implement.
        a: the first; None: the original.
        b: the second, likewise.
        starts: inputs to try in any case.
        max_inputs: how many more to draw.

    Raises:
        InputError: one cannot stand in for the function (code `cannot_stand_in`), or nothing is known of its inputs
            (code `no_inputs`).
    """
    for name, side in (("a", a), ("b", b)):
        if side is not None and (why := refusal(target, side)):
            message = f"implementation {name} cannot stand in for {target.qualname}: {why}."
            raise InputError(message, code="cannot_stand_in")
    strategy = strategy_for(target, starts, snapshot(target).text)
    drawn = draw(strategy, max_inputs, seed=f"{target.module}:{target.qualname}") if strategy is not None else []
    inputs = {canonical_call(call): call for call in (*starts, *drawn)}
    if not inputs:
        message = f"nothing is known of the inputs of {target.qualname}."
        raise InputError(message, code="no_inputs", hint=Hint("fix", "Give calls to start from, or annotate it."))
    return Pair(
        target=target,
        here=program_for(target, a),
        there=program_for(target, b),
        inputs=tuple(inputs.values()),
        strategy=strategy,
    )


async def compare_pair(pair: Pair, sandbox: Sandbox, say: Callable[[str], None]) -> Comparison:
    """Run both on all inputs, and make the smallest on which they differ smaller.

    Raises:
        SandboxError: the sandbox failed.
    """
    say(f"running both on {plural(len(pair.inputs), 'input')}")
    start = await _differing(pair, pair.inputs, sandbox)
    if start is not None and start.is_distinguishing:
        say("making the input smaller")
        start = await shrink(start, pair.here, pair.there, strategy=pair.strategy, sandbox=sandbox, budget_s=_SEARCH_S)
    elif start is not None:
        # One was too slow, or ended: what was not run at all looks the same, so that the input is tried by itself.
        start = await _differing(pair, (start.input,), sandbox)
    if start is None:
        return Comparison(inputs_tried=len(pair.inputs))
    ours, theirs = render_outcome_pair(start.here, start.there)
    return Comparison(
        inputs_tried=len(pair.inputs),
        input=start.input,
        call=render_call(shown_name(pair.target), start.input),
        a_does=ours,
        b_does=theirs,
    )


async def _differing(pair: Pair, inputs: tuple[CallInput, ...], sandbox: Sandbox) -> Observation | None:
    ours = await sandbox.run(CallsJob(program=pair.here, inputs=inputs, effects=True))
    theirs = await sandbox.run(CallsJob(program=pair.there, inputs=inputs, effects=True))
    seen = list(map(Observation, inputs, ours.outcomes, theirs.outcomes))
    return await anyio.to_thread.run_sync(smallest_difference, seen)
