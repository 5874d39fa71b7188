"""Whether an expression can be computed elsewhere, or once instead of many times, without anybody noticing."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.kinds import IMMUTABLE, kind_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PURE_BUILTINS = _words(
    """abs all any ascii bin bool bytes chr complex dict divmod enumerate float format frozenset hash hex int isinstance
    issubclass len list max min oct ord pow range repr reversed round set slice sorted str sum tuple type zip"""
)
PURE_METHODS = _words(
    """capitalize casefold center count decode encode endswith expandtabs find format get index isalnum isalpha isascii
    isdecimal isdigit isdisjoint isidentifier islower isnumeric isprintable isspace issubset issuperset istitle
    isupper items join keys ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust
    rpartition rsplit rstrip split splitlines startswith strip swapcase title translate upper values zfill
    union intersection difference symmetric_difference copy total_seconds isoformat bit_length most_common
    search match fullmatch findall finditer group groups"""
)
READS_ITS_ARGUMENT = PURE_METHODS | {"extend", "update", "writelines", "sub", "subn"}
"""Methods which only look at their arguments, though they may change the object they are called on."""
PURE_MODULES = ("math.", "cmath.", "operator.", "statistics.", "re.", "unicodedata.", "html.", "textwrap.", "string.")
PURE_TYPES = frozenset(
    {
        "collections.Counter",
        "collections.deque",
        "itertools.accumulate",
        "itertools.chain",
        "itertools.combinations",
        "itertools.islice",
        "itertools.pairwise",
        "itertools.permutations",
        "itertools.product",
        "itertools.zip_longest",
        "heapq.nlargest",
        "heapq.nsmallest",
        "bisect.bisect",
        "bisect.bisect_left",
        "bisect.bisect_right",
        "fractions.Fraction",
        "decimal.Decimal",
    }
)
_SUSPENDING = (cst.Await, cst.Yield, cst.From)


def is_pure(subject: FunctionTree, node: cst.CSTNode) -> bool:
    """Return whether computing the expression changes nothing, as far as its text tells. It may still raise."""
    for part in subject.walk(node):
        if isinstance(part, (*_SUSPENDING, cst.NamedExpr)):
            return False
        if isinstance(part, cst.CompFor) and part.asynchronous is not None:
            return False
        if isinstance(part, cst.Call) and not is_pure_function(subject, part.func):
            return False
        if isinstance(part, cst.Arg) and _is_unknown_callback(subject, part):
            return False
    return True


def is_pure_function(subject: FunctionTree, func: cst.CSTNode) -> bool:
    """Return whether calling this changes nothing: a builtin, a method that only reads, a function of a pure module."""
    if isinstance(func, cst.Name) and subject.is_builtin(func):
        return func.value in PURE_BUILTINS or func.value.endswith(("Error", "Exception"))
    origin = subject.origin(func)
    if origin:
        return origin.startswith(PURE_MODULES) or origin in PURE_TYPES
    return isinstance(func, cst.Attribute) and func.attr.value in PURE_METHODS


def suspends(subject: FunctionTree, region: cst.CSTNode) -> bool:
    """Return whether other code may run in the middle: the region awaits or yields."""
    return any(
        isinstance(node, _SUSPENDING)
        or (isinstance(node, cst.For | cst.CompFor | cst.With) and node.asynchronous is not None)
        for node in subject.walk(region)
    )


def is_stable(subject: FunctionTree, name: str, region: cst.CSTNode) -> bool:
    """Return whether the variable means the same value all through the region: neither bound nor changed there."""
    if name in subject.bound(region) or name in subject.declared_outside:
        return False
    if name not in subject.local_names and name not in subject.facts.values:
        return True  # a builtin, an import or a definition
    places = list(subject.variables(region, name))
    if not places or kind_of(subject, places[0]) in IMMUTABLE:
        return True
    return all(is_only_read(subject, place) for place in places)


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
        case _:
            return False


def is_assigned(subject: FunctionTree, node: cst.CSTNode) -> bool:
    """Return whether the expression is the target of an assignment, a loop or a deletion."""
    inner = node
    for parent in subject.above(node):
        match parent:
            case cst.AssignTarget() | cst.Del():
                return True
            case cst.AugAssign(target=target) | cst.AnnAssign(target=target) | cst.For(target=target):
                return target is inner
            case cst.CompFor(target=target) | cst.NamedExpr(target=target):
                return target is inner
            case cst.Tuple() | cst.List() | cst.Element() | cst.StarredElement():
                inner = parent
            case _:
                return False
    return False


def _is_read_through(subject: FunctionTree, access: cst.CSTNode) -> bool:
    """Return whether access to `x.a` or `x[i]`, and what is done with it at once, leaves x as it was."""
    parent = subject.parent(access)
    match parent:
        case cst.Subscript(value=value) | cst.Attribute(value=value) if value is access:
            return _is_read_through(subject, parent)
        case cst.Call(func=func) if func is access:
            return is_pure_function(subject, access)
        case _:
            return not is_assigned(subject, access)


def _takes_without_keeping(subject: FunctionTree, arg: cst.Arg) -> bool:
    call = subject.parent(arg)
    if not isinstance(call, cst.Call):
        return False
    if subject.is_builtin(call.func, "print", "iter", "map", "filter"):
        return True
    if isinstance(call.func, cst.Attribute) and not subject.origin(call.func):
        return call.func.attr.value in READS_ITS_ARGUMENT
    return is_pure_function(subject, call.func)


def _is_unknown_callback(subject: FunctionTree, arg: cst.Arg) -> bool:
    """Return whether a `key=` (or the like) is a function that nobody knows."""
    if arg.keyword is None or arg.keyword.value not in ("key", "default_factory"):
        return False
    match arg.value:
        case cst.Lambda() | cst.Name(value="None"):
            return False
        case cst.Call(func=func):
            return not subject.origin(func).startswith("operator.")
        case cst.Attribute(value=value, attr=attr):
            plain = subject.is_builtin(value, "str", "dict", "list", "tuple", "int")
            return not (plain or attr.value in PURE_METHODS or is_pure_function(subject, arg.value))
        case _:
            return not is_pure_function(subject, arg.value)
