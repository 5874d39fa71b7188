"""Whether a variable means the same value all through a part of a function."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from codeens_server.generation.rewrites.function_tree import BUILTINS, FunctionTree, Kind
from codeens_server.generation.rewrites.kinds import IMMUTABLE, TEXT_METHODS, kind_of
from codeens_server.generation.rewrites.purity import (
    READS_ITS_ARGUMENT,
    is_assigned,
    is_known_call,
    is_pure_function,
)

CONTAINERS: frozenset[Kind] = frozenset({"list", "set", "dict", "deque"})
_FRESH = (
    *(cst.List, cst.ListComp, cst.Dict, cst.DictComp, cst.Set, cst.SetComp, cst.Tuple),
    *(cst.BaseNumber, cst.BaseString, cst.Comparison, cst.BinaryOperation, cst.UnaryOperation),
)


def is_stable(subject: FunctionTree, name: str, region: cst.CSTNode) -> bool:
    """Return whether the variable means the same value all through the region: neither bound nor changed there.

    A parameter, a global or what it holds may be changed by any code that the region calls and nobody knows.
    """
    if name in subject.bound(region) or name in subject.declared_outside:
        return False
    places = list(subject.variables(region, name))
    if name not in subject.local_names:
        if name in subject.facts.imports or (name in BUILTINS and not subject.facts.binds(name)):
            return True
        if name not in subject.facts.values and runs_unknown_code(subject, region):
            return False  # a definition, or a global that is given several values
    if kind_of(subject, cst.Name(name)) in IMMUTABLE:
        return True
    if not all(is_only_read(subject, place) for place in places):
        return False
    return is_private(subject, name) or not runs_unknown_code(subject, region)


def is_private(subject: FunctionTree, name: str) -> bool:
    """Return whether the function made the object that the variable holds and shows it to nobody before it returns."""
    if not subject.is_local(name) or not is_fresh(subject, name):
        return False
    places = subject.variables(subject.function, name)
    return all(subject.is_bound_here(place) or is_kept(subject, place) for place in places)


def is_kept(subject: FunctionTree, place: cst.Name) -> bool:
    """Return whether the object is only read here, or changed by a method of its own."""
    if is_only_read(subject, place):
        return True
    parent = subject.parent(place)
    if isinstance(parent, cst.Subscript):
        return parent.value is place
    call = subject.parent(parent) if isinstance(parent, cst.Attribute) else None
    return isinstance(call, cst.Call) and call.func is parent and kind_of(subject, place) in CONTAINERS


def is_fresh(subject: FunctionTree, name: str) -> bool:
    """Return whether all that the variable is given is made right there, so that no other variable holds it."""
    if name in subject.parameters or name not in subject.local_names:
        return False
    values = [_given(subject, place) for place in subject.variables(subject.function, name) if _gives(subject, place)]
    return bool(values) and all(value is not None and _is_made(subject, value) for value in values)


def runs_unknown_code(subject: FunctionTree, region: cst.CSTNode) -> bool:
    """Return whether the region calls what nobody knows, or changes an object that others may hold."""
    return any(True for _ in _unknown(subject, region))


def calls_next(subject: FunctionTree, region: cst.CSTNode) -> bool:
    """Return whether StopIteration may come out of the region by a call of `next`."""
    calls = (node for node in subject.walk(region) if isinstance(node, cst.Call))
    return any(subject.is_builtin(call.func, "next") and len(call.args) == 1 for call in calls)


def is_only_read(subject: FunctionTree, place: cst.CSTNode) -> bool:
    """Return whether the object that the expression stands for is looked at here, and neither changed nor handed on."""
    parent = subject.parent(place)
    match parent:
        case cst.Subscript(value=value) | cst.Attribute(value=value) if value is place:
            return _is_read_through(subject, parent)
        case cst.Comparison() | cst.ComparisonTarget() | cst.BinaryOperation() | cst.UnaryOperation():
            return True
        case (
            cst.If() | cst.While() | cst.CompIf() | cst.Assert() | cst.Return() | cst.Expr() | cst.Index() | cst.Slice()
        ):
            return True
        case cst.For(iter=iterable) | cst.CompFor(iter=iterable):
            return iterable is place
        case cst.Call(func=func):
            return func is place
        case cst.FormattedStringExpression() | cst.StarredElement() | cst.StarredDictElement():
            return True
        case cst.DictElement(key=key):
            return key is place
        case cst.BooleanOperation():
            return is_only_read(subject, parent)
        case cst.IfExp(test=test):
            return test is place or is_only_read(subject, parent)
        case cst.Arg():
            return _takes_without_keeping(subject, parent)
        case cst.Element():
            return _is_returned(subject, parent)
        case _:
            return False


def _is_returned(subject: FunctionTree, element: cst.CSTNode) -> bool:
    """Return whether this is a part of what the function returns: by then it does nothing more."""
    for parent in subject.above(element):
        if not isinstance(parent, cst.Tuple | cst.List | cst.Element):
            return isinstance(parent, cst.Return)
    return False


def _unknown(subject: FunctionTree, region: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for node in subject.walk(region):
        match node:
            case cst.With() | cst.Await() | cst.Yield():
                yield node
            case cst.Call() if not _is_harmless(subject, node):
                yield node
            case cst.Subscript(value=value) | cst.Attribute(value=value):
                if is_assigned(subject, node) and not _is_own(subject, value):
                    yield node
            case cst.AugAssign(target=cst.Name() as target):
                if kind_of(subject, target) not in IMMUTABLE and not is_fresh(subject, target.value):
                    yield node
            case _:
                continue


def _is_harmless(subject: FunctionTree, call: cst.Call) -> bool:
    if is_known_call(subject, call) or subject.is_builtin(call.func, "print", "next", "iter"):
        return True
    if isinstance(subject.parent(call), cst.Raise):
        return not any(isinstance(parent, cst.Try | cst.TryStar) for parent in subject.above(call))
    if not isinstance(call.func, cst.Attribute) or subject.origin(call.func):
        return False
    owner, method = call.func.value, call.func.attr.value
    if method in TEXT_METHODS and kind_of(subject, owner) is None:
        return True
    has_callback = any(arg.keyword is not None for arg in call.args)
    return kind_of(subject, owner) in CONTAINERS and _is_own(subject, owner) and not has_callback


def _is_own(subject: FunctionTree, owner: cst.BaseExpression) -> bool:
    """Return whether an object that is changed is one that the function made, and no other variable's."""
    return isinstance(owner, cst.Name) and is_fresh(subject, owner.value)


def _gives(subject: FunctionTree, place: cst.Name) -> bool:
    return subject.is_bound_here(place) and not isinstance(subject.parent(place), cst.AugAssign | cst.Del)


def _given(subject: FunctionTree, place: cst.Name) -> cst.BaseExpression | None:
    match subject.parent(place):
        case cst.AssignTarget() as target:
            assign = subject.parent(target)
            return assign.value if isinstance(assign, cst.Assign) and len(assign.targets) == 1 else None
        case cst.AnnAssign(value=value):
            return value
        case _:
            return None


def _is_made(subject: FunctionTree, value: cst.BaseExpression) -> bool:
    if isinstance(value, _FRESH):
        return True
    match value:
        case cst.Call(func=func):
            made = ("list", "dict", "set", "sorted", "tuple", "frozenset", "int", "len", "str", "range", "float")
            origin = subject.origin(func)
            known = ("collections.deque", "collections.Counter", "collections.defaultdict")
            is_split = kind_of(subject, value) == "list" and isinstance(func, cst.Attribute)
            return subject.is_builtin(func, *made) or origin in known or is_split
        case cst.Name(value="None" | "True" | "False"):
            return True
        case _:
            return False


def _is_read_through(subject: FunctionTree, access: cst.CSTNode) -> bool:
    """Return whether access to `x.a` or `x[i]`, and what is done with it at once, leaves x as it was."""
    parent = subject.parent(access)
    match parent:
        case cst.Subscript(value=value) | cst.Attribute(value=value) if value is access:
            return _is_read_through(subject, parent)
        case cst.Call(func=func) if func is access:
            is_text = isinstance(access, cst.Attribute) and access.attr.value in TEXT_METHODS
            return is_text or is_pure_function(subject, access)
        case _:
            return not is_assigned(subject, access)


def _takes_without_keeping(subject: FunctionTree, arg: cst.Arg) -> bool:
    call = subject.parent(arg)
    if not isinstance(call, cst.Call):
        return False
    if subject.is_builtin(call.func, "print", "iter", "map", "filter"):
        return True
    if isinstance(call.func, cst.Attribute) and call.func.attr.value in READS_ITS_ARGUMENT:
        return kind_of(subject, call.func.value) in CONTAINERS
    return is_pure_function(subject, call.func)
