"""Compares what a program printed with what it should print, as a task's checker says. Takes time linear in the length,
and n log n where the order is free.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, cast

from codeens_server.tasks.schema import OutputChecker

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LONGEST_NUMBER = 400
Place: TypeAlias = tuple[int, int]
"""Of a token: its line (0 where lines do not count) and its number in it, from 0."""


def accepted_texts(expected: Any) -> tuple[str, ...]:
    """The texts of which any is right, from the `expected_output` of a case with stdin."""
    return tuple(cast("list[str]", expected)) if isinstance(expected, list) else (str(expected),)


def accepts(
    checker: OutputChecker, accepted: Sequence[str], printed: str, fractions: frozenset[Place] = frozenset()
) -> bool:
    """Whether a program's output is one of the accepted texts.

    Args:
        checker: what counts of it.
        accepted: the texts of which any is right.
        printed: the output.
        fractions: from `fraction_places`; everywhere else an integer that is expected is exactly what must come.
    """
    return any(_matches(checker, text, printed, fractions) for text in accepted)


def fraction_places(checker: OutputChecker, cases: Sequence[Sequence[str]]) -> frozenset[Place]:
    """Return the places of tokens at which some accepted text has a number with a point: a whole one there is rounded.

    Args:
        checker: how texts are cut into lines and tokens.
        cases: the accepted texts of each case of a task.
    """
    if checker.any_order:
        return frozenset()
    texts = (text for accepted in cases for text in accepted)
    return frozenset(
        place
        for text in texts
        for place, token in _placed(checker, text)
        if "." in token and _number(token) is not None
    )


def _placed(checker: OutputChecker, text: str) -> Iterator[tuple[Place, str]]:
    lines = [text] if checker.compare == "tokens" else _lines(text)
    for row, line in enumerate(lines):
        for column, token in enumerate(line.split()):
            yield (row, column), token


def _matches(checker: OutputChecker, expected: str, printed: str, fractions: frozenset[Place]) -> bool:
    if checker.compare == "exact":
        return printed == expected
    if checker.ignore_case:
        expected, printed = expected.casefold(), printed.casefold()
    tolerant = checker.absolute_tolerance is not None or checker.relative_tolerance is not None
    if checker.compare == "tokens":
        return _same_tokens(checker, expected.split(), printed.split(), fractions if tolerant else None)
    ours, theirs = _lines(expected), _lines(printed)
    if checker.any_order:
        return sorted(ours) == sorted(theirs)
    if not tolerant or len(ours) != len(theirs):
        return ours == theirs
    return all(
        _same_tokens(checker, line.split(), other.split(), fractions, row)
        for row, (line, other) in enumerate(zip(ours, theirs, strict=True))
    )


def _lines(text: str) -> list[str]:
    """Lines without the white space at their ends, and without empty lines at the end of all."""
    return [line.rstrip() for line in text.rstrip().split("\n")]


def _same_tokens(
    checker: OutputChecker, expected: list[str], printed: list[str], fractions: frozenset[Place] | None, row: int = 0
) -> bool:
    """Compare tokens; `fractions` is None where numbers are not compared as such."""
    if len(expected) != len(printed):
        return False
    if checker.any_order:
        expected, printed = sorted(expected, key=_by_size), sorted(printed, key=_by_size)
    if fractions is None:
        return expected == printed
    return all(
        _same_token(checker, ours, theirs, fraction=(row, column) in fractions)
        for column, (ours, theirs) in enumerate(zip(expected, printed, strict=True))
    )


def _same_token(checker: OutputChecker, expected: str, printed: str, *, fraction: bool) -> bool:
    if expected == printed:
        return True
    if _INTEGER.fullmatch(expected) and _INTEGER.fullmatch(printed):
        return _digits(expected) == _digits(printed)
    ours, theirs = _number(expected), _number(printed)
    if ours is None or theirs is None:
        return False
    if not fraction and "." not in expected and ours == ours.to_integral_value():
        return ours == theirs
    return math.isclose(
        ours, theirs, rel_tol=checker.relative_tolerance or 0.0, abs_tol=checker.absolute_tolerance or 0.0
    )


def _number(token: str) -> Decimal | None:
    """The number that a token writes; None where it is none, or none that a float holds."""
    if len(token) > _LONGEST_NUMBER or _NUMBER.fullmatch(token) is None or not math.isfinite(float(token)):
        return None
    try:
        return Decimal(token)
    except InvalidOperation:  # a zero with an exponent that is too long
        return None


def _digits(integer: str) -> tuple[bool, str]:
    digits = integer.lstrip("+-").lstrip("0")
    return bool(digits) and integer.startswith("-"), digits


def _by_size(token: str) -> tuple[bool, Decimal, str]:
    """Sorts numbers by size, so that nearly equal ones stand at the same place, and after them all else."""
    number = _number(token)
    return number is None, number or Decimal(0), token
