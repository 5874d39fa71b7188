"""What an expression or a call may do beside giving a value.

Operators, subscripts and attributes are taken for harmless; a call is harmless only where it is known what is called. A
method is known by the kind of the object it belongs to, never by its name: `session.get(url)` may do anything.
"""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites.function_tree import FunctionTree, Kind
from codeens_server.generation.rewrites.kinds import TEXT_METHODS, kind_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PURE_BUILTINS = _words(
    """abs all any ascii bin bool bytes chr complex dict divmod enumerate float format frozenset hash hex int isinstance
    issubclass len list max min oct ord pow range repr reversed round set slice sorted str sum tuple type zip"""
)
CONSUMERS = _words("all any bytes dict enumerate frozenset list max min set sorted sum tuple zip")
"""Builtins that walk over their argument, which takes an iterator's elements away."""
_OF_SETS = _words("union intersection difference symmetric_difference isdisjoint issubset issuperset copy __contains__")
_OF_TEXT = TEXT_METHODS | _words("count encode decode find format index join replace rfind rindex split translate hex")
PURE_METHODS: dict[Kind, frozenset[str]] = {
    "str": _OF_TEXT,
    "bytes": _OF_TEXT,
    "list": _words("count index copy"),
    "tuple": _words("count index"),
    "deque": _words("count index copy"),
    "dict": _words("get items keys values copy most_common elements __getitem__ __contains__"),
    "set": _OF_SETS,
    "frozenset": _OF_SETS,
    "int": _words("bit_length bit_count to_bytes conjugate"),
    "float": _words("is_integer hex conjugate"),
    "pattern": _words("search match fullmatch findall finditer split"),
}
READS_ITS_ARGUMENT = _words("extend update intersection_update difference_update symmetric_difference_update")
"""Methods of builtin containers that change the object but only look at their arguments."""
PURE_MODULES = ("math.", "cmath.", "statistics.", "unicodedata.", "html.", "textwrap.")
PURE_FUNCTIONS = _words(
    """re.compile re.search re.match re.fullmatch re.findall re.finditer re.split re.escape
    operator.itemgetter operator.attrgetter operator.add operator.sub operator.mul operator.eq operator.lt operator.gt
    collections.Counter collections.deque collections.defaultdict collections.OrderedDict
    itertools.accumulate itertools.chain itertools.combinations itertools.islice itertools.pairwise
    itertools.permutations itertools.product itertools.zip_longest heapq.nlargest heapq.nsmallest bisect.bisect
    bisect.bisect_left bisect.bisect_right fractions.Fraction decimal.Decimal copy.copy"""
)
_SUSPENDING = (cst.Await, cst.Yield, cst.From)
_CALLBACKS = frozenset({"key", "default_factory", "func"})


def is_pure(subject: FunctionTree, node: cst.CSTNode) -> bool:
    """Return whether computing the expression once more, once less or elsewhere is noticed by nobody. It may raise."""
    for part in subject.walk(node):
        if isinstance(part, (*_SUSPENDING, cst.NamedExpr)):
            return False
        if isinstance(part, cst.CompFor) and (part.asynchronous or may_be_iterator(subject, part.iter)):
            return False
        if isinstance(part, cst.Call) and not is_pure_call(subject, part):
            return False
    return True


def is_pure_call(subject: FunctionTree, call: cst.Call) -> bool:
    """Return whether the call itself changes nothing; its arguments are not looked into."""
    if not is_known_call(subject, call):
        return False
    walks = subject.is_builtin(call.func, *CONSUMERS) or _is_join(call) or subject.origin(call.func) in PURE_FUNCTIONS
    # Of several arguments, min and max only compare them.
    if subject.is_builtin(call.func, "min", "max") and len([arg for arg in call.args if not arg.keyword]) > 1:
        return True
    return not (walks and any(may_be_iterator(subject, arg.value) for arg in call.args if not arg.keyword))


def is_known_call(subject: FunctionTree, call: cst.Call) -> bool:
    """Return whether the call runs no code that nobody knows, and changes nothing but iterators that it walks over."""
    return is_pure_function(subject, call.func) and not any(_is_unknown_callback(subject, arg) for arg in call.args)


def is_pure_function(subject: FunctionTree, func: cst.CSTNode) -> bool:
    """Return whether calling this changes nothing: a builtin, a reading method of a known object, a pure module's."""
    if isinstance(func, cst.Name) and subject.is_builtin(func):
        return func.value in PURE_BUILTINS or func.value.endswith(("Error", "Exception"))
    origin = subject.origin(func)
    if origin:
        return origin.startswith(PURE_MODULES) or origin in PURE_FUNCTIONS
    if not isinstance(func, cst.Attribute):
        return False
    kind = kind_of(subject, func.value)
    if kind is None:
        return func.attr.value in ("count", "index") and is_walked(subject, func.value)
    return func.attr.value in PURE_METHODS.get(kind, ())


def is_walked(subject: FunctionTree, node: cst.CSTNode) -> bool:
    """Return whether the value is a parameter that a loop goes over: one that has `count` and `index` is a sequence."""
    if not isinstance(node, cst.Name) or node.value not in subject.parameters:
        return False
    loops = [one.iter for one in subject.own(cst.CSTNode) if isinstance(one, cst.For | cst.CompFor)]
    return any(_walks_over(subject, iterable, node.value) for iterable in loops)


def _walks_over(subject: FunctionTree, iterable: cst.BaseExpression, name: str) -> bool:
    match iterable:
        case cst.Name(value=value):
            return value == name
        case cst.Call(func=func, args=[cst.Arg(value=inner), *_]):
            wrappers = ("set", "sorted", "list", "enumerate", "reversed", "frozenset", "tuple", "range", "len")
            return subject.is_builtin(func, *wrappers) and _walks_over(subject, inner, name)
        case _:
            return False


def may_be_iterator(subject: FunctionTree, node: cst.CSTNode) -> bool:
    """Return whether walking over the value may take its elements away from somebody else."""
    match node:
        case cst.GeneratorExp() | cst.BaseComp() | cst.List() | cst.Tuple() | cst.Set() | cst.Dict():
            return False
        case cst.BaseString() | cst.BaseNumber() | cst.BinaryOperation() | cst.Comparison() | cst.BooleanOperation():
            return False
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="items" | "keys" | "values"))):
            return kind_of(subject, owner) is None
        case cst.Call(func=func, args=[*_]) if subject.is_builtin(func, "enumerate", "zip", "reversed", "iter"):
            return any(may_be_iterator(subject, arg.value) for arg in node.args)
        case cst.Call(func=func) if subject.is_builtin(func, "range"):
            return False
        case _:
            return kind_of(subject, node) is None


def suspends(subject: FunctionTree, region: cst.CSTNode) -> bool:
    """Return whether other code may run in the middle: the region awaits or yields."""
    return any(
        isinstance(node, _SUSPENDING)
        or (isinstance(node, cst.For | cst.CompFor | cst.With) and node.asynchronous is not None)
        for node in subject.walk(region)
    )


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


def _is_join(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Attribute) and call.func.attr.value == "join"


def _is_unknown_callback(subject: FunctionTree, arg: cst.Arg) -> bool:
    """Return whether a `key=` (or the like) is a function that nobody knows."""
    if arg.keyword is None or arg.keyword.value not in _CALLBACKS:
        return False
    match arg.value:
        case cst.Lambda(body=body):
            return not all(is_pure_call(subject, node) for node in subject.walk(body) if isinstance(node, cst.Call))
        case cst.Name(value="None"):
            return False
        case cst.Call(func=func):
            return subject.origin(func) not in ("operator.itemgetter", "operator.attrgetter")
        case cst.Attribute(value=value, attr=attr):
            if isinstance(value, cst.Name) and subject.is_builtin(value, "str"):
                return attr.value not in _OF_TEXT
            return not is_pure_function(subject, arg.value)
        case _:
            return not is_pure_function(subject, arg.value)
