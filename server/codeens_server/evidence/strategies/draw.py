"""Draws a fixed set of inputs from a strategy."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck, Phase, given
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.compare import canonical, canonical_call
from codeens_sandbox_backends.values.sample import kind_of
from codeens_server.evidence.strategies.tables import is_table, length_of
from codeens_server.files import work_bound
from codeens_server.hypothesis_setup import drawing

_TRIES_PER_INPUT = 4
_MOST_SPARE = 50
"""Drawn beyond what is wanted: Hypothesis varies what it drew a few times, so that few may hold few forms."""
_MAX_SECONDS = 12.0
_HEALTH_CHECKS = (
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
    HealthCheck.nested_given,
    HealthCheck.too_slow,
)


def draw(
    strategy: SearchStrategy[CallInput], count: int, *, seed: str, max_seconds: float = _MAX_SECONDS
) -> list[CallInput]:
    """Return at most `count` different inputs, the same for one strategy and seed unless the time runs out.

    Blocks, so it is run in a worker thread. Uses no example database and no file in the working directory.
    """
    found: dict[str, CallInput] = {}
    is_over = work_bound(max_seconds)

    def collect(drawn: _Drawn) -> None:
        found.setdefault(canonical_call(drawn.call), drawn.call)
        if len(found) >= count + min(count, _MOST_SPARE) or is_over():
            raise _Enough

    if count > 0:
        held = strategy.map(_Drawn)
        try:
            _run(given(held)(collect), count * _TRIES_PER_INPUT, seed)
        except SystemError:
            # Hypothesis parses without waiting for its turn; see `parsing`.
            found.clear()
            _run(given(held)(collect), count * _TRIES_PER_INPUT, seed)
    return _spread(list(found.values()), count)


def _spread(calls: list[CallInput], count: int) -> list[CallInput]:
    """Return at most `count` of them: the first of each form, then from all over the list."""
    if len(calls) <= count:
        return calls
    first_of_form = {_form(call): place for place, call in reversed(list(enumerate(calls)))}
    chosen = set(sorted(first_of_form.values())[:count])
    others = [place for place in range(len(calls)) if place not in chosen]
    free = count - len(chosen)
    chosen.update(others[index * len(others) // free] for index in range(free))
    return [calls[place] for place in sorted(chosen)]


def _form(call: CallInput) -> tuple[object, ...]:
    """Return the types of the arguments, and whether they are empty, small or large."""
    values = [*call.args, *(value for _, value in sorted(call.kwargs.items()))]
    return (len(call.args), *sorted(call.kwargs), *((kind_of(value), _scale(value)) for value in values))


def _scale(tree: Encoded) -> int:
    size = tree if isinstance(tree, int) else length_of(tree) if is_table(tree) else len(canonical(tree))
    return size.bit_length() // 3 if size > 0 else -1


class _Drawn:
    """Holds a call that may be long: Hypothesis writes out the arguments of what it takes for a failing test."""

    def __init__(self, call: CallInput) -> None:
        self.call = call

    def __repr__(self) -> str:
        return "_Drawn()"


class _Enough(Exception):
    """Ends the drawing; Hypothesis takes it for a failing test."""


def _run(test: Callable[[], None], tries: int, seed: str) -> None:
    number = int.from_bytes(hashlib.sha256(seed.encode("utf-8")).digest()[:8], "big")
    quiet = hypothesis.settings(
        max_examples=tries,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=_HEALTH_CHECKS,
        verbosity=hypothesis.Verbosity.quiet,
    )
    with drawing(), contextlib.suppress(_Enough, Unsatisfiable):
        hypothesis.seed(number)(quiet(test))()
