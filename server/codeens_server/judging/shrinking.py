"""Makes an input on which two programs differ smaller, with Hypothesis' search and few trips to the sandbox.

Hypothesis asks for one input at a time; a trip per question would be slow. So its search runs over what is known
already: an input that was not tried yet counts as uninteresting and is noted. What was noted is run in one batch, and
the same search (it is deterministic) is repeated and gets further. What it found, or the input to start with where
there is no strategy, is then made smaller step by step, all steps that are possible from one place in one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import anyio
import anyio.to_thread
from hypothesis import Phase, Verbosity, find, settings
from hypothesis.errors import HypothesisException
from hypothesis.strategies import SearchStrategy

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import CallInput, Died, Outcome, Program, TimedOut
from codeens_sandbox_backends.values.compare import canonical_call
from codeens_sandbox_backends.values.outcomes import outcome_key
from codeens_sandbox_backends.values.render import render_call
from codeens_sandbox_backends.values.shrink import smaller_calls
from codeens_server.hypothesis_setup import drawing

_MOST_SEARCHES = 6
_MOST_STEPS = 40
_MOST_AT_ONCE = 150
_MOST_EXAMPLES = 100
_MOST_SHOWN = 20_000
_LIMITS = Limits(call_s=0.5)
_SETTINGS = settings(
    max_examples=_MOST_EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    print_blob=False,
    verbosity=Verbosity.quiet,
)


class Observation(NamedTuple):
    """An input, and what each of two programs did on it."""

    input: CallInput
    here: Outcome
    there: Outcome

    @property
    def is_distinguishing(self) -> bool:
        """Whether they differ and both answered: what is too slow or ended may be so by chance, or was never run."""
        silent = isinstance(self.here, (TimedOut, Died)) or isinstance(self.there, (TimedOut, Died))
        return not silent and outcome_key(self.here) != outcome_key(self.there)

    @property
    def size(self) -> tuple[int, str]:
        """Order inputs by how much there is to read: length of the call's text, then the text."""
        text = render_call("", self.input, _MOST_SHOWN)
        return len(text), text


def smallest_difference(observations: Iterable[Observation]) -> Observation | None:
    """Return the smallest input on which two programs differ; one that both answer goes first; None: they do not."""
    differing = (seen for seen in observations if outcome_key(seen.here) != outcome_key(seen.there))
    return min(differing, key=lambda seen: (not seen.is_distinguishing, seen.size), default=None)


async def shrink(
    start: Observation,
    here: Program,
    there: Program,
    *,
    strategy: SearchStrategy[CallInput] | None,
    sandbox: Sandbox,
    budget_s: float,
) -> Observation:
    """Search for the smallest input on which both programs answer and differ.

    First inputs of the function's own types are searched, then what is smaller than the best of them.

    Args:
        start: an input on which they differ, with what each did.
        here: the first program.
        there: the second.
        strategy: inputs of the function's types; None searches only below `start`.
        sandbox: where both run.
        budget_s: seconds until the smallest found so far is returned.

    Raises:
        SandboxError: the sandbox failed.
    """
    search = await anyio.to_thread.run_sync(_Search, start)

    async def ask(wanted: Callable[[], tuple[CallInput, ...]], rounds: int) -> None:
        for _ in range(rounds):
            inputs = await anyio.to_thread.run_sync(wanted, abandon_on_cancel=True)
            if not inputs:
                return
            ours = await sandbox.run(CallsJob(program=here, inputs=inputs, effects=True, limits=_LIMITS))
            theirs = await sandbox.run(CallsJob(program=there, inputs=inputs, effects=True, limits=_LIMITS))
            # Values can be large: comparing them is work, and others wait for the event loop.
            seen = list(map(Observation, inputs, ours.outcomes, theirs.outcomes))
            await anyio.to_thread.run_sync(search.learn, seen)

    with anyio.move_on_after(budget_s):
        if strategy is not None:
            # What Hypothesis needs for a search depends on the strategy; the steps after it shall have their time.
            with anyio.move_on_after(budget_s / 2):
                await ask(partial(search.wanted_of, strategy), _MOST_SEARCHES)
        await ask(search.wanted_below, _MOST_STEPS)
    return search.best()


class _Search:
    """What is known so far of inputs and the two programs."""

    def __init__(self, start: Observation) -> None:
        self._start = start
        self._telling: dict[str, Observation | None] = {}
        """What was tried; None for what does not tell them apart."""
        self.learn([start])

    def learn(self, tried: Iterable[Observation]) -> None:
        """Take in what was tried."""
        self._telling |= {canonical_call(seen.input): seen if seen.is_distinguishing else None for seen in tried}

    def best(self) -> Observation:
        """Return the smallest that tells the programs apart; the start when none does."""
        return min((seen for seen in self._telling.values() if seen is not None), key=_size, default=self._start)

    def wanted_of(self, strategy: SearchStrategy[CallInput]) -> tuple[CallInput, ...]:
        """Return inputs that Hypothesis' search must know to get further than it gets with what is known."""
        wanted: dict[str, CallInput] = {}

        def tells_apart(call: CallInput) -> bool:
            key = canonical_call(call)
            if key in self._telling:
                return self._telling[key] is not None
            if len(wanted) < _MOST_AT_ONCE:
                wanted[key] = call
            return False

        # That there is no example is the normal end of a search; the others are a strategy's own troubles.
        with drawing(), suppress(HypothesisException):
            find(strategy, tells_apart, settings=_SETTINGS)
        return tuple(wanted.values())

    def wanted_below(self) -> tuple[CallInput, ...]:
        """Return what is one step smaller than the best and was not tried."""
        calls = {canonical_call(call): call for call in smaller_calls(self.best().input, _MOST_AT_ONCE)}
        return tuple(call for key, call in calls.items() if key not in self._telling)


def _size(seen: Observation) -> tuple[int, str]:
    return seen.size
