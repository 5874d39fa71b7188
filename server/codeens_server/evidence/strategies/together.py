"""Inputs beside known ones of which two arguments are others at once: what a rule asks of both shows on no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, islice, product, zip_longest
from typing import Any

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.compare import canonical
from codeens_sandbox_backends.values.sample import kind_of
from codeens_server.evidence.strategies.neighbours import DAYS, MOMENTS, on_day

_MOST = 60
_MOST_CALLS = 3
_MOST_VALUES = 12
_LARGEST = 1 << 50
_LONGEST = 40
_STEPS = (1, -1, 4, 12)
"""Of days, months and years: from around the turn of a century onto it."""
_YEARS = (1900, 2100, 2000, 2024)
_NO_DAY = "1900-02-29"
_OF_YEARS = re.compile(r"year|leap|monthrange", re.IGNORECASE)


def together(calls: Sequence[CallInput], literals: Iterable[object], sources: Iterable[str]) -> list[CallInput]:
    """Return calls of which two arguments are literals, years of centuries, or days around odd years.

    Args:
        calls: known ones; those of which two arguments can be others are used, the first few.
        literals: of all of the programs.
        sources: their texts, which say whether numbers are years.
    """
    years = _YEARS if any(map(_OF_YEARS.search, sources)) else ()
    known = list(literals)
    ints = [value for value in known if type(value) is int and abs(value) <= _LARGEST]
    texts = [value for value in known if type(value) is str and len(value) <= _LONGEST]
    places = {"int": _distinct([*years, *ints, 0]), "str": _distinct(texts)}
    usable = [call for call in calls if len(_open(call, places)) > 1][:_MOST_CALLS]
    turns = zip_longest(
        *(_both(call, one, two, places) for call in usable for one, two in combinations(_open(call, places), 2))
    )
    dates = [other for call in usable[:1] for other in _dated(call)] if years else []
    return [*dates, *islice((call for turn in turns for call in turn if call is not None), _MOST)]


def _dated(call: CallInput) -> Iterator[CallInput]:
    """Yield the call with days, of which one is none, as three of its numbers, from the year or from the day on."""
    places = [at for at, value in enumerate(call.args) if kind_of(value) == "int"][:3]
    for day in (_NO_DAY, *DAYS) if len(places) == 3 else ():
        numbers = [int(part) for part in day.split("-")]
        for order in (numbers, numbers[::-1]):
            args = [*call.args]
            for place, number in zip(places, order, strict=True):
                args[place] = number
            yield CallInput(args=tuple(args), kwargs=call.kwargs)


def _open(call: CallInput, literals: dict[str, list[Any]]) -> list[int]:
    """Return the places of the arguments that can be others."""
    return [at for at, value in enumerate(call.args) if kind_of(value) in MOMENTS or literals.get(kind_of(value))]


def _both(call: CallInput, one: int, two: int, literals: dict[str, list[Any]]) -> Iterator[CallInput]:
    """Yield the call with both others: the first of each kind early, whatever the other is."""
    moves = any(kind_of(call.args[place]) in MOMENTS for place in (one, two))
    first, second = (_values(call.args[place], literals, moves=moves) for place in (one, two))
    pairs = sorted(product(range(len(first)), range(len(second))), key=sum)
    for here, there in pairs:
        args = [*call.args]
        args[one], args[two] = first[here], second[there]
        yield CallInput(args=tuple(args), kwargs=call.kwargs)


def _values(value: Any, literals: dict[str, list[Any]], *, moves: bool) -> list[Encoded]:
    if kind_of(value) in MOMENTS:
        return [on_day(value, day) for day in DAYS]
    steps = _STEPS if moves and kind_of(value) == "int" else ()
    return [*steps, *literals[kind_of(value)]][:_MOST_VALUES]


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list({canonical(value): value for value in values}.values())
