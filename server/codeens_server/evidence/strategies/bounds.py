"""How large numbers may be where the original takes too long on some, for instance as it makes lists of that length:
beyond the largest one that it answered on, it is not asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from codeens_sandbox_backends.programs import CallInput

_LARGEST = 1_000
"""Up to which numbers are tried in any case."""
Bounds: TypeAlias = "Mapping[int | str, int]"


def bounds(calls: Iterable[CallInput]) -> Bounds:
    """Return the largest whole number that calls give as each argument, by its place or name."""
    largest: dict[int | str, int] = {}
    for call in calls:
        for place, number in _numbers(call):
            largest[place] = max(number, largest.get(place, _LARGEST))
    return largest


def within(largest: Bounds, calls: Sequence[CallInput]) -> list[CallInput]:
    """Return the calls whose arguments are no larger; of arguments without a bound all are taken."""
    return [call for call in calls if all(number <= largest.get(place, number) for place, number in _numbers(call))]


def _numbers(call: CallInput) -> Iterator[tuple[int | str, int]]:
    given = (*enumerate(call.args), *call.kwargs.items())
    yield from ((place, value) for place, value in given if isinstance(value, int) and not isinstance(value, bool))
