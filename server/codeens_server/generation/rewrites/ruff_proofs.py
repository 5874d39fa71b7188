"""When a fix of ruff may be made: ruff's own "safe" is believed with few exceptions, "unsafe" only where it is proven.

Of a rule without a proof here, fixes that ruff calls unsafe are not made, nor those by which comments might get lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.filling import is_used_outside, loop_variables
from codeens_server.generation.rewrites.function_tree import FunctionTree, Kind
from codeens_server.generation.rewrites.kinds import element_kind, kind_of
from codeens_server.generation.rewrites.purity import is_pure, may_be_iterator
from codeens_server.generation.rewrites.stability import calls_next, runs_unknown_code

EXACT: frozenset[Kind | None] = frozenset({"str", "bytes", "int", "bool"})


class Finding(NamedTuple):
    """A fix, and the code of the function that it is about."""

    subject: FunctionTree
    node: cst.CSTNode
    """The smallest node around what the rule points at."""
    content: str
    """What is written."""


Proof: TypeAlias = Callable[[Finding], bool]


def is_proven(code: str, finding: Finding, *, is_safe: bool) -> bool:
    """Return whether the fix of a rule keeps what the code does; `is_safe` is what ruff says."""
    if is_safe:
        return code not in _BEFORE_SAFE or _BEFORE_SAFE[code](finding)
    return code in _BEFORE_UNSAFE and not _has_comment(finding) and _BEFORE_UNSAFE[code](finding)


def _has_comment(finding: Finding) -> bool:
    return any(isinstance(node, cst.Comment) for node in _with_layout(finding.node))


def _with_layout(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in node.children:
        yield from _with_layout(child)


def _always(_: Finding) -> bool:
    return True


def _runs_known_code(finding: Finding) -> bool:
    """No unknown code runs in the expression: none that ends an iterator, or sees in which order things happen."""
    around = _expression(finding)
    return not runs_unknown_code(finding.subject, around) and not calls_next(finding.subject, around)


def _loop_runs_known_code(finding: Finding) -> bool:
    loop = _loop(finding)
    return loop is not None and not runs_unknown_code(finding.subject, loop) and not calls_next(finding.subject, loop)


def _may_stop_early(finding: Finding) -> bool:
    """Nobody notices when the last elements are not looked at."""
    subject = finding.subject
    found = next((one for one in subject.walk(_expression(finding)) if isinstance(one, cst.BaseComp)), None)
    return found is not None and is_pure(subject, found) and not calls_next(subject, found)


def _copies_elements(finding: Finding) -> bool:
    """`dict(xs)` takes a mapping otherwise than pairs, so that those must be seen to be pairs."""
    for node in finding.subject.walk(_expression(finding)):
        if isinstance(node, cst.DictComp):
            iterable = node.for_in.iter
            pairs = isinstance(iterable, cst.Call) and finding.subject.is_builtin(iterable.func, "zip", "enumerate")
            return pairs or element_kind(finding.subject, iterable) == "tuple"
    return True


def _collects_in_a_list_of_its_own(finding: Finding) -> bool:
    """Nobody sees the list, or the loop's variables, before the loop is over."""
    subject, loop = finding.subject, _loop(finding)
    if not isinstance(loop, cst.For) or any(isinstance(one, cst.Try | cst.TryStar) for one in subject.above(loop)):
        return False
    outer = [loop, *(one for one in subject.above(loop) if isinstance(one, cst.For))]
    shared = subject.declared_outside | subject.captured
    filled = {name.value for name in subject.variables(finding.node)} | loop_variables(loop)
    if filled & shared or any(is_used_outside(subject, name, outer[-1]) for name in loop_variables(loop)):
        return False
    return _loop_runs_known_code(finding) if ".extend(" in finding.content or ".update(" in finding.content else True


def _answers_by_any_or_all(finding: Finding) -> bool:
    subject, loop = finding.subject, _loop(finding)
    if not isinstance(loop, cst.For) or not _loop_runs_known_code(finding):
        return False
    return not any(is_used_outside(subject, name, loop) for name in loop_variables(loop))


def _gives_a_truth_value(finding: Finding) -> bool:
    """A comparison may give anything, as arrays do; `bool` of it, `in`, `is` and `not` do not."""
    if "bool(" in finding.content:
        return True
    tests = [one for one in finding.subject.walk(finding.node) if isinstance(one, cst.Comparison)]
    compared = [one for test in tests for one in test.comparisons]
    identity = (cst.In, cst.NotIn, cst.Is, cst.IsNot)
    return all(isinstance(one.operator, identity) for one in compared) or all(
        _are_known(finding.subject, test) for test in tests
    )


def _are_known(subject: FunctionTree, test: cst.Comparison) -> bool:
    sides = [test.left, *(one.comparator for one in test.comparisons)]
    return all(kind_of(subject, side) for side in sides)


def _compares_known(finding: Finding) -> bool:
    tests = [one for one in finding.subject.walk(_expression(finding)) if isinstance(one, cst.Comparison)]
    sides = [side for test in tests for side in (test.left, *(one.comparator for one in test.comparisons))]
    return bool(sides) and all(kind_of(finding.subject, side) in EXACT for side in sides)


def _asks_a_dict(finding: Finding) -> bool:
    """What has the method that goes away, or gets one, is a dictionary."""
    subject = finding.subject
    for node in subject.walk(_expression(finding)):
        call = tree.method_call(node) if isinstance(node, cst.BaseExpression) else None
        if call and call.method in ("keys", "items", "values") and kind_of(subject, call.receiver) != "dict":
            return False
    owners = [one.value for one in subject.walk(finding.node) if isinstance(one, cst.Subscript)]
    return all(kind_of(subject, one) == "dict" for one in owners) and is_pure(subject, finding.node)


def _is_pure(finding: Finding) -> bool:
    """Whether it is evaluated once more or once less is noticed by nobody."""
    return is_pure(finding.subject, finding.node)


def _is_sort_key(finding: Finding) -> bool:
    """A function of `operator` differs from a lambda in all but the call by place, which is all that sorting does."""
    arg = finding.subject.parent(_up_to(finding, cst.Lambda) or finding.node)
    call = finding.subject.parent(arg) if isinstance(arg, cst.Arg) and arg.keyword else None
    if not isinstance(call, cst.Call):
        return False
    is_sort = isinstance(call.func, cst.Attribute) and call.func.attr.value == "sort"
    return is_sort or finding.subject.is_builtin(call.func, "sorted", "min", "max")


def _walks_over_known(finding: Finding) -> bool:
    """The copy that goes away kept a loop from what its body does to the original."""
    loop = _loop(finding)
    iterable = loop.iter if isinstance(loop, cst.For) else None
    inner = iterable.args[0].value if isinstance(iterable, cst.Call) and iterable.args else None
    return inner is not None and not may_be_iterator(finding.subject, inner) and _loop_runs_known_code(finding)


def _starts_text(finding: Finding) -> bool:
    """The object is text, and what it is asked for are single texts."""
    subject = finding.subject
    calls = [one for one in subject.walk(_expression(finding)) if isinstance(one, cst.Call)]
    methods = [found for call in calls if (found := tree.method_call(call))]
    return all(
        kind_of(subject, one.receiver) == "str" and all(kind_of(subject, arg) == "str" for arg in one.args)
        for one in methods
        if one.method in ("startswith", "endswith")
    )


def _returns_a_local(finding: Finding) -> bool:
    """The variable that goes away is this function's alone, and nothing looks at it when the function is left."""
    subject = finding.subject
    names = {name.value for name in subject.variables(finding.node)}
    guarded = (cst.Try, cst.TryStar, cst.With)
    is_guarded = any(isinstance(parent, guarded) for parent in subject.above(finding.node))
    return not is_guarded and not names & (subject.declared_outside | subject.captured)


def _suppresses_builtins(finding: Finding) -> bool:
    handler = next((one for one in finding.subject.walk(finding.node) if isinstance(one, cst.ExceptHandler)), None)
    kinds = (
        [one for one in finding.subject.walk(handler.type) if isinstance(one, cst.Name)]
        if handler and handler.type
        else []
    )
    return bool(kinds) and all(finding.subject.is_builtin(one) for one in kinds)


def _is_list(finding: Finding) -> bool:
    """The list is known to be one, and what it gets is pure: it comes in the same order even when a part fails."""
    subject = finding.subject
    statement = _statement(finding)
    calls = [one for one in subject.walk(statement) if isinstance(one, cst.Call)]
    owners = [one.func.value for one in calls if isinstance(one.func, cst.Attribute)]
    return (
        bool(owners)
        and all(kind_of(subject, one) == "list" for one in owners)
        and not runs_unknown_code(subject, statement)
    )


def _up_to(finding: Finding, kind: type[cst.CSTNode]) -> cst.CSTNode | None:
    nodes = (finding.node, *finding.subject.above(finding.node))
    return next((one for one in nodes if isinstance(one, kind)), None)


def _loop(finding: Finding) -> cst.CSTNode | None:
    return _up_to(finding, cst.For)


def _statement(finding: Finding) -> cst.CSTNode:
    nodes = (finding.node, *finding.subject.above(finding.node))
    return next((one for one in nodes if isinstance(one, cst.BaseStatement | cst.BaseSmallStatement)), finding.node)


def _expression(finding: Finding) -> cst.CSTNode:
    """Return the node with the call around it, if it is an argument or what is called: `any([…])` for `[…]`."""
    above = finding.subject.parent(finding.node)
    call = finding.subject.parent(above) if isinstance(above, cst.Arg) else above
    return call if isinstance(call, cst.Call) else finding.node


_BEFORE_SAFE: dict[str, Proof] = {
    "PERF101": _walks_over_known,
    "FURB122": _loop_runs_known_code,
    "FURB129": _loop_runs_known_code,
    "FURB140": _runs_known_code,
    "FURB142": _loop_runs_known_code,
}
"""Fixes that ruff calls safe, though unknown code would notice."""
_BEFORE_UNSAFE: dict[str, Proof] = {
    **dict.fromkeys(("C400", "C401", "C402", "C403", "C404", "C417"), _runs_known_code),
    **dict.fromkeys(("C405", "C406", "C408", "C409", "C410", "C411", "C418", "C420"), _always),
    "C416": _copies_elements,
    "C419": _may_stop_early,
    "FURB110": _is_pure,
    "FURB113": _is_list,
    "FURB118": _is_sort_key,
    "PERF102": _asks_a_dict,
    "PERF401": _collects_in_a_list_of_its_own,
    "PERF403": _collects_in_a_list_of_its_own,
    "PIE810": _starts_text,
    **dict.fromkeys(("RET501", "RET502", "RET503", "RET505", "RET506", "RET507", "RET508"), _always),
    "RET504": _returns_a_local,
    **dict.fromkeys(("SIM101", "SIM220", "SIM221"), _is_pure),
    **dict.fromkeys(("SIM102", "SIM108", "SIM114", "SIM117", "SIM208", "SIM212"), _always),
    **dict.fromkeys(("SIM103", "SIM210", "SIM211"), _gives_a_truth_value),
    **dict.fromkeys(("SIM109", "SIM201", "SIM202", "SIM300"), _compares_known),
    "SIM105": _suppresses_builtins,
    "SIM110": _answers_by_any_or_all,
    **dict.fromkeys(("SIM118", "SIM401"), _asks_a_dict),
}
