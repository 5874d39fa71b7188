"""Conditions: deviations that have a name, in place of a refusal or of a silent tolerance.

A candidate passes on conditions when each input on which it is not equal is explained by one: what the original raises
without being asked to, how floats are rounded, what libraries for tables tell apart beside the values. What a call does
beside its result is never a condition, nor is anything on an input that a person pinned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_CEILING, Context
from typing import Any, NamedTuple, TypeAlias

from codeens_sandbox_backends.programs import CallInput, Encoded, Outcome, Raised, Returned
from codeens_sandbox_backends.values.check import open_node
from codeens_sandbox_backends.values.columns import column_of, item_of
from codeens_sandbox_backends.values.deviations import Deviation, Tolerance, deviations
from codeens_sandbox_backends.values.outcomes import ARGUMENTS, ATTRIBUTES, IDENTITY, ORDER, RESULT, differing
from codeens_sandbox_backends.values.render import render_call, render_outcome_pair
from codeens_server.domain.evidence import Case, Outside
from codeens_server.domain.terms import ConditionKind
from codeens_server.domain.verdict import Condition

_ULPS = 8.0
_ULPS_PER_NUMBER = 2.0
"""A sum of n numbers is off by n rounding errors at the most, in any order (Higham, Accuracy and Stability of
Numerical Algorithms, 4.2)."""
_MOST_RELATIVE = 1e-9
_LARGEST = 1e300
_COMMENSURATE = 1e-3
_MOSTLY = 0.8
_LONGEST_CALL = 10_000
_KEEPS_SUBCLASS = "keeps subclass"
"""Effect of a call that makes instances of a subclass where it is one of that."""
_BESIDE_EFFECTS = (RESULT, ATTRIBUTES, ORDER)
Compared: TypeAlias = tuple[Case, Outcome, Outcome]
"""A case, what should have come out of it, and what did."""


class Explained(NamedTuple):
    """What differs, sorted out: what is wrong, and the conditions on which the rest is right."""

    wrong: list[Compared]
    conditions: tuple[Condition, ...]


class _Ground(NamedTuple):
    """Why one input may differ. Grounds of one kind and text are one condition."""

    kind: ConditionKind
    said: str
    detail: str = ""
    size: float = 0.0
    keys: frozenset[str] = frozenset()


def explain(
    name: str, known: Sequence[Compared], unequal: Sequence[Compared], refused: Iterable[ConditionKind] = ()
) -> Explained:
    """Tell deviations that are conditions from what is wrong.

    Args:
        name: what calls are shown by.
        known: all that was compared.
        unequal: those of them that are not equal.
        refused: kinds that are wrong here.
    """
    unwanted = frozenset(refused)
    has_scale = _is_commensurate(known)
    grounds = [(entry, _grounds(*entry, has_scale=has_scale)) for entry in unequal]
    one_key = _have_one_in_common(
        [ground.keys for _, found in grounds for ground in found or () if ground.kind == "ties"]
    )
    wrong: list[Compared] = []
    right: list[tuple[Compared, list[_Ground]]] = []
    for entry, found in grounds:
        tied = found is not None and any(ground.kind == "ties" for ground in found)
        if found is None or unwanted & {ground.kind for ground in found} or (tied and not one_key):
            wrong.append(entry)
        else:
            right.append((entry, found))
    return Explained(wrong, tuple(_conditions(name, right, len(known))))


def _have_one_in_common(sets: Sequence[frozenset[str]]) -> bool:
    return any(all(key in other for other in sets) for key in (sets[0] if sets else ()))


def _grounds(case: Case, expected: Outcome, got: Outcome, *, has_scale: bool) -> list[_Ground] | None:
    """Return why the outcomes may differ; None where they may not."""
    if case.origin == "pinned" or not isinstance(got, (Returned, Raised)):
        return None
    if not isinstance(expected, (Returned, Raised)) or not _leaves_the_same(case, expected, got):
        return None
    if isinstance(expected, Returned) and isinstance(got, Returned):
        found = deviations(expected.value, got.value, _tolerance(case.input, has_scale=has_scale))
        more = (
            [_Ground("outside", "keeps a subclass where the original does not")] if _keeps_more(expected, got) else []
        )
        if found or (more and found is not None):
            return [*map(_named, found), *more]
    return _outside(case.outside, expected, got) if case.outside else None


def _leaves_the_same(case: Case, expected: Returned | Raised, got: Returned | Raised) -> bool:
    """Whether all that a call does beside its result is equal."""
    if case.value_only:
        return True
    # Where nobody calls it so, numpy may warn that it divides by zero.
    ignored = {"warnings"} if case.outside else set[str]()
    if _keeps_more(expected, got):
        ignored.add(_KEEPS_SUBCLASS)
    if case.outside and case.outside.kind == "changing":
        ignored |= {ARGUMENTS, IDENTITY}
    if case.outside and case.outside.kind == "failing" and isinstance(got, Raised):
        ignored |= {ARGUMENTS, IDENTITY}
    return differing(expected, got) <= {*_BESIDE_EFFECTS, *case.uncompared} | ignored


def _keeps_more(expected: Returned | Raised, got: Returned | Raised) -> bool:
    """Whether the original names a class, and the candidate asks for the class at hand, which may be below it."""
    return _KEEPS_SUBCLASS in got.effects and not {_KEEPS_SUBCLASS, "of subclasses"} & expected.effects.keys()


def _outside(outside: Outside, expected: Returned | Raised, got: Returned | Raised) -> list[_Ground] | None:
    match outside.kind:
        case "raises":
            return [_Ground("outside", "differs only where the original raises", outside.said)]
        case "beyond":
            return [_Ground("outside", f"differs only with {outside.said}")]
        case "malformed" | "window":
            return [_Ground("outside", f"raises with {outside.said}")] if isinstance(got, Raised) else None
        case "failing":
            lets_through = isinstance(got, Raised) and isinstance(expected, Raised) and got.type == expected.type
            return [_Ground("unseen", f"leaves its arguments otherwise with {outside.said}")] if lets_through else None
        case "changing":
            return [_Ground("unseen", f"differs with {outside.said}")]
        case "unseen" if isinstance(got, Raised):
            return [_Ground("outside", f"raises with {outside.said}")]
        case "unseen":
            return [_Ground("unseen", f"differs with {outside.said}")]


def _named(deviation: Deviation) -> _Ground:
    if deviation.kind == "ties":
        return _Ground("ties", "order of equal keys", keys=deviation.keys)
    if deviation.kind != "rounding":
        return _Ground(deviation.kind, deviation.what)
    said = {"": "relative", "scale": "of the largest number given", "sign": ""}[deviation.what]
    return _Ground("rounding", f"floats differ by at most {{}} {said}" if said else "sign of zero", size=deviation.size)


# Rounding -----------------------------------------------------------------------------------------------------------


def _tolerance(call: CallInput, *, has_scale: bool) -> Tolerance:
    numbers = list(_numbers([*call.args, *call.kwargs.values()]))
    ulps = min(_ULPS + _ULPS_PER_NUMBER * len(numbers), _MOST_RELATIVE * 2**52)
    return Tolerance(ulps, _largest(numbers) if has_scale else 0.0)


def _is_commensurate(known: Sequence[Compared]) -> bool:
    """Whether results are about as large as what they are made from, as sums and means are.

    Only then an error is judged by the size of the numbers given, which cancellation leaves; a function whose results
    are small beside its arguments would else pass with any result.
    """
    sizes = [
        (_largest(_numbers([expected.value])), _largest(_numbers([*case.input.args, *case.input.kwargs.values()])))
        for case, expected, _ in known
        if isinstance(expected, Returned)
    ]
    usable = [(result, given) for result, given in sizes if result and given]
    near = sum(result >= _COMMENSURATE * given for result, given in usable)
    return bool(usable) and near >= _MOSTLY * len(usable)


def _largest(numbers: Iterable[float]) -> float:
    return max((abs(number) for number in numbers), default=0.0)


def _numbers(values: Iterable[Encoded]) -> Iterator[float]:
    """Yield all finite numbers in encoded values."""
    todo = list(values)
    while todo:
        value = todo.pop()
        node = open_node(value)
        column = column_of(value) if node.tag in {"ndarray", "pandas"} else None
        items = column.items if column else [item_of(value)]
        yield from (float(item) for item in items if _is_finite(item))
        if column is None:
            todo += node.children


def _is_finite(item: Any) -> bool:
    is_number = isinstance(item, (int, float)) and not isinstance(item, bool)
    return is_number and abs(item) < _LARGEST


# Telling ------------------------------------------------------------------------------------------------------------


def _conditions(name: str, right: Sequence[tuple[Compared, list[_Ground]]], total: int) -> Iterator[Condition]:
    groups: dict[tuple[ConditionKind, str], list[tuple[Compared, _Ground]]] = {}
    for entry, found in right:
        for ground in {(ground.kind, ground.said): ground for ground in sorted(found, key=lambda g: g.size)}.values():
            groups.setdefault((ground.kind, ground.said), []).append((entry, ground))
    for (kind, said), members in groups.items():
        case, expected, got = min((entry for entry, _ in members), key=lambda entry: _length(entry[0]))
        wanted, came = render_outcome_pair(expected, got)
        yield Condition(
            kind=kind,
            said=said if kind != "rounding" else said.format(_size(max(ground.size for _, ground in members))),
            detail=_details([ground.detail for _, ground in members]),
            count=len(members),
            total=total,
            input=case.input,
            call=render_call(name, case.input),
            expected=wanted,
            got=came,
        )


def conditions_text(conditions: Sequence[Condition]) -> str:
    """Return on what a candidate passes, in one line; empty where it passes on none."""
    return f"passes on conditions: {'; '.join(each.text for each in conditions)}" if conditions else ""


def _length(case: Case) -> int:
    return len(render_call("", case.input, _LONGEST_CALL))


def _size(size: float) -> str:
    """Write a size in one digit that is not below it."""
    return f"{Context(prec=1, rounding=ROUND_CEILING).create_decimal(size):.0e}"


def _details(details: Sequence[str]) -> str:
    different = list(dict.fromkeys(filter(None, details)))
    more = f" and {len(different) - 2} more" if len(different) > 2 else ""
    return ", ".join(different[:2]) + more
