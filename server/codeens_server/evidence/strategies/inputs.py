"""Strategies for whole calls of the target, from annotations, examples, and as a last resort a guess from its body."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from zlib import crc32

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.check import DICTS, open_node
from codeens_sandbox_backends.values.columns import table_of
from codeens_sandbox_backends.values.made_up import function_in
from codeens_sandbox_backends.values.sample import Sampler, Samples, kind_of, weighted
from codeens_sandbox_backends.worker.values.callbacks import AWAITED, RAISING
from codeens_server.domain.target import Parameter, Target
from codeens_server.evidence.literal_calls import NotLiteral, literal
from codeens_server.evidence.strategies.alike import alike, pairs_of
from codeens_server.evidence.strategies.annotations import Annotations
from codeens_server.evidence.strategies.arrays import names_arrays, of_one_shape
from codeens_server.evidence.strategies.caught import raised_for
from codeens_server.evidence.strategies.definitions import Definitions
from codeens_server.evidence.strategies.draw import draw
from codeens_server.evidence.strategies.examples import like
from codeens_server.evidence.strategies.fitting import fitting
from codeens_server.evidence.strategies.formats import formatted
from codeens_server.evidence.strategies.frames import tables_in
from codeens_server.evidence.strategies.spoken_types import kinds_by_callers, kinds_by_docstring
from codeens_server.evidence.strategies.tables import aligned, is_table
from codeens_server.evidence.strategies.type_guess import (
    KINDS,
    UNTYPED,
    constants,
    constants_named,
    guesses,
    imports_numpy,
    tells_containers,
)
from codeens_server.syntax.parsing import parse

_ITERABLES = frozenset({"iterable", "iterables", "iterator"})
_ELEMENTS = frozenset({"list", "tuple", "set", "frozenset", "deque", "iter"})
_POSITIONAL = frozenset({"positional", "normal"})
_BY_NAME = frozenset({"normal", "keyword"})
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "matmul", "and", "or", "xor")
_IN_PLACE = ("iadd", "isub", "imul", "iand", "ior", "ixor")
_OPERATORS = frozenset(f"__{name}__" for name in (*_COMPARISONS, *_ARITHMETIC, *_IN_PLACE))
"""Methods whose other operand is most often an instance of the same class."""
_EQUALITIES = frozenset({"__eq__", "__ne__"})
"""Those of them that take anything."""
_MANNERS = ("changing", RAISING, "changing", "turning")


class InputPlan(NamedTuple):
    """How inputs can be made. Without a strategy, `why` says what is missing."""

    strategy: SearchStrategy[CallInput] | None
    guessed: bool = False
    """Types of some parameters are a guess: only inputs on which the original returns are evidence."""
    why: str = ""


def strategy_for(target: Target, examples: Sequence[CallInput], source: str) -> SearchStrategy[CallInput] | None:
    """Return calls of the target; None where nothing is known of a parameter that must be given.

    Args:
        target: The function.
        examples: Calls seen (doctests, recorded calls); their values are varied.
        source: Text of the target's file: dataclasses, enums and aliases are found in it.
    """
    return plan_inputs(target, examples, source).strategy


def generate_inputs(target: Target, examples: Sequence[CallInput], source: str, count: int) -> list[CallInput]:
    """Return at most `count` different inputs, the same ones each time; none where there is no strategy."""
    strategy = strategy_for(target, examples, source)
    return draw(strategy, count, seed=f"{target.module}:{target.qualname}") if strategy is not None else []


def plan_inputs(
    target: Target,
    examples: Sequence[CallInput],
    source: str,
    callers: Sequence[str] = (),
    instances: Sequence[Encoded] = (),
) -> InputPlan:
    """Return how to draw calls of the target, and how far it may be trusted.

    Args:
        target: the function.
        examples: calls seen (doctests, recorded calls); their values are varied.
        source: text of the target's file: dataclasses, enums and aliases are found in it.
        callers: texts of other files that call it; they tell types that are not written down.
        instances: of a method's class, as calls have left them.
    """
    if target.kind == "nested":
        return InputPlan(None, why="a nested function cannot be called from outside")
    parameters = parameters_of(target)
    apart = [values for call in examples if (values := take_apart(call, parameters)) is not None]
    knowledge = _Knowledge(target, apart, source, callers, instances)
    known: dict[str, Samples] = {}
    for place, parameter in enumerate(named(parameters)):
        strategy = knowledge.of(parameter, is_instance=place == 0 and has_instance(target))
        if strategy is not None and not knowledge.is_private(parameter):
            known[parameter.name] = strategy
        elif not parameter.has_default:
            return InputPlan(None, why=knowledge.missing(parameter, is_instance=place == 0 and has_instance(target)))
    rest = variadic(parameters)
    if rest is not None and (strategy := knowledge.of_rest(rest)) is not None:
        known[rest.name] = strategy
    otherwise = partial(_otherwise, raised=raised_for([target.source], target.module, source))
    shared = partial(_shared, joints=knowledge.joints)
    strategy = _calls(
        parameters,
        known,
        apart,
        list(examples),
        compares=knowledge.compares,
        otherwise=otherwise,
        shared=shared,
        of_arrays=target.source if imports_numpy(source) else "",
    )
    return InputPlan(strategy, guessed=knowledge.guessed)


class _Knowledge:
    """What is known of each parameter's values."""

    def __init__(
        self,
        target: Target,
        apart: Sequence[Mapping[str, Encoded]],
        source: str,
        callers: Sequence[str],
        instances: Sequence[Encoded],
    ) -> None:
        definitions = Definitions(source)
        self._owner, _, self._name = target.qualname.rpartition(".")
        self._apart = apart
        self._instances = instances
        self._docstring = target.docstring or ""
        self._source = target.source
        literals = [*constants(target.source), *constants_named(target.source, source)]
        self._sampler = Sampler(literals, formatted(target.source))
        self.joints = [text for text in literals if isinstance(text, str) and len(text) == 1 and not text.isalnum()]
        """What may stand between the keys of a way into what is nested."""
        nested = tells_containers(target.source)
        self._worlds = [
            Annotations(definitions, self._sampler, module=target.module, variable=variable, nested=nested)
            for variable in (self._sampler.ints(), self._sampler.texts(long=False))
        ]
        self._defaults = _defaults(target.source)
        self._tables = tables_in(target.source, source)
        names = [parameter.name for parameter in target.parameters]
        self._guesses = guesses(target.source, names, self._sampler, source)
        self._spoken = [
            *(kinds_by_callers(target, text) for text in (source, *callers)),
            kinds_by_docstring(target.docstring or "", target.parameters),
        ]
        self.guessed = False
        self.compares = self._name in _OPERATORS
        """What is given is likely held against the instance."""

    def of(self, parameter: Parameter, *, is_instance: bool) -> Samples | None:
        """Return the strongest knowledge: annotated types, and values like those seen; else a guess from the body."""
        seen = [values[parameter.name] for values in self._apart if parameter.name in values]
        if is_instance:
            made = self._worlds[0].instance(self._owner)
            strategies = [made, *(st.sampled_from(known) if known else None for known in (seen, self._instances))]
        else:
            strategies = [
                None if seen and names_arrays(parameter.annotation) else self._annotated(parameter.annotation),
                like(seen, self._sampler) if seen else None,
                like(seen, self._sampler).map(_as_iterator) if seen and self._takes_iterables(parameter) else None,
                *self._told(parameter),
                None if seen else self._tables.of(parameter.name, parameter.annotation),
            ]
        usable = [strategy for strategy in strategies if strategy is not None]
        if not usable and not is_instance:
            usable = self._guess(parameter)
        return st.one_of(usable) if usable else None

    def is_private(self, parameter: Parameter) -> bool:
        """Return whether nobody is known to give a parameter that need not be given, and its name asks for that."""
        is_given = any(parameter.name in values for values in self._apart)
        return parameter.has_default and parameter.name.startswith("_") and not is_given

    def of_rest(self, parameter: Parameter) -> Samples | None:
        """Return tuples for `*args`; none without an example and an annotation."""
        seen = [values[parameter.name] for values in self._apart if parameter.name in values]
        annotation = f"tuple[{parameter.annotation}, ...]" if parameter.annotation else None
        strategies = [self._annotated(annotation), like(seen, self._sampler) if seen else None]
        usable = [strategy for strategy in strategies if strategy is not None]
        return st.one_of(usable) if usable else None

    def _takes_iterables(self, parameter: Parameter) -> bool:
        """Return whether a bare parameter is called an iterable, by its name or in the docstring."""
        if parameter.annotation not in UNTYPED:
            return False
        is_called_so = rf"\biterables?\b[^.\n]{{0,20}}\W{re.escape(parameter.name)}\b"
        return parameter.name in _ITERABLES or re.search(is_called_so, self._docstring) is not None

    def _told(self, parameter: Parameter) -> list[Samples | None]:
        """Return values of the kinds that callers and the docstring speak of, if the type is not written down."""
        if parameter.annotation not in UNTYPED:
            return []
        kinds = {kind for told in self._spoken for kind in told.get(parameter.name, ())}
        return [
            self._annotated(kind[2:]) if kind.startswith(": ") else KINDS[kind](self._sampler)
            for kind in sorted(kinds)
            if kind.startswith(": ") or kind in KINDS
        ]

    def _annotated(self, annotation: str | None) -> Samples | None:
        if annotation is None:
            return None
        found = [world.strategy(annotation) for world in self._worlds]
        usable = [strategy for strategy in found if strategy is not None]
        return st.one_of(usable) if usable else None

    def _guess(self, parameter: Parameter) -> list[Samples]:
        """Return guesses from the body, if the parameter's type is not written down: a callable is no list."""
        if parameter.annotation not in UNTYPED:
            return []
        default = self._defaults.get(parameter.name)
        strategies = [like([default], self._sampler)] if default is not None else []
        from_body = self._guesses[parameter.name]
        if from_body is not None and not strategies:
            strategies.append(from_body)
        strategies += self._operands()
        self.guessed = self.guessed or (not parameter.has_default and bool(strategies))
        return strategies

    def _operands(self) -> list[Samples]:
        """Return what an operator of the class takes beside the instance."""
        alike = self._worlds[0].instance(self._owner) if self.compares else None
        if alike is None:
            return []
        others = [st.none(), self._sampler.ints(), self._sampler.texts(long=False)]
        takes_others = self._name in _EQUALITIES or "NotImplemented" in self._source
        return [weighted((3, alike), (1, st.one_of(others)))] if takes_others else [alike]

    def missing(self, parameter: Parameter, *, is_instance: bool) -> str:
        if is_instance:
            return f"instances of {self._owner} are only known from calls that tests make"
        if parameter.annotation is None:
            return f"nothing is known of {parameter.name!r}: annotate it or give an example in the docstring"
        return f"values of type {parameter.annotation} ({parameter.name!r}) cannot be made"


def _defaults(source: str) -> dict[str, Encoded]:
    """Return default values that are literals other than None."""
    tree = parse(source)
    function = tree.body[0] if isinstance(tree, ast.Module) and tree.body else None
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return {}
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(positional), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    found: dict[str, Encoded] = {}
    for argument, default in pairs:
        try:
            value = literal(default) if default is not None else None
        except NotLiteral:
            continue
        if value is not None:
            found[argument.arg] = value
    return found


def _calls(
    parameters: Sequence[Parameter],
    known: Mapping[str, Samples],
    apart: Sequence[Mapping[str, Encoded]],
    examples: list[CallInput],
    *,
    compares: bool,
    otherwise: Callable[[dict[str, Encoded]], dict[str, Encoded]],
    shared: Callable[[dict[str, Encoded]], SearchStrategy[dict[str, Encoded]]],
    of_arrays: str,
) -> SearchStrategy[CallInput]:
    """Return calls with all arguments anew, made to fit, or with values shared, and examples with one changed."""
    required = {item.name: known[item.name] for item in named(parameters) if not item.has_default}
    optional = {name: strategy for name, strategy in known.items() if name not in required}
    anew = st.fixed_dictionaries(required, optional=optional)
    alone = anew.map(lambda values: _now_and_then(fitting(values), otherwise))
    strategies = [(2, anew.map(fitting) if len(known) > 1 else alone)]
    if len(known) > 1:
        strategies.append((4 if compares else 1, anew.flatmap(shared)))
        strategies.append((1, anew.map(otherwise)))
    if apart and known:
        changed = st.tuples(st.sampled_from(list(apart)), st.sampled_from(sorted(known))).flatmap(
            lambda drawn: known[drawn[1]].map(lambda value: {**drawn[0], drawn[1]: value})
        )
        strategies.append((2, changed))
    drawn = weighted(*strategies)
    if of_arrays and not apart:
        names = [parameter.name for parameter in parameters]
        drawn = st.tuples(drawn, st.integers(0, 1)).map(lambda both: of_one_shape(names, *both, of_arrays))
    if any(is_table(value) for call in apart for value in call.values()):
        drawn = st.tuples(drawn, st.integers(0, 1 << 20)).map(lambda both: aligned(both[0], apart, both[1]))
    made = drawn.map(lambda values: put_together(values, parameters))
    with_more_names = [call for call in examples if take_apart(call, parameters) is None]
    return weighted((3, made), (1, st.sampled_from(with_more_names))) if with_more_names else made


def _as_iterator(value: Encoded) -> Encoded:
    """Return an iterator over the items of a list or tuple: nothing but a loop can be done with what is iterable."""
    return ["iter", "list_iterator", *value[1:]] if kind_of(value) in {"list", "tuple"} else value


def _shared(values: dict[str, Encoded], joints: Sequence[str]) -> SearchStrategy[dict[str, Encoded]]:
    """Replace one argument by an element of another one that holds values of its kind: a search may then find it; or
    by one that is equal to another argument, or nearly.
    """
    swaps = [
        (name, inside)
        for name, value in values.items()
        for other, container in values.items()
        if name != other
        for inside in _inside(container, joints)
        if kind_of(inside) == kind_of(value)
    ]
    swaps += [
        (name, near) for name, value in list(values.items())[1:] for near in _nearly(next(iter(values.values())), value)
    ]
    names = [*values]
    swaps += [(names[two], near) for one, two in pairs_of([*values.values()]) for near in alike(values[names[one]])]
    if not swaps:
        return st.just(values)
    return st.sampled_from(swaps).map(lambda swap: {**values, swap[0]: swap[1]})


def _inside(container: Any, joints: Sequence[str]) -> list[Encoded]:
    """Return what a value holds that another one may name: items, keys, and ways to keys of what is under a key."""
    if (table := table_of(container)) is not None:
        return [name for name, _ in table.columns if isinstance(name, str)]
    node = open_node(container)
    if node.tag in _ELEMENTS:
        return [*node.children]
    if node.tag == "object":
        return [inside for _, value in container[2:] for inside in _inside(value, joints)]
    pairs = node.pairs if node.tag in DICTS else []
    below = [(key, way) for key, value in pairs for way in _inside(value, joints) if type(key) is type(way) is str]
    return [*(key for key, _ in pairs), *(key + joint + way for joint in joints for key, way in below)]


def _nearly(first: Encoded, other: Encoded) -> list[Encoded]:
    """Return the first of two instances of a class, also with each of its fields as the other has it."""
    if kind_of(first) != "object" or kind_of(other) != "object" or first[1] != other[1] or len(first) != len(other):
        return []
    return [first, *([*first[:place], other[place], *first[place + 1 :]] for place in range(2, len(first)))]


def _now_and_then(
    values: dict[str, Encoded], otherwise: Callable[[dict[str, Encoded]], dict[str, Encoded]]
) -> dict[str, Encoded]:
    """Let the only argument, if it is a function, do otherwise in one of three calls."""
    return values if crc32(repr(values).encode()) % 3 else otherwise(values)


def _otherwise(values: dict[str, Encoded], raised: Sequence[str]) -> dict[str, Encoded]:
    """Let a function among the arguments raise, answer something else each time, or change a list meanwhile."""
    name = next((name for name, value in values.items() if kind_of(function_in(value)) == "callback"), None)
    if name is None:
        return values
    number, place = divmod(crc32(repr(values).encode()), len(_MANNERS))
    _, *parts = function_in(values[name])
    changed = next((other for other, value in values.items() if kind_of(value) == "list"), None)
    if _MANNERS[place] == "turning":
        function = ["turning", *parts]
    elif _MANNERS[place] == RAISING or changed is None:
        function = [RAISING, raised[number % len(raised)], *parts]
    else:
        return _changing(values, name, changed)
    return {**values, name: _instead(values[name], function)}


def _changing(values: dict[str, Encoded], name: str, changed: str) -> dict[str, Encoded]:
    """Let a function among the arguments change a list among them while it is called."""
    places = list(values)
    first = changed if places.index(changed) < places.index(name) else name
    label, again = ["shared", 0, values[changed]], ["ref", 0]
    target, given = (again, label) if first == changed else (label, again)
    function = ["changing", *function_in(values[name])[1:], target]
    return {**values, changed: given, name: _instead(values[name], function)}


def _instead(value: Encoded, function: Encoded) -> Encoded:
    """Return a function in the place of another one: an async one too where that is."""
    return [AWAITED, function] if kind_of(value) == AWAITED else function


def parameters_of(target: Target) -> list[Parameter]:
    """Return the parameters that a call gives; `self` is one of them, `cls` is not."""
    parameters = list(target.parameters)
    return parameters[1:] if target.kind == "classmethod" else parameters


def has_instance(target: Target) -> bool:
    """Return whether the first argument of a call is the instance."""
    return target.kind in {"method", "property"}


def named(parameters: Sequence[Parameter]) -> list[Parameter]:
    """Return those that one value is given for: not `*args` and `**kwargs`."""
    return [parameter for parameter in parameters if parameter.kind not in {"var_positional", "var_keyword"}]


def variadic(parameters: Sequence[Parameter]) -> Parameter | None:
    """Return the parameter `*args`, if there is one."""
    return next((parameter for parameter in parameters if parameter.kind == "var_positional"), None)


def take_apart(call: CallInput, parameters: Sequence[Parameter]) -> dict[str, Encoded] | None:
    """Return a call's values by parameter name, that of `*args` as a tuple.

    None for a call that these parameters do not take, and for one that fills `**kwargs`.
    """
    places = [parameter.name for parameter in parameters if parameter.kind in _POSITIONAL]
    known = {parameter.name for parameter in named(parameters)}
    rest, more = variadic(parameters), call.args[len(places) :]
    if (more and rest is None) or not call.kwargs.keys() <= known:
        return None
    values: dict[str, Encoded] = dict(zip(places, call.args, strict=False))
    if values.keys() & call.kwargs.keys():
        return None
    return values | call.kwargs | ({rest.name: ["tuple", *more]} if rest is not None and more else {})


def put_together(values: Mapping[str, Encoded], parameters: Sequence[Parameter]) -> CallInput:
    """Return the call that gives these values: by position up to the first one left out, by name after it.

    A positional-only parameter after one that is left out is left out too, and so is `*args`.
    """
    args: list[Encoded] = []
    kwargs: dict[str, Encoded] = {}
    by_position = True
    for parameter in parameters:
        if parameter.kind == "var_positional" and by_position:
            args.extend(values.get(parameter.name, ["tuple"])[1:])
        by_position = by_position and parameter.name in values and parameter.kind in _POSITIONAL
        if by_position:
            args.append(values[parameter.name])
        elif parameter.name in values and parameter.kind in _BY_NAME:
            kwargs[parameter.name] = values[parameter.name]
    return CallInput(args=tuple(args), kwargs=kwargs)
