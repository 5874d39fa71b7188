"""Compares what a program printed with what it should print, as a task's checker says. Takes time linear in the length,
and n log n where the order is free.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, cast

from codeens_server.tasks.schema import OutputChecker

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LONGEST_NUMBER = 400


def accepted_texts(expected: Any) -> tuple[str, ...]:
    """The texts of which any is right, from the `expected_output` of a case with stdin."""
    return tuple(cast("list[str]", expected)) if isinstance(expected, list) else (str(expected),)


def accepts(checker: OutputChecker, accepted: Sequence[str], printed: str) -> bool:
    """Whether a program's output is one of the accepted texts."""
    return any(_matches(checker, text, printed) for text in accepted)


def _matches(checker: OutputChecker, expected: str, printed: str) -> bool:
    if checker.compare == "exact":
        return printed == expected
    if checker.ignore_case:
        expected, printed = expected.casefold(), printed.casefold()
    tolerant = checker.absolute_tolerance is not None or checker.relative_tolerance is not None
    if checker.compare == "tokens":
        return _same_tokens(checker, expected.split(), printed.split(), tolerant=tolerant)
    ours, theirs = _lines(expected), _lines(printed)
    if checker.any_order:
        return sorted(ours) == sorted(theirs)
    if not tolerant or len(ours) != len(theirs):
        return ours == theirs
    return all(
        _same_tokens(checker, line.split(), other.split(), tolerant=True)
        for line, other in zip(ours, theirs, strict=True)
    )


def _lines(text: str) -> list[str]:
    """Lines without the white space at their ends, and without empty lines at the end of all."""
    return [line.rstrip() for line in text.rstrip().split("\n")]


def _same_tokens(checker: OutputChecker, expected: list[str], printed: list[str], *, tolerant: bool) -> bool:
    if len(expected) != len(printed):
        return False
    if checker.any_order:
        expected, printed = sorted(expected, key=_by_size), sorted(printed, key=_by_size)
    if not tolerant:
        return expected == printed
    return all(_same_token(checker, ours, theirs) for ours, theirs in zip(expected, printed, strict=True))


def _same_token(checker: OutputChecker, expected: str, printed: str) -> bool:
    if expected == printed:
        return True
    if _INTEGER.fullmatch(expected) and _INTEGER.fullmatch(printed):
        return _digits(expected) == _digits(printed)
    ours, theirs = _number(expected), _number(printed)
    if ours is None or theirs is None:
        return False
    return math.isclose(
        ours, theirs, rel_tol=checker.relative_tolerance or 0.0, abs_tol=checker.absolute_tolerance or 0.0
    )


def _number(token: str) -> float | None:
    """The number that a token writes; None where it is none, or none that a float holds."""
    if len(token) > _LONGEST_NUMBER or _NUMBER.fullmatch(token) is None:
        return None
    number = float(token)
    return number if math.isfinite(number) else None


def _digits(integer: str) -> tuple[bool, str]:
    digits = integer.lstrip("+-").lstrip("0")
    return bool(digits) and integer.startswith("-"), digits


def _by_size(token: str) -> tuple[bool, float, str]:
    """Sorts numbers by size, so that nearly equal ones stand at the same place, and after them all else."""
    number = _number(token)
    return number is None, number or 0.0, token
