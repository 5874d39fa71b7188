"""What a body without annotations or examples suggests about its parameters: a guess, to be tried on the original."""

from __future__ import annotations

import ast
import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from hypothesis import strategies as st

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.sample import Sampler, Samples, callbacks, listed, mapped, unique, weighted
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.evidence.strategies.arrays import arrays
from codeens_server.evidence.strategies.definitions import last_name
from codeens_server.syntax.parsing import ParseFailure, parse


def _words_by_kind(table: str) -> dict[str, frozenset[str]]:
    """Read lines of `kind: word word …`."""
    lines = [line.partition(":") for line in table.strip().splitlines()]
    return {kind.strip(): frozenset(words.split()) for kind, _, words in lines}


_METHODS = _words_by_kind("""
    str: split strip lstrip rstrip lower upper replace startswith endswith join isdigit isalpha isalnum isspace isupper\
 islower title capitalize casefold swapcase splitlines encode partition rpartition zfill ljust rjust center find rfind\
 format translate removeprefix removesuffix
    list: append extend insert sort reverse
    dict: items keys values get setdefault
    set: add union intersection difference issubset issuperset discard symmetric_difference
    bytes: decode hex
""")
_NAMES = _words_by_kind("""
    int: n m k i j num number count size limit index start stop end year month day digits width base
    float: rate ratio price amount weight height radius alpha beta factor angle
    str: s t text string name word line char sentence pattern prefix suffix path key sep title message
    numbers: xs nums numbers values arr array lst items data seq sequence l ints scores a list_ it
    texts: words lines strings names tokens strs parts
    dict: d dct mapping counts table dictionary dict_ config options params
    matrix: matrix grid board rows mat image
    bool: flag reverse verbose strict inclusive
    anything: default fallback fill fillvalue fill_value missing
    x: x y z x1 y1 x2 y2 b c p q r value val
""")
_CALLS = _words_by_kind("""
    int: range abs round chr bin hex oct divmod pow sqrt gcd log
    sequence: len sum min max sorted reversed enumerate zip map filter list tuple set any all Counter
    str: ord int float
    iter: next
""")
_SEQUENCES_OF = (
    ("int", "numbers"),
    ("str", "texts"),
    ("sequence", "matrix"),
    ("x", "numbers"),
    ("iter", "iters"),
    ("tree", "trees"),
)
_SURE = 10
"""Only iterators have a next item, and only functions are called."""
_MOST_ELEMENTS = 8
"""Loop variables over one parameter that are looked at."""
_ANY_CONTAINER: tuple[object, ...] = ((1, 2), [3], {4}, {"a": 5}, b"ab")
_ANY_NUMBER: tuple[object, ...] = (True, 7, 1.5)
_OF_KINDS: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(("Iterable", "Collection", "Container", "Sized", "__iter__", "__len__"), _ANY_CONTAINER),
    **dict.fromkeys(("Sequence", "__getitem__"), ((1, 2), [3], b"ab")),
    **dict.fromkeys(("dict", "Mapping", "MutableMapping", "keys", "items"), ({"a": 5},)),
    **dict.fromkeys(("set", "frozenset", "Set"), ({4}, frozenset({4}))),
    **dict.fromkeys(("list", "tuple", "MutableSequence"), ([3], (1, 2))),
    "bytes": (b"ab",),
    "str": (),
    **dict.fromkeys(("Number", "Real", "complex", "int"), _ANY_NUMBER),
    "float": (1.5, 7),
    "bool": (True, 7),
    "None": (None,),
}
"""Values of a type and what is taken for one, by its name, or that have an attribute; texts go with each, for they are
most often forgotten.
"""
_CONTAINERS = frozenset(
    name for name, values in _OF_KINDS.items() if any(type(value) in {list, dict} for value in values)
)
UNTYPED = frozenset({None, "Any", "typing.Any", "object"})
"""Annotations that say nothing."""
_OPEN_LISTS = re.compile(r"(typing\.|collections\.abc\.|t\.)?([Ll]ist|Sequence|Iterable|Collection)")
_OPEN_DICTS = re.compile(
    r"(typing\.|collections\.abc\.|t\.)?([Dd]ict|(Mutable)?Mapping)(\[str, (typing\.)?(Any|object)\])?"
)
_ZONES = tuple(dt.timezone(dt.timedelta(minutes=minutes)) for minutes in (0, 330, -480))
_ASKED_FOR: Mapping[str, tuple[object, ...]] = {
    **dict.fromkeys(("nan", "isnan"), (math.nan,)),
    **dict.fromkeys(("inf", "isinf"), (math.inf,)),
    **dict.fromkeys(("isfinite", "dumps", "JSONEncoder"), (math.nan, math.inf)),
    **dict.fromkeys(("tzinfo", "astimezone", "utcoffset", "timezone", "UTC", "ZoneInfo"), _ZONES),
    **dict.fromkeys(("environ", "getenv"), ("HOME",)),
}
"""What a text has in mind that names these: values that are no literals, and a variable that is always set."""
_IMPORTS_NUMPY = re.compile(r"^\s*(import|from) numpy\b", re.MULTILINE)
_OF_ARRAYS = frozenset(
    (
        *("shape", "dtype", "ndim", "size", "T", "reshape", "astype", "ravel", "flatten", "transpose", "squeeze"),
        *("mean", "sum", "min", "max", "std", "var", "argmax", "argmin", "argsort", "cumsum", "clip", "dot", "round"),
        *("any", "all"),
    )
)
"""Attributes by which arrays are known."""
_MOST_NAMED = 30
_WHOLE_NUMBERS = (ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.RShift, ast.BitAnd, ast.BitXor)


def constants(source: str) -> Iterator[object]:
    """Yield the literals in the function's text, docstrings left out, and values that its names speak of."""
    tree = parse(source)
    if isinstance(tree, ParseFailure):
        return
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in statements:
            yield node.value
        elif isinstance(node, (ast.Name, ast.Attribute)):
            yield from _ASKED_FOR.get(last_name(node), ())


def constants_named(source: str, module: str) -> Iterator[object]:
    """Yield literals of the variables of a module that a text names: limits and tables stand beside their function."""
    trees = (parse(source), parse(module))
    inside, around = (() if isinstance(tree, ParseFailure) else tree.body for tree in trees)
    names = {node.id for part in inside for node in ast.walk(part) if isinstance(node, ast.Name)}
    bound = (
        node
        for statement in around
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and not names.isdisjoint(_bound_by(statement))
        for node in ast.walk(statement.value or statement)
    )
    yield from islice((node.value for node in bound if isinstance(node, ast.Constant)), _MOST_NAMED)


def _bound_by(statement: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def told_apart(source: str) -> list[Encoded]:
    """Return values of the kinds that a text tells apart by `isinstance`, `hasattr` or patterns of classes."""
    tree = parse(source)
    if isinstance(tree, ParseFailure):
        return []
    named = {name for node in ast.walk(tree) for name in _asked_for(node)} & _OF_KINDS.keys()
    return [encode(value) for name in sorted(named) for value in (*_OF_KINDS[name], "ab")]


def tells_containers(source: str) -> bool:
    """Return whether a text asks whether a value is a container: what it is given may then hold some."""
    tree = parse(source)
    nodes = () if isinstance(tree, ParseFailure) else ast.walk(tree)
    return any(name in _CONTAINERS for node in nodes for name in _asked_for(node))


def is_open(annotation: str | None) -> bool:
    """Return whether an annotation leaves open what a value is or holds."""
    return annotation in UNTYPED or any(form.fullmatch(str(annotation)) for form in (_OPEN_LISTS, _OPEN_DICTS))


def any_items(annotations: Iterable[str | None], *, known: bool) -> list[Encoded]:
    """Return values that are often forgotten where a container is of anything and no call is known: in a list what is
    equal to a number, or has no hash; in a dict None.
    """
    forms = ((_OPEN_LISTS, ([7], 1.0, True)), (_OPEN_DICTS, (None,)))
    written = () if known else [text for text in annotations if text]
    return [encode(value) for form, values in forms if any(map(form.fullmatch, written)) for value in values]


def _asked_for(node: ast.AST) -> Iterator[str]:
    """Yield names of the types that a value is held against; of `hasattr` the attribute."""
    match node:
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Tuple(elts=kinds)]):
            yield from map(last_name, kinds)
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, kind]):
            yield last_name(kind)
        case ast.Call(func=ast.Name(id="hasattr"), args=[_, ast.Constant(value=str(name))]):
            yield name
        case ast.Compare(left=ast.Call(func=ast.Name(id="type"), args=[_]), comparators=[kind]):
            yield last_name(kind)
        case ast.MatchClass(cls=kind):
            yield last_name(kind)
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            yield "None"
        case _:
            pass


def guesses(source: str, names: list[str], sampler: Sampler, module: str = "") -> dict[str, Samples | None]:
    """Return, for each parameter, values of the kinds that its use in the text speaks for; None where nothing does.

    `module` is the text around it: what does not import numpy is given no arrays.
    """
    tree = parse(source)
    if isinstance(tree, ParseFailure):
        return dict.fromkeys(names)
    has_arrays = imports_numpy(module)
    return {name: _strategy(_votes(tree, name), sampler, has_arrays=has_arrays) for name in names}


def imports_numpy(module: str) -> bool:
    """Return whether a module imports numpy, so that arrays can be decoded beside it."""
    return _IMPORTS_NUMPY.search(module) is not None


def _strategy(votes: Counter[str], sampler: Sampler, *, has_arrays: bool) -> Samples | None:
    if votes.pop("array", 0) and has_arrays:
        return arrays()
    kinds = [kind for kind, count in votes.most_common(3) if count * 3 >= max(votes.values())]
    return st.one_of(*(KINDS[kind](sampler) for kind in kinds)) if kinds else None


def _votes(tree: ast.AST, name: str) -> Counter[str]:
    votes: Counter[str] = Counter()
    elements: set[str] = set()
    for node in ast.walk(tree):
        votes.update(_votes_of(node, name))
        elements.update(_element_names(node, name))
    kinds = {
        kind
        for element in sorted(elements)[:_MOST_ELEMENTS]
        for node in ast.walk(tree)
        for kind in _votes_of(node, element)
    }
    for kind, sequence in _SEQUENCES_OF:
        votes[sequence] += (_SURE if kind == "iter" else 2) * (kind in kinds)
    if votes.pop("sequence", 0) and not +votes:
        votes.update({"numbers": 1, "texts": 1, "str": 1})
    for kind, words in _NAMES.items():
        votes[kind] += 2 * (name.lower() in words)
    return +votes


def _votes_of(node: ast.AST, name: str) -> list[str]:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "numpy")), args=[ast.Name(id=used), *_]) if (
            used == name
        ):
            return ["array"]
        case ast.Attribute(value=ast.Name(id=used), attr=attr) if used == name and attr in _OF_ARRAYS:
            return ["array"]
        case ast.Await(value=ast.Call(func=ast.Name(id=used))) if used == name:
            return ["awaited"] * _SURE * _SURE
        case ast.Call(func=ast.Name(id=used)) if used == name:
            return ["callback"] * _SURE
        case ast.Call(func=ast.Attribute(value=ast.Name(id=used), attr=method)) if used == name:
            return [kind for kind, methods in _METHODS.items() if method in methods] * 3
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Name(id=used), *_]) if (
            used == name
        ):
            return ["tree"] * 3 if _CONTAINERS.intersection(_asked_for(node)) else _votes_of_call(called, node)
        case ast.Match(subject=ast.Name(id=used), cases=cases) if used == name:
            asked = {kind for each in cases for inner in ast.walk(each.pattern) for kind in _asked_for(inner)}
            return ["tree"] * 3 if asked & _CONTAINERS else []
        case ast.BinOp(left=left, op=op, right=right):
            return _votes_of_operation(left, op, right, name)
        case ast.Compare(left=ast.Name(id=used), comparators=[ast.expr() as other]) if used == name:
            return _votes_of_literal(other)
        case ast.Subscript(value=ast.Name(id=used), slice=key) if used == name:
            is_key = isinstance(key, ast.Constant) and isinstance(key.value, str)
            return ["dict"] * 3 if is_key else ["sequence"]
        case ast.For(iter=ast.Name(id=used)) | ast.comprehension(iter=ast.Name(id=used)) if used == name:
            return ["sequence"]
        case _:
            return []


def _votes_of_call(called: str, node: ast.Call) -> list[str]:
    if called == "isinstance" and len(node.args) == 2:
        kinds = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else [node.args[1]]
        return [kind for item in kinds if (kind := last_name(item)) in KINDS]
    return [kind for kind, calls in _CALLS.items() if called in calls] * (_SURE if called == "next" else 2)


def _votes_of_operation(left: ast.expr, op: ast.operator, right: ast.expr, name: str) -> list[str]:
    sides = [(left, right), (right, left)]
    others = [other for side, other in sides if isinstance(side, ast.Name) and side.id == name]
    if not others:
        return []
    if isinstance(op, _WHOLE_NUMBERS):
        return ["int"]
    if isinstance(op, ast.Div):
        return ["x"]
    return _votes_of_literal(others[0]) if isinstance(op, ast.Add) else []


def _votes_of_literal(node: ast.expr) -> list[str]:
    if isinstance(node, (ast.List, ast.ListComp)):
        return ["numbers"]
    value = node.value if isinstance(node, ast.Constant) else None
    kind = type(value).__name__
    return [kind] * 2 if kind in KINDS else []


def _element_names(node: ast.AST, name: str) -> list[str]:
    """Return names bound to the elements of the parameter by a loop over it."""
    match node:
        case ast.For(iter=ast.Name(id=used), target=ast.Name(id=element)) if used == name:
            return [element]
        case ast.comprehension(iter=ast.Name(id=used), target=ast.Name(id=element)) if used == name:
            return [element]
        case _:
            return []


def _matrix(sampler: Sampler) -> Samples:
    return listed(listed(sampler.ints(), large=False), large=False)


def _iterator(element: Samples) -> Samples:
    """Return iterators, some of which are exhausted."""
    return listed(element, large=False).map(lambda tree: ["iter", "list_iterator", *tree[1:]])


KINDS: Mapping[str, Callable[[Sampler], Samples]] = {
    "iter": lambda sampler: _iterator(sampler.ints()),
    "iters": lambda sampler: listed(_iterator(sampler.ints()), large=False),
    "callback": lambda sampler: callbacks(sampler.ints()),
    "awaited": lambda sampler: callbacks(sampler.ints(), awaited=True),
    "int": Sampler.ints,
    "float": Sampler.floats,
    "x": lambda sampler: st.one_of(sampler.ints(), sampler.floats()),
    "str": Sampler.texts,
    "bool": lambda _: st.booleans(),
    "bytes": Sampler.bytes,
    "anything": Sampler.plain,
    "list": lambda sampler: listed(sampler.ints()),
    "numbers": lambda sampler: listed(sampler.ints()),
    "texts": lambda sampler: listed(sampler.texts(long=False)),
    "matrix": _matrix,
    "tree": lambda sampler: weighted((1, sampler.trees("dict", "list")), (1, sampler.anything())),
    "trees": lambda sampler: sampler.trees("list"),
    "set": lambda sampler: unique(sampler.ints()),
    "dict": lambda sampler: mapped(sampler.texts(long=False), sampler.ints()),
}
"""Makers of values of a kind, by the word for it."""
