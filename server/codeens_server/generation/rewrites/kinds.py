"""What kind of builtin value an expression has, where the text of the function tells it."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites.function_tree import FunctionTree, Kind

IMMUTABLE: frozenset[Kind] = frozenset({"str", "bytes", "int", "float", "bool", "pattern"})
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
    "Pattern": "pattern",
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
    "re.compile": "pattern",
}
_TEXT = """capitalize casefold center endswith expandtabs isalnum isalpha isascii isdecimal isdigit isidentifier islower
    isnumeric isprintable isspace istitle isupper ljust lower lstrip partition removeprefix removesuffix rjust
    rpartition rsplit rstrip splitlines startswith strip swapcase title upper zfill"""
TEXT_METHODS = frozenset(_TEXT.split())
"""Methods whose names hardly anything but text has."""
_STR_METHODS: dict[str, Kind] = {
    **dict.fromkeys(("capitalize", "casefold", "center", "expandtabs", "format", "join", "ljust", "lower"), "str"),
    **dict.fromkeys(("lstrip", "removeprefix", "removesuffix", "replace", "rjust", "rstrip", "strip"), "str"),
    **dict.fromkeys(("swapcase", "title", "translate", "upper", "zfill"), "str"),
    **dict.fromkeys(("split", "rsplit", "splitlines"), "list"),
    **dict.fromkeys(("partition", "rpartition"), "tuple"),
    **dict.fromkeys(("find", "rfind", "count", "index", "rindex"), "int"),
    **dict.fromkeys(
        ("startswith", "endswith", "isalnum", "isalpha", "isdigit", "isspace", "islower", "isupper"), "bool"
    ),
    "encode": "bytes",
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


def may_be_none(subject: FunctionTree, name: str) -> bool:
    """Return whether a parameter's default or annotation allows None and the function never gives it another value."""
    param = subject.parameters.get(name)
    if param is None or name in subject.bound(subject.function.body):
        return False
    if isinstance(param.default, cst.Name) and param.default.value == "None":
        return True
    return param.annotation is not None and any(
        isinstance(node, cst.Name) and node.value in ("None", "Optional", "Any")
        for node in subject.walk(param.annotation)
    )


def annotation_of(subject: FunctionTree, name: str) -> cst.BaseExpression | None:
    """Return a variable's annotation; text in quotes is read."""
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
    return _parsed(text) if isinstance(text, str) else None


def annotated_kind(annotation: cst.CSTNode | None) -> Kind | None:
    """Return the builtin that an annotation names."""
    match annotation:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return _BY_ANNOTATION.get(name)
        case cst.Subscript(value=value):
            return annotated_kind(value)
        case _:
            return None


def annotated_element(annotation: cst.CSTNode | None) -> Kind | None:
    """Return the kind of element that an annotation of a collection names: the key, for a mapping."""
    match annotation:
        case cst.Name(value="str"):
            return "str"
        case cst.Subscript(value=base, slice=[cst.SubscriptElement(slice=cst.Index(value=inner)), *rest]):
            named = base.attr if isinstance(base, cst.Attribute) else base
            is_mixed = annotated_kind(base) == "tuple" and len(rest) == 1 and not _is_ellipsis(rest[0])
            is_union = isinstance(named, cst.Name) and named.value in ("Optional", "Union")
            return None if is_mixed or is_union or len(rest) > 1 else annotated_kind(inner)
        case _:
            return None


def _is_ellipsis(element: cst.SubscriptElement) -> bool:
    return isinstance(element.slice, cst.Index) and isinstance(element.slice.value, cst.Ellipsis)


def kind_of(subject: FunctionTree, node: cst.CSTNode) -> Kind | None:
    """Return the kind of an expression's value; None when the text does not tell."""
    match node:
        case cst.Name(value="True" | "False") | cst.UnaryOperation(operator=cst.Not()):
            return "bool"
        case cst.Name(value=name):
            return _name_kind(subject, name)
        case cst.SimpleString():
            return "bytes" if "b" in node.prefix.lower() else "str"
        case cst.ConcatenatedString(left=inner):
            return kind_of(subject, inner)
        case cst.UnaryOperation(expression=inner):
            found = kind_of(subject, inner)
            return found if found in ("int", "float") else None
        case cst.BinaryOperation():
            return _operation_kind(subject, node)
        case cst.IfExp(body=body, orelse=orelse):
            one = kind_of(subject, body)
            return one if one == kind_of(subject, orelse) else None
        case cst.Subscript(value=value, slice=[cst.SubscriptElement(slice=position)]):
            return _part_kind(subject, value, position)
        case cst.Call():
            return _call_kind(subject, node)
        case cst.Attribute(value=cst.Name(value="self"), attr=cst.Name(value=name)):
            return _attribute_kind(subject, name)
        case _:
            return _BY_NODE.get(type(node))


def _part_kind(subject: FunctionTree, value: cst.BaseExpression, position: cst.BaseSlice) -> Kind | None:
    found = kind_of(subject, value)
    if found == "str" or isinstance(position, cst.Slice):
        return found
    return element_kind(subject, value) if found == "list" else None


def _operation_kind(subject: FunctionTree, node: cst.BinaryOperation) -> Kind | None:
    left, right = kind_of(subject, node.left), kind_of(subject, node.right)
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


def _call_kind(subject: FunctionTree, node: cst.Call) -> Kind | None:
    match node.func:
        case cst.Name(value=name) if subject.is_builtin(node.func):
            return _BY_CALL.get(name)
        case cst.Attribute(value=value, attr=cst.Name(value=name)):
            if name in _STR_METHODS and kind_of(subject, value) == "str":
                return _STR_METHODS[name]
        case _:
            pass
    return _BY_ORIGIN.get(subject.origin(node.func))


def _attribute_kind(subject: FunctionTree, name: str) -> Kind | None:
    """Return the kind of `self.name`, where all that the class ever assigns to it is of one kind."""
    given = subject.facts.attributes.get(name, ())
    kinds: set[Kind | None] = {_outside_kind(subject, text) for text in given}
    return kinds.pop() if len(kinds) == 1 and "self" in subject.parameters else None


def _outside_kind(subject: FunctionTree, text: str) -> Kind | None:
    """Return the kind of a value outside the function, whose names mean something else here."""
    if text.startswith(":"):
        return annotated_kind(_parsed(text[1:]))
    node = _parsed(text)
    return None if node is None or isinstance(node, cst.Name | cst.IfExp | cst.Subscript) else kind_of(subject, node)


def _parsed(text: str) -> cst.BaseExpression | None:
    try:
        return cst.parse_expression(text)
    except cst.ParserSyntaxError:
        return None


def _name_kind(subject: FunctionTree, name: str) -> Kind | None:
    if name not in subject.kinds:
        subject.kinds[name] = None  # until it is known: a variable says nothing of itself
        subject.kinds[name] = _found_kind(subject, name)
    return subject.kinds[name]


def _found_kind(subject: FunctionTree, name: str) -> Kind | None:
    if name not in subject.local_names:
        text = subject.facts.values.get(name) if name not in subject.facts.enclosing else None
        return _outside_kind(subject, text) if text else None
    if annotation := annotation_of(subject, name):
        return annotated_kind(annotation)
    if name in subject.parameters or name in subject.declared_outside:
        return None
    bound = [place for place in subject.variables(subject.function, name) if subject.is_bound_here(place)]
    grown = [parent.value for place in bound if isinstance(parent := subject.parent(place), cst.AugAssign)]
    copied = [value for place in bound if (value := _added_to_itself(subject, place)) is not None]
    given = [place for place in bound if not isinstance(subject.parent(place), cst.AugAssign)]
    kinds: set[Kind | None] = {_given(subject, place) for place in given if _added_to_itself(subject, place) is None}
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind in ("int", "float", "bool") and any(kind_of(subject, value) != kind for value in grown):
        return None
    return kind if all(kind_of(subject, value) == kind for value in copied) else None


def _added_to_itself(subject: FunctionTree, place: cst.Name) -> cst.BaseExpression | None:
    """Return the y of `x = x + y`."""
    target = subject.parent(place)
    match subject.parent(target) if isinstance(target, cst.AssignTarget) else None:
        case cst.Assign(value=cst.BinaryOperation(left=cst.Name(value=name), operator=cst.Add(), right=right)):
            return right if name == place.value else None
        case _:
            return None


def _given(subject: FunctionTree, place: cst.Name) -> Kind | None:
    """Return the kind of the value that a variable is given here."""
    match subject.parent(place):
        case cst.AssignTarget() as target:
            assign = subject.parent(target)
            return kind_of(subject, assign.value) if isinstance(assign, cst.Assign) else None
        case cst.For(iter=iterable) | cst.CompFor(iter=iterable):
            return element_kind(subject, iterable)
        case cst.NamedExpr(value=value):
            return kind_of(subject, value)
        case cst.Element():
            return _unpacked(subject, place)
        case _:
            return None


def _unpacked(subject: FunctionTree, place: cst.Name) -> Kind | None:
    """Return the kind of the counter in `for i, x in enumerate(xs)`, and of x."""
    for parent in subject.above(place):
        match parent:
            case (
                cst.For(target=cst.Tuple(elements=[first, second]), iter=cst.Call(func=func, args=[arg, *_]))
                | cst.CompFor(target=cst.Tuple(elements=[first, second]), iter=cst.Call(func=func, args=[arg, *_]))
            ) if subject.is_builtin(func, "enumerate"):
                if first.value is place:
                    return "int"
                return element_kind(subject, arg.value) if second.value is place else None
            case cst.For() | cst.CompFor() | cst.Assign():
                return None
            case _:
                continue
    return None


def element_kind(subject: FunctionTree, node: cst.CSTNode) -> Kind | None:
    """Return the kind of what iterating over the expression gives."""
    match node:
        case cst.Name(value=name) if annotation := annotation_of(subject, name):
            return annotated_element(annotation)
        case cst.List(elements=elements) | cst.Set(elements=elements) | cst.Tuple(elements=elements):
            kinds: set[Kind | None] = {kind_of(subject, element.value) for element in elements}
            return kinds.pop() if len(kinds) == 1 else None
        case cst.ListComp(elt=elt) | cst.SetComp(elt=elt) | cst.GeneratorExp(elt=elt):
            return kind_of(subject, elt)
        case cst.Call(func=func, args=[_, *_]) if subject.is_builtin(func, "range"):
            return "int"
        case cst.Call(func=func, args=[first, *_]) if subject.is_builtin(
            func, "sorted", "list", "set", "tuple", "frozenset", "reversed"
        ):
            return element_kind(subject, first.value)
        case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value="split" | "splitlines" | "rsplit"))):
            return "str" if kind_of(subject, value) == "str" else None
        case cst.Name(value=name) if name in subject.local_names:
            return _assigned_element(subject, name)
        case _:
            return "str" if kind_of(subject, node) == "str" else None


def _assigned_element(subject: FunctionTree, name: str) -> Kind | None:
    if name not in subject.element_kinds:
        subject.element_kinds[name] = None  # as above
        values = [assign.value for assign in subject.own(cst.Assign) if _binds_only(assign, name)]
        if name not in subject.parameters and len(values) == 1:
            subject.element_kinds[name] = element_kind(subject, values[0])
    return subject.element_kinds[name]


def _binds_only(assign: cst.Assign, name: str) -> bool:
    return any(isinstance(target.target, cst.Name) and target.target.value == name for target in assign.targets)
