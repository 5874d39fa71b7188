"""What kind of builtin value an expression has, where the text of the function tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import libcst as cst

from codeens_server.generation.rewrites.subject import Subject

Kind: TypeAlias = Literal["str", "bytes", "int", "float", "bool", "list", "tuple", "set", "frozenset", "dict", "deque"]

IMMUTABLE: frozenset[Kind] = frozenset({"str", "bytes", "int", "float", "bool"})
UNHASHABLE: frozenset[Kind] = frozenset({"list", "set", "dict", "deque"})

_BY_ANNOTATION: dict[str, Kind] = {
    "str": "str",
    "bytes": "bytes",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "list": "list",
    "List": "list",
    "tuple": "tuple",
    "Tuple": "tuple",
    "set": "set",
    "Set": "set",
    "frozenset": "frozenset",
    "FrozenSet": "frozenset",
    "dict": "dict",
    "Dict": "dict",
    "DefaultDict": "dict",
    "defaultdict": "dict",
    "Counter": "dict",
    "deque": "deque",
    "Deque": "deque",
}
_BY_CALL: dict[str, Kind] = {
    "str": "str",
    "repr": "str",
    "chr": "str",
    "ascii": "str",
    "hex": "str",
    "bin": "str",
    "format": "str",
    "bytes": "bytes",
    "int": "int",
    "len": "int",
    "ord": "int",
    "hash": "int",
    "id": "int",
    "float": "float",
    "bool": "bool",
    "isinstance": "bool",
    "any": "bool",
    "all": "bool",
    "callable": "bool",
    "list": "list",
    "sorted": "list",
    "tuple": "tuple",
    "set": "set",
    "frozenset": "frozenset",
    "dict": "dict",
}
_BY_ORIGIN: dict[str, Kind] = {
    "collections.deque": "deque",
    "collections.defaultdict": "dict",
    "collections.Counter": "dict",
    "collections.OrderedDict": "dict",
    "math.floor": "int",
    "math.ceil": "int",
    "math.gcd": "int",
    "math.isqrt": "int",
}
_BY_METHOD: dict[str, Kind] = {
    "lower": "str",
    "upper": "str",
    "title": "str",
    "capitalize": "str",
    "casefold": "str",
    "swapcase": "str",
    "ljust": "str",
    "rjust": "str",
    "center": "str",
    "zfill": "str",
    "splitlines": "list",
    "startswith": "bool",
    "endswith": "bool",
    "isdigit": "bool",
    "isalpha": "bool",
    "isspace": "bool",
    "isalnum": "bool",
}
_STR_METHODS: dict[str, Kind] = {
    "strip": "str",
    "lstrip": "str",
    "rstrip": "str",
    "replace": "str",
    "join": "str",
    "format": "str",
    "removeprefix": "str",
    "removesuffix": "str",
    "expandtabs": "str",
    "translate": "str",
    "split": "list",
    "rsplit": "list",
    "find": "int",
    "count": "int",
    "index": "int",
}
_BY_NODE: dict[type[cst.CSTNode], Kind] = {
    cst.FormattedString: "str",
    cst.Integer: "int",
    cst.Float: "float",
    cst.Comparison: "bool",
    cst.List: "list",
    cst.ListComp: "list",
    cst.Tuple: "tuple",
    cst.Set: "set",
    cst.SetComp: "set",
    cst.Dict: "dict",
    cst.DictComp: "dict",
}


def kind_of(subject: Subject, node: cst.CSTNode) -> Kind | None:
    """The kind of an expression's value; None when the text does not tell."""
    return _kind(subject, node, frozenset())


def element_kind(subject: Subject, node: cst.CSTNode) -> Kind | None:
    """The kind of what iterating over the expression gives."""
    return _element(subject, node, frozenset())


def may_be_none(subject: Subject, name: str) -> bool:
    """Whether a parameter's default or annotation allows None and the function never gives it another value."""
    param = subject.parameters.get(name)
    if param is None or name in subject.bound(subject.function.body):
        return False
    if isinstance(param.default, cst.Name) and param.default.value == "None":
        return True
    return param.annotation is not None and any(
        isinstance(node, cst.Name) and node.value in ("None", "Optional", "Any")
        for node in subject.walk(param.annotation)
    )


def annotation_of(subject: Subject, name: str) -> cst.BaseExpression | None:
    """A variable's annotation; text in quotes is read."""
    param = subject.parameters.get(name)
    found = param.annotation if param else None
    for node in subject.own(cst.AnnAssign):
        if isinstance(node.target, cst.Name) and node.target.value == name:
            found = node.annotation
    if found is None:
        return None
    return _unquoted(found.annotation)


def _unquoted(annotation: cst.BaseExpression) -> cst.BaseExpression | None:
    if not isinstance(annotation, cst.SimpleString):
        return annotation
    text = annotation.evaluated_value
    try:
        return cst.parse_expression(text) if isinstance(text, str) else None
    except cst.ParserSyntaxError:
        return None


def annotated_kind(annotation: cst.CSTNode | None) -> Kind | None:
    """The builtin that an annotation names."""
    match annotation:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return _BY_ANNOTATION.get(name)
        case cst.Subscript(value=value):
            return annotated_kind(value)
        case _:
            return None


def annotated_element(annotation: cst.CSTNode | None) -> Kind | None:
    """The kind of element that an annotation of a collection names: the key, for a mapping."""
    match annotation:
        case cst.Name(value="str"):
            return "str"
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=inner)), *_]):
            return annotated_kind(inner)
        case _:
            return None


def _kind(subject: Subject, node: cst.CSTNode, seen: frozenset[str]) -> Kind | None:
    match node:
        case cst.Name(value="True" | "False") | cst.UnaryOperation(operator=cst.Not()):
            return "bool"
        case cst.Name(value=name):
            return None if name in seen else _name_kind(subject, name, seen | {name})
        case cst.SimpleString():
            return "bytes" if "b" in node.prefix.lower() else "str"
        case cst.ConcatenatedString(left=inner):
            return _kind(subject, inner, seen)
        case cst.UnaryOperation(expression=inner):
            found = _kind(subject, inner, seen)
            return found if found in ("int", "float") else None
        case cst.BinaryOperation():
            return _operation_kind(subject, node, seen)
        case cst.IfExp(body=body, orelse=orelse):
            one = _kind(subject, body, seen)
            return one if one == _kind(subject, orelse, seen) else None
        case cst.Subscript(value=value, slice=[cst.SubscriptElement(slice=position)]):
            return _part_kind(subject, value, position, seen)
        case cst.Call():
            return _call_kind(subject, node, seen)
        case _:
            return _BY_NODE.get(type(node))


def _part_kind(
    subject: Subject, value: cst.BaseExpression, position: cst.BaseSlice, seen: frozenset[str]
) -> Kind | None:
    found = _kind(subject, value, seen)
    if found == "str" or isinstance(position, cst.Slice):
        return found
    return _element(subject, value, seen) if found == "list" else None


def _operation_kind(subject: Subject, node: cst.BinaryOperation, seen: frozenset[str]) -> Kind | None:
    left, right = _kind(subject, node.left, seen), _kind(subject, node.right, seen)
    match node.operator:
        case cst.Add():
            return left if left == right else None
        case cst.Modulo() if left == "str":
            return "str"
        case cst.Multiply() if {left, right} == {"str", "int"}:
            return "str"
        case cst.Multiply() if {left, right} == {"list", "int"}:
            return "list"
        case cst.Subtract() | cst.Multiply() | cst.FloorDivide() | cst.Modulo():
            return "int" if left == right == "int" else None
        case _:
            return None


def _call_kind(subject: Subject, node: cst.Call, seen: frozenset[str]) -> Kind | None:
    match node.func:
        case cst.Name(value=name) if subject.is_builtin(node.func):
            return _BY_CALL.get(name)
        case cst.Attribute(value=value, attr=cst.Name(value=name)):
            if name in _BY_METHOD:
                return _BY_METHOD[name]
            if name in _STR_METHODS and _kind(subject, value, seen) == "str":
                return _STR_METHODS[name]
        case _:
            pass
    return _BY_ORIGIN.get(subject.origin(node.func))


def _name_kind(subject: Subject, name: str, seen: frozenset[str]) -> Kind | None:
    if name not in subject.local_names:
        text = subject.facts.values.get(name)
        return _kind(subject, cst.parse_expression(text), seen) if text else None
    if annotation := annotation_of(subject, name):
        return annotated_kind(annotation)
    if name in subject.parameters or name in subject.declared_outside:
        return None
    kinds = set(_bindings(subject, name, seen))
    return kinds.pop() if len(kinds) == 1 else None


def _bindings(subject: Subject, name: str, seen: frozenset[str]) -> Iterator[Kind | None]:
    """The kind of each value that the variable is given; None for each that is not known."""
    for occurrence in subject.variables(subject.function, name):
        if not subject.is_bound_here(occurrence):
            continue
        match subject.parent(occurrence):
            case cst.AssignTarget() as target:
                assign = subject.parent(target)
                yield _kind(subject, assign.value, seen) if isinstance(assign, cst.Assign) else None
            case cst.AugAssign(operator=cst.AddAssign(), value=value):
                added = _kind(subject, value, seen)
                yield from () if added in ("str", "list", None) else (added,)
            case cst.For(iter=iterable) | cst.CompFor(iter=iterable):
                yield _element(subject, iterable, seen)
            case cst.NamedExpr(value=value):
                yield _kind(subject, value, seen)
            case cst.Element() | cst.StarredElement():
                yield _unpacked(subject, occurrence, seen)
            case _:
                yield None


def _unpacked(subject: Subject, occurrence: cst.Name, seen: frozenset[str]) -> Kind | None:
    """The kind of the counter in `for i, x in enumerate(xs)`, and of x."""
    for parent in subject.above(occurrence):
        match parent:
            case (
                cst.For(target=cst.Tuple(elements=[first, second]), iter=cst.Call(func=func, args=[arg, *_]))
                | cst.CompFor(target=cst.Tuple(elements=[first, second]), iter=cst.Call(func=func, args=[arg, *_]))
            ) if subject.is_builtin(func, "enumerate"):
                if first.value is occurrence:
                    return "int"
                return _element(subject, arg.value, seen) if second.value is occurrence else None
            case cst.For() | cst.CompFor() | cst.Assign():
                return None
            case _:
                continue
    return None


def _element(subject: Subject, node: cst.CSTNode, seen: frozenset[str]) -> Kind | None:
    match node:
        case cst.Name(value=name) if name not in seen and (annotation := annotation_of(subject, name)):
            return annotated_element(annotation)
        case cst.List(elements=elements) | cst.Set(elements=elements) | cst.Tuple(elements=elements):
            kinds: set[Kind | None] = {_kind(subject, element.value, seen) for element in elements}
            return kinds.pop() if len(kinds) == 1 else None
        case cst.ListComp(elt=elt) | cst.SetComp(elt=elt) | cst.GeneratorExp(elt=elt):
            return _kind(subject, elt, seen)
        case cst.Call(func=func, args=[_, *_]) if subject.is_builtin(func, "range"):
            return "int"
        case cst.Call(func=func, args=[first, *_]) if subject.is_builtin(
            func, "sorted", "list", "set", "tuple", "frozenset", "reversed"
        ):
            return _element(subject, first.value, seen)
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="split" | "splitlines" | "rsplit"))):
            return "str"
        case cst.Name(value=name) if name not in seen:
            return _assigned_element(subject, name, seen | {name})
        case _:
            return "str" if _kind(subject, node, seen) == "str" else None


def _assigned_element(subject: Subject, name: str, seen: frozenset[str]) -> Kind | None:
    values = [assign.value for assign in subject.own(cst.Assign) if _binds_only(assign, name)]
    if name in subject.parameters or len(values) != 1:
        return None
    return _element(subject, values[0], seen)


def _binds_only(assign: cst.Assign, name: str) -> bool:
    return any(isinstance(target.target, cst.Name) and target.target.value == name for target in assign.targets)
