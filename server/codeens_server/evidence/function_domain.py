"""The domain of a function: the inputs that it is known to be for.

Tests, docstring examples, recorded calls and what callers in its own file write out show what it takes; where it
raises what nobody wrote down it says what it does not take. A `raise` of its own, and an exception that a test or its
docstring names, is behaviour: such inputs are inside. Only invented inputs can be outside; they are tried all the
same, and reported apart.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from msgspec.structs import replace

from codeens_sandbox_backends.programs import Encoded, Outcome, Raised, Returned
from codeens_sandbox_backends.values.check import open_node
from codeens_sandbox_backends.values.columns import Missing, column_of, number_of, table_of
from codeens_sandbox_backends.values.made_up import function_in, raised_by_functions
from codeens_server.domain.evidence import Case, Outside
from codeens_server.domain.target import Target
from codeens_server.evidence.assess import EXIT
from codeens_server.evidence.strategies.inputs import parameters_of, take_apart
from codeens_server.evidence.strategies.spoken_types import literals_of_callers
from codeens_server.syntax.parsing import ParseFailure, parse


class _Seen(NamedTuple):
    """A case taken apart."""

    case: Case
    values: Mapping[str, Encoded]

    @property
    def is_known(self) -> bool:
        """Whether people made the call."""
        return self.case.origin != "generated"


def with_domain(target: Target, source: str, cases: Sequence[Case]) -> tuple[Case, ...]:
    """Return the cases, each of which says whether it is outside the function's domain, and why.

    Args:
        target: the function.
        source: text of its file, where the functions that it calls may be.
        cases: inputs with what the original does on them.
    """
    parameters = parameters_of(target)
    seen = [_Seen(case, take_apart(case.input, parameters) or {}) for case in cases]
    domain = _Domain(target, source, seen)
    return tuple(replace(entry.case, outside=domain.why_outside(entry)) for entry in seen)


class _Domain:
    """What all cases together say of the function."""

    def __init__(self, target: Target, source: str, seen: Sequence[_Seen]) -> None:
        self._known = [entry for entry in seen if entry.is_known]
        raised = [entry.case.expected for entry in self._known if isinstance(entry.case.expected, Raised)]
        demanded = {_short(outcome.type) for outcome in raised}
        self._written = raised_by(target, source) | demanded
        self._docstring = target.docstring or ""
        self._measured = _measured_in_loops(target.source)
        self._told = literals_of_callers(target, source)
        self._returning = [entry for entry in seen if isinstance(entry.case.expected, Returned)]
        self._names = list(dict.fromkeys(name for entry in seen for name in entry.values))
        self._beyond = [name for name in self._names if self._raises_at_zero(name, seen)]
        self._keys = {name: self._keys_of(name, target.source) for name in self._names}

    def why_outside(self, entry: _Seen) -> Outside | None:
        """Return why an input is outside; None where it is inside."""
        if entry.case.origin != "generated" or entry.case.expected is None:
            return None
        if _is_let_through(entry):
            return Outside(kind="failing", said="a function that raises")
        if self._is_incidental(entry.case.expected):
            return Outside(kind="raises", said=self._what_is_special(entry))
        if not isinstance(entry.case.expected, Returned):
            return None
        if said := self._is_changed_meanwhile(entry):
            return Outside(kind="changing", said=said)
        if said := self._below_zero(entry):
            return Outside(kind="beyond", said=said)
        if said := self._lacks_a_key(entry):
            return Outside(kind="malformed", said=said)
        if not self._known:
            return None
        if said := self._is_longer(entry):
            return Outside(kind="window", said=said)
        said = self._misses_values(entry) or self._lengths_apart(entry)
        return Outside(kind="unseen", said=said) if said else None

    def _is_changed_meanwhile(self, entry: _Seen) -> str:
        """Return what changes while it is worked on, where the function does not measure it anew in each turn."""
        changing = any(open_node(function_in(value)).tag == "changing" for value in entry.values.values())
        lists = [name for name, value in entry.values.items() if open_node(value).tag in {"shared", "ref"}]
        if not changing or any(name in self._measured for name in lists):
            return ""
        return f"a function that changes {lists[0]}" if lists else "a function that changes a list"

    def _is_incidental(self, outcome: Outcome) -> bool:
        """Whether an exception comes from within, and is nobody's demand."""
        if not isinstance(outcome, Raised) or outcome.type == EXIT:
            return False
        name = _short(outcome.type)
        return not (self._written & {name, _ANY}) and not re.search(rf"\b{re.escape(name)}\b", self._docstring)

    def _what_is_special(self, entry: _Seen) -> str:
        """Return what the input has, and none on which the original returns; else what it raises."""
        for name, value in entry.values.items():
            for said, holds in _PREDICATES:
                if holds(value) and not any(holds(other) for other in self._given_and_returning(name)):
                    return f"{name} {said}"
        assert isinstance(entry.case.expected, Raised)
        return _short(entry.case.expected.type)

    def _given_and_returning(self, name: str) -> Iterator[Encoded]:
        """Yield the values of a parameter on which the original returns."""
        return (entry.values[name] for entry in self._returning if name in entry.values)

    def _raises_at_zero(self, name: str, seen: Sequence[_Seen]) -> bool:
        """Whether the original raises wherever the number is 0, and all calls known, and callers, give a larger one."""
        at_zero = [entry.case.expected for entry in seen if number_of(entry.values.get(name)) == 0]
        known = [number_of(entry.values.get(name)) for entry in self._known]
        known += [number_of(value) for value in self._told.get(name, ())]
        positive = bool(known) and all(number is not None and number > 0 for number in known)
        return positive and bool(at_zero) and all(outcome and self._is_incidental(outcome) for outcome in at_zero)

    def _below_zero(self, entry: _Seen) -> str:
        for name in self._beyond:
            if (number := number_of(entry.values.get(name))) is not None and number < 0:
                return f"{name} below 0"
        return ""

    def _keys_of(self, name: str, source: str) -> frozenset[str]:
        """Return the keys that all records have which known calls and callers give, and that the function asks for."""
        given = [entry.values[name] for entry in self._known if name in entry.values]
        records = [keys for value in (*given, *self._told.get(name, ())) for keys in _records(value)]
        wanted = _subscripts(source) if records else frozenset[str]()
        return frozenset(key for key in wanted if all(key in keys for keys in records))

    def _lacks_a_key(self, entry: _Seen) -> str:
        for name, wanted in self._keys.items():
            found = _records(entry.values[name]) if wanted and name in entry.values else ()
            lacking = sorted({key for keys in found for key in wanted - keys})
            if lacking:
                return f"a record of {name} without {lacking[0]!r}"
        return ""

    def _is_longer(self, entry: _Seen) -> str:
        """Return how a count does not fit the data, where it fits in all known calls; empty where it does."""
        expected = entry.case.expected
        is_empty = isinstance(expected, Returned) and _length(expected.value) == 0
        for count in self._names:
            number = number_of(entry.values.get(count))
            for data in self._names if number is not None else ():
                length = _length(entry.values.get(data))
                if length is None or number is None or 1 <= number <= length or not self._fits(count, data):
                    continue
                if number > length and is_empty:
                    return f"{count} above the length of {data}"
                if number < 1 and _is_array(entry.values[data]):
                    return f"{count} below 1"
        return ""

    def _fits(self, count: str, data: str) -> bool:
        """Whether the number is no larger than the data is long in any call known."""
        pairs = [(number_of(entry.values.get(count)), _length(entry.values.get(data))) for entry in self._known]
        return all(number is not None and length is not None and 0 < number <= length for number, length in pairs)

    def _lengths_apart(self, entry: _Seen) -> str:
        """Return which arrays are not equally long, where they are in all known calls; empty where all are."""
        arrays = [name for name, value in entry.values.items() if _is_array(value)]
        for one, other in combinations(arrays, 2):
            lengths = [(_length(call.values.get(one)), _length(call.values.get(other))) for call in self._known]
            ours = _length(entry.values[one]), _length(entry.values[other])
            if ours[0] != ours[1] and all(a is not None and a == b for a, b in lengths):
                return f"{one} and {other} of different lengths"
        return ""

    def _misses_values(self, entry: _Seen) -> str:
        for name, value in entry.values.items():
            if not _has_missing(value):
                continue
            known = [other.values[name] for other in self._known if name in other.values]
            if known and not any(map(_has_missing, known)):
                return f"missing values in {name}"
        return ""


_ANY = "*"


def raised_by(target: Target, source: str) -> frozenset[str]:
    """Return the names of exceptions that a function, or what it calls in its own file, raises by a statement.

    Where a statement raises what has no name to be read, `*` is one of them.
    """
    parts = entered(target, source)
    if parts is None:
        return frozenset({_ANY})
    raises = (node for part in parts for node in ast.walk(part) if isinstance(node, ast.Raise))
    return frozenset(name for node in raises for name in _raised(node))


def entered(target: Target, source: str) -> list[ast.AST] | None:
    """Return the function, and the functions and classes of its own file that it calls; None for what is unreadable."""
    tree, module = parse(target.source), parse(source)
    if isinstance(tree, ParseFailure) or isinstance(module, ParseFailure):
        return None
    definitions = {
        node.name: node
        for node in ast.walk(module)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    parts: list[ast.AST] = [tree]
    for part in parts:
        called = dict.fromkeys(name for node in ast.walk(part) if (name := _called(node)) in definitions)
        parts += [definitions.pop(name) for name in called]
    return parts


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return _name(node.func)


def _name(node: ast.AST | None) -> str:
    """The last part of a dotted name."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _raised(node: ast.Raise) -> set[str]:
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    name = _name(raised)
    return {name if name[:1].isupper() else _ANY}


def _subscripts(source: str) -> frozenset[str]:
    """Return the texts by which a function asks for an item."""
    tree = parse(source)
    if isinstance(tree, ParseFailure):
        return frozenset()
    places = [node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    return frozenset(
        place.value for place in places if isinstance(place, ast.Constant) and isinstance(place.value, str)
    )


def _measured_in_loops(source: str) -> set[str]:
    """Return names that conditions of `while` loops speak of."""
    tree = parse(source)
    if isinstance(tree, ParseFailure):
        return set()
    tests = [node.test for node in ast.walk(tree) if isinstance(node, ast.While)]
    return {node.id for test in tests for node in ast.walk(test) if isinstance(node, ast.Name)}


def _is_let_through(entry: _Seen) -> bool:
    """Whether the exception may be that of a function that was given."""
    outcome = entry.case.expected
    return isinstance(outcome, Raised) and _short(outcome.type) in raised_by_functions(entry.values.values())


def _short(name: str) -> str:
    return name.rpartition(":")[2].rpartition(".")[2]


def _length(value: Encoded) -> int | None:
    """Return how long a container, array or table is; None for anything else."""
    node = open_node(value)
    if node.tag in {"list", "tuple", "deque"}:
        return len(node.children)
    if (table := table_of(value)) is not None:
        return len(table.labels.items)
    column = column_of(value) if node.tag in {"ndarray", "pandas"} else None
    return column.shape[0] if column is not None and column.shape else None


def _records(value: Encoded) -> Iterator[frozenset[str]]:
    """Yield the text keys of each mapping that a value is, or is a sequence of."""
    node = open_node(value)
    for item in (value, *node.children) if node.tag in {"list", "tuple"} else (value,):
        inner = open_node(item)
        if inner.tag == "dict":
            yield frozenset(key for key, _ in inner.pairs if isinstance(key, str))


def _has_missing(value: Encoded) -> bool:
    """Whether an array or table has an item that stands for none."""
    if (table := table_of(value)) is not None:
        return any(_is_missing(item) for _, column in table.columns for item in column.items)
    column = column_of(value) if open_node(value).tag == "ndarray" else None
    return column is not None and any(map(_is_missing, column.items))


def _is_array(value: Encoded) -> bool:
    return open_node(value).tag in {"ndarray", "pandas"}


def _is_missing(item: Any) -> bool:
    return isinstance(item, Missing) or item != item


_PREDICATES: tuple[tuple[str, Callable[[Encoded], bool]], ...] = (
    ("0", lambda value: number_of(value) == 0),
    ("below 0", lambda value: (number_of(value) or 0) < 0),
    ("empty", lambda value: _length(value) == 0 or value in ("", ["dict"], ["set"])),
    ("None", lambda value: value is None),
    ("with missing values", _has_missing),
)
"""What inputs on which a function raises often have in common."""
