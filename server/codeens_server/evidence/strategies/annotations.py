"""Strategies from type annotations, which are read as text: nothing of the workspace is imported."""

from __future__ import annotations

import ast

from hypothesis import strategies as st

from codeens_sandbox_backends.values.sample import Sampler, Samples, callbacks, listed, mapped, unique, weighted
from codeens_server.evidence.literal_calls import NotLiteral, literal
from codeens_server.evidence.strategies.arrays import ANNOTATIONS as ARRAYS
from codeens_server.evidence.strategies.arrays import arrays
from codeens_server.evidence.strategies.definitions import Definitions, Field, dotted_name
from codeens_server.syntax.parsing import ParseFailure, parse_expression

_LISTS = frozenset(
    {"list", "List", "Sequence", "MutableSequence", "Collection", "Container", "Iterable", "Reversible", "Sized"}
)
_SETS = frozenset({"set", "Set", "MutableSet", "AbstractSet"})
_FROZEN_SETS = frozenset({"frozenset", "FrozenSet"})
_DICTS = frozenset({"dict", "Dict", "Mapping", "MutableMapping"})
_ITERATORS = frozenset({"Iterator", "Generator"})
_WRAPPERS = frozenset({"Annotated", "Final", "Required", "NotRequired", "ReadOnly", "ClassVar"})
_ANYTHING = frozenset({"Any", "object", "Incomplete"})
_OF_ANYTHING = [["str", name] for name in sorted(_ANYTHING)]
_AWAITABLE = frozenset({"Awaitable", "Coroutine"})
_DEEPEST = 6
_LARGE_DEPTH = 1
"""Containers at this depth and below stay small, so that nested ones can be drawn at all."""


class Annotations:
    """Turns the annotations of one module into strategies; None where a type is not supported.

    `variable` is what an unconstrained type variable stands for, the same all over one call. `nested`: lists of
    anything hold containers too.
    """

    def __init__(
        self, definitions: Definitions, sampler: Sampler, *, module: str, variable: Samples, nested: bool = False
    ) -> None:
        self._definitions = definitions
        self._sampler = sampler
        self._module = module
        self._variable = variable
        self._nested = nested
        self._classes: dict[str, Samples | None] = {}

    def strategy(self, annotation: str) -> Samples | None:
        """Return values of an annotated type; None for a type that is not supported or says nothing."""
        node = _parsed(annotation)
        if node is None or self._definitions.resolve(node) in _ANYTHING:
            return None
        return self._of(node, 0)

    def instance(self, name: str) -> Samples | None:
        """Return instances of a class of this module; None unless its text tells all fields."""
        return self._class(name, 0) if name in self._definitions.classes else None

    def _of(self, node: ast.expr, depth: int) -> Samples | None:
        if depth > _DEEPEST:
            return None
        if isinstance(node, ast.Constant):
            return self._of_constant(node, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._union([node.left, node.right], depth)
        if isinstance(node, ast.Subscript):
            return self._generic(node, depth)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._named(node, depth)
        return None

    def _of_constant(self, node: ast.Constant, depth: int) -> Samples | None:
        if node.value is None:
            return st.none()
        forward = _parsed(node.value) if isinstance(node.value, str) else None
        return self._of(forward, depth + 1) if forward is not None else None

    def _union(self, nodes: list[ast.expr], depth: int) -> Samples | None:
        """Return those members that are supported: the function takes each of them."""
        members = [strategy for node in nodes if (strategy := self._of(node, depth)) is not None]
        return st.one_of(members) if members else None

    def _named(self, node: ast.expr, depth: int) -> Samples | None:
        written = dotted_name(node)
        definitions = self._definitions
        if written in definitions.classes:
            return self._class(written, depth)
        if written in definitions.aliases:
            return self._of(definitions.aliases[written], depth + 1)
        if written in definitions.type_variables:
            return self._type_variable(definitions.type_variables[written], depth)
        return self._bare(definitions.resolve(node), depth)

    def _type_variable(self, call: ast.Call | None, depth: int) -> Samples | None:
        if call is None:
            return self._variable
        bound = next((keyword.value for keyword in call.keywords if keyword.arg == "bound"), None)
        if bound is not None:
            return self._of(bound, depth + 1) or self._variable
        return self._union(call.args[1:], depth) if len(call.args) > 1 else self._variable

    def _bare(self, name: str, depth: int) -> Samples | None:
        if name in _LISTS:
            flat = listed(self._variable, large=depth < _LARGE_DEPTH)
            return weighted((1, flat), (1, self._sampler.trees("list"))) if self._nested else flat
        if name in {"tuple", "Tuple"}:
            return listed(self._variable, "tuple", large=False)
        if name in _SETS:
            return unique(self._variable)
        if name in _FROZEN_SETS:
            return unique(self._variable, "frozenset")
        if name in _DICTS or name == "OrderedDict":
            return self._sampler.records(_dict_tag(name))
        if name in _ANYTHING:
            return self._sampler.anything()
        if name == "Callable":
            return callbacks(self._sampler.ints())
        if name in ARRAYS:
            return arrays()
        return self._sampler.named(name)

    def _generic(self, node: ast.Subscript, depth: int) -> Samples | None:
        name = self._definitions.resolve(node.value)
        arguments = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name in {"Optional", "Union"}:
            return self._union([*arguments, *([ast.Constant(None)] if name == "Optional" else [])], depth)
        if name == "Literal":
            return _literals(arguments)
        if name in _WRAPPERS:
            return self._of(arguments[0], depth + 1)
        if name in {"tuple", "Tuple"}:
            return self._tuple(arguments, depth)
        if name == "Callable":
            return self._callback(arguments[-1], depth)
        if name == "Iterable":
            return self._iterable(arguments, depth)
        if name in ARRAYS:
            return arrays(self._type_of_items(arguments[-1]))
        if name == "Pattern" and dotted_name(arguments[0]) == "str":
            return self._sampler.named(name)
        return self._container(name, arguments, depth)

    def _type_of_items(self, node: ast.expr) -> str:
        """Return the name of the type of an array's items: of `dtype[float64]` what is inside."""
        inner = node.slice if isinstance(node, ast.Subscript) else node
        return self._definitions.resolve(inner)

    def _tuple(self, arguments: list[ast.expr], depth: int) -> Samples | None:
        if len(arguments) == 2 and isinstance(arguments[1], ast.Constant) and arguments[1].value is ...:
            element = self._of(arguments[0], depth + 1)
            return listed(element, "tuple", large=depth < _LARGE_DEPTH) if element is not None else None
        items = self._all(arguments, depth)
        return st.tuples(*items).map(lambda drawn: ["tuple", *drawn]) if items is not None else None

    def _container(self, name: str, arguments: list[ast.expr], depth: int) -> Samples | None:
        if name in _ITERATORS:
            return self._iterator(arguments[0], depth)
        items = self._all(arguments, depth)
        if items is None:
            return None
        first, last = items[0], items[-1]
        if name in _LISTS:
            return listed(first, large=depth < _LARGE_DEPTH)
        if name in {"deque", "Deque"}:
            return listed(first, large=depth < _LARGE_DEPTH).map(lambda tree: ["deque", None, *tree[1:]])
        if name in _SETS:
            return unique(first)
        if name in _FROZEN_SETS:
            return unique(first, "frozenset")
        if name == "Counter":
            return mapped(first, st.integers(1, 50), "Counter")
        if (name in _DICTS or name == "OrderedDict") and len(items) == 2:
            is_record = [self._definitions.resolve(node) for node in arguments] in _OF_ANYTHING
            return self._sampler.records(_dict_tag(name)) if is_record else mapped(first, last, _dict_tag(name))
        return None

    def _iterator(self, argument: ast.expr, depth: int) -> Samples | None:
        element = self._of(argument, depth + 1)
        return listed(element).map(lambda tree: ["iter", "list_iterator", *tree[1:]]) if element is not None else None

    def _iterable(self, arguments: list[ast.expr], depth: int) -> Samples | None:
        """Return lists, and some iterators: what asks for no more than an iterable must take them."""
        lists, iterators = self._container("list", arguments, depth), self._iterator(arguments[0], depth)
        return weighted((3, lists), (1, iterators)) if lists is not None and iterators is not None else None

    def _callback(self, returned: ast.expr, depth: int) -> Samples | None:
        later = self._given_later(returned)
        given = returned if later is None else later
        is_open = self._definitions.resolve(given) in _ANYTHING
        values = self._sampler.ints() if is_open else self._of(given, depth + 1)
        return callbacks(values, awaited=later is not None) if values is not None else None

    def _given_later(self, returned: ast.expr) -> ast.expr | None:
        """Return the type of what comes of awaiting; None for what is not awaited."""
        is_generic = isinstance(returned, ast.Subscript)
        if self._definitions.resolve(returned.value if is_generic else returned) not in _AWAITABLE:
            return None
        if not is_generic:
            return ast.Name("Any", ast.Load())
        return returned.slice.elts[-1] if isinstance(returned.slice, ast.Tuple) else returned.slice

    def _all(self, nodes: list[ast.expr], depth: int) -> list[Samples] | None:
        strategies = [strategy for node in nodes if (strategy := self._of(node, depth + 1)) is not None]
        return strategies if len(strategies) == len(nodes) and nodes else None

    def _class(self, name: str, depth: int) -> Samples | None:
        members = self._definitions.enum_members(name)
        if members:
            return st.sampled_from(members).map(lambda member: ["enum", f"{self._module}:{name}", member])
        if name not in self._classes:
            self._classes[name] = st.deferred(lambda: self._resolved(name))
            self._classes[name] = self._record(name, depth)
        return self._classes[name]

    def _resolved(self, name: str) -> Samples:
        made = self._classes[name]
        return made if made is not None else st.nothing()

    def _record(self, name: str, depth: int) -> Samples | None:
        fields = self._definitions.fields(name)
        if fields is None:
            return None
        drawn = [(field, self._field(field, depth + 1)) for field in fields]
        known = {field.name: strategy for field, strategy in drawn if strategy is not None}
        if len(known) != len(fields):
            return None
        where = f"{self._module}:{name}"
        if self._definitions.is_typed_dict(name):
            optional = {field.name: known.pop(field.name) for field in fields if not field.required}
            return st.fixed_dictionaries(known, optional=optional).map(
                lambda items: ["dict", *([key, value] for key, value in items.items())]
            )
        if self._definitions.is_named_tuple(name):
            return st.fixed_dictionaries(known).map(
                lambda items: ["namedtuple", where, *(items[field.name] for field in fields)]
            )
        return st.fixed_dictionaries(known).map(
            lambda items: ["object", where, *([key, items[key]] for key in sorted(items))]
        )

    def _field(self, field: Field, depth: int) -> Samples | None:
        return st.just(literal(field.annotation)) if field.fixed else self._of(field.annotation, depth)


def _parsed(annotation: str) -> ast.expr | None:
    node = parse_expression(annotation)
    return None if isinstance(node, ParseFailure) else node


def _literals(nodes: list[ast.expr]) -> Samples | None:
    try:
        return st.sampled_from([literal(node) for node in nodes])
    except NotLiteral:
        return None


def _dict_tag(name: str) -> str:
    return "OrderedDict" if name == "OrderedDict" else "dict"
