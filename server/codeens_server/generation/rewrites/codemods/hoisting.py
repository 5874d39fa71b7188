"""What is the same in each turn of a loop, done before it."""

from __future__ import annotations

import re

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.kinds import IMMUTABLE, element_kind, kind_of, may_be_none
from codeens_server.generation.rewrites.placing import (
    Statement,
    comprehensions_repeating,
    is_nonempty,
    loops_repeating,
    place_for,
)
from codeens_server.generation.rewrites.purity import is_pure
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.stability import is_only_read, runs_unknown_code

WORTHWHILE = frozenset(
    {"len", "sum", "sorted", "set", "frozenset", "tuple", "list", "dict", "str", "min", "max", "pow"}
)
OF_STRINGS = frozenset(
    {"lower", "upper", "casefold", "title", "strip", "lstrip", "rstrip", "split", "splitlines", "swapcase"}
)
KNOWN_RECEIVERS = frozenset({"str", "bytes", "list", "tuple", "dict", "set", "frozenset"})
TOTAL = frozenset(f"math.{name}" for name in ("sin", "cos", "atan", "tanh", "radians", "degrees", "fabs", "hypot"))
"""Functions that take every number."""
LONGEST_PATTERN = 500
"""Characters of a regular expression that is compiled here to see whether it is one."""
PATTERN_ARGUMENTS = {"match": 2, "search": 2, "fullmatch": 2, "findall": 2, "finditer": 2, "split": 2, "sub": 3}
"""Functions of re with a pattern first, and how many arguments they have when there are no flags."""


class HoistInvariant(Codemod):
    """See `rationale`."""

    name = "hoist-loop-invariant"
    rationale = "Computes once, before the loop, what each turn of the loop computed again with the same result."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        for call in subject.own(cst.Call):
            if _hoist_pattern(subject, edits, call) or _hoist_call(subject, edits, call):
                return


def _hoist_call(subject: FunctionTree, edits: Edits, call: cst.Call) -> bool:
    if not _is_worthwhile(subject, call) or not is_pure(subject, call):
        return False
    if any(tree.index_of(node) for node in subject.walk(call)):
        return False  # the loop may ask first whether the item is there
    names = {name.value for name in subject.reads(call)}
    if any(may_be_none(subject, name) for name in names) or not _can_be_shared(subject, call):
        return False
    place = place_for(subject, call, names - subject.bound(call))
    if place is None or not _cannot_fail(subject, call, place) or not _are_elements_settled(subject, call, place):
        return False
    text = _safe_text(subject, call)
    if text is None:
        return False
    name = edits.computed(place, text, names, _wanted_name(call))
    for other in _same_calls(subject, place, call):
        edits.expression(other, name)
    return True


def _is_worthwhile(subject: FunctionTree, call: cst.Call) -> bool:
    if subject.is_builtin(call.func):
        return isinstance(call.func, cst.Name) and call.func.value in WORTHWHILE and bool(call.args)
    if subject.origin(call.func):
        return True
    if not isinstance(call.func, cst.Attribute):
        return False
    return call.func.attr.value in OF_STRINGS or kind_of(subject, call.func.value) in KNOWN_RECEIVERS


def _cannot_fail(subject: FunctionTree, call: cst.Call, place: Statement) -> bool:
    """Return whether the call, done before a loop that may have no turn, raises nothing that the loop did not raise."""
    args = [arg.value for arg in call.args]
    if origin := subject.origin(call.func):
        return (origin == "re.compile" and _is_valid_pattern(subject, args)) or (
            origin in TOTAL and all(kind_of(subject, arg) in ("int", "float") for arg in args)
        )
    if isinstance(call.func, cst.Attribute):
        return True  # its object is known, or it would not be pure
    if subject.is_builtin(call.func, "str"):
        return True
    is_known = not subject.is_builtin(call.func, "pow") and all(kind_of(subject, arg) for arg in args)
    return is_known or (subject.is_builtin(call.func, "len") and _is_in_header(subject, call, place))


def _is_in_header(subject: FunctionTree, call: cst.Call, place: Statement) -> bool:
    """Return whether the loop does the same call anyway before its first turn."""
    match place:
        case cst.For(iter=header) | cst.While(test=header):
            return any(tree.same(node, call) for node in subject.walk(header))
        case _:
            return False


def _is_valid_pattern(subject: FunctionTree, args: list[cst.BaseExpression]) -> bool:
    """Return whether this is the text of a regular expression, known here."""
    text = args[0] if len(args) == 1 else None
    if isinstance(text, cst.Name) and text.value not in subject.local_names:
        text = cst.parse_expression(subject.facts.values.get(text.value, "None"))
    if not isinstance(text, cst.SimpleString) or len(text.value) > LONGEST_PATTERN:
        return False
    try:
        re.compile(text.evaluated_value)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _are_elements_settled(subject: FunctionTree, call: cst.Call, place: Statement) -> bool:
    """Return whether code that nobody knows has no way to change the elements that the call looks at."""
    if subject.is_builtin(call.func, "len") or not runs_unknown_code(subject, place):
        return True
    collections = [arg.value for arg in call.args if kind_of(subject, arg.value) not in IMMUTABLE]
    return all(element_kind(subject, one) in IMMUTABLE for one in collections)


def _can_be_shared(subject: FunctionTree, call: cst.Call) -> bool:
    """Return whether it makes no difference that all turns get the same object."""
    kind = kind_of(subject, call)
    if kind in ("str", "int", "bool", "float", "bytes", "frozenset", "tuple", "pattern"):
        return True
    if subject.is_builtin(call.func, "sum", "min", "max", "pow") or subject.origin(call.func).startswith("math."):
        return True
    return kind in ("list", "set", "dict") and is_only_read(subject, call)


def _safe_text(subject: FunctionTree, call: cst.Call) -> str | None:
    """Return the call as it can stand before the loop, where it is computed even when the loop has no turn."""
    text = subject.code(call)
    if not subject.is_builtin(call.func, "min", "max") or len(call.args) > 1:
        return text
    collection = call.args[0].value
    if is_nonempty(subject, collection):
        return text
    if isinstance(collection, cst.Name) and _has_no_turn_without(subject, call, collection.value):
        return f"{text[:-1]}, default=None)"
    return None


def _has_no_turn_without(subject: FunctionTree, call: cst.Call, name: str) -> bool:
    """Return whether the outermost loop around goes over the collection itself."""
    iterables = [loop.iter for loop in loops_repeating(subject, call) if isinstance(loop, cst.For)]
    iterables += [comprehension.for_in.iter for comprehension in comprehensions_repeating(subject, call)]
    texts = (name, f"enumerate({name})", f"range(len({name}))", f"set({name})", f"sorted({name})", f"reversed({name})")
    return any(subject.code(iterable) in texts for iterable in iterables)


def _wanted_name(call: cst.Call) -> str:
    match call:
        case cst.Call(func=cst.Name(value=function), args=[cst.Arg(value=cst.Name(value=argument)), *_]):
            return f"{argument.lower().lstrip('_')}_{function}"
        case cst.Call(func=cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=method))):
            return f"{owner.lower().lstrip('_')}_{method}"
        case cst.Call(func=cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name))):
            return f"{name}_once"
        case _:
            return "once"


def _same_calls(subject: FunctionTree, place: Statement, call: cst.Call) -> list[cst.Call]:
    """Return equal calls in the same loop; those before its first turn may be among them, which does no harm."""
    found = [one for one in subject.own(cst.Call, place) if tree.same(one, call)]
    return [one for one in found if not any(parent in found for parent in subject.above(one))]


def _hoist_pattern(subject: FunctionTree, edits: Edits, call: cst.Call) -> bool:
    """Compile the pattern of `re.match(pattern, text)` before the loop."""
    function = subject.origin(call.func).removeprefix("re.")
    args = tree.plain_args(call.args)
    if PATTERN_ARGUMENTS.get(function) is None or args is None or len(args) != PATTERN_ARGUMENTS[function]:
        return False
    if subject.origin(call.func) == function or not _is_valid_pattern(subject, args[:1]):
        return False
    place = place_for(subject, call, {name.value for name in subject.reads(args[0])})
    compiler = edits.require("re", "compile") if place is not None else None
    if place is None or compiler is None:
        return False
    names = {name.value for name in subject.reads(args[0])}
    pattern = edits.computed(place, f"{compiler}({subject.code(args[0])})", names, "pattern")
    rest = ", ".join(subject.code(arg) for arg in args[1:])
    edits.expression(call, f"{pattern}.{function}({rest})")
    return True
