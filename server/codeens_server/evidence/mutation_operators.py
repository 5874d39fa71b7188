"""What may be changed in one node of a syntax tree; each operator returns new nodes and leaves the old one alone."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_COMPARISONS: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq, ast.GtE),
    ast.NotEq: (ast.Eq, ast.Gt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.FloorDiv,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.MatMult: ast.Mult,
}
_NAMES: Mapping[str, str] = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "startswith": "endswith",
    "endswith": "startswith",
    "lstrip": "rstrip",
    "rstrip": "lstrip",
    "find": "rfind",
    "rfind": "find",
    "bisect_left": "bisect_right",
    "bisect_right": "bisect_left",
    "ceil": "floor",
    "floor": "ceil",
    "append": "extend",
    "union": "intersection",
    "intersection": "union",
    "upper": "lower",
    "lower": "upper",
    "strip": "lstrip",
    "isdigit": "isalpha",
    "isalpha": "isalnum",
    "isupper": "islower",
    "islower": "isupper",
    "keys": "values",
    "values": "keys",
    "setdefault": "get",
    "extend": "append",
    "add": "discard",
    "partition": "rpartition",
    "rpartition": "partition",
    "removeprefix": "removesuffix",
    "removesuffix": "removeprefix",
    "sum": "max",
    "round": "int",
}
_WRAPPERS = frozenset(
    "sorted reversed list tuple set frozenset dict deepcopy abs int float str round bool".split()  # noqa: SIM905
)
"""Calls of which the argument alone may look as good."""
_TOUCHES = frozenset({"strip", "lower", "upper", "lstrip", "rstrip", "copy", "casefold", "title", "splitlines"})
"""Methods without which the object may look as good."""


_BROAD = frozenset({"Exception", "BaseException"})


def changed_expressions(node: ast.expr) -> Iterator[ast.expr]:
    """Yield an expression with one small change each."""
    if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
        return
    operator = _EXPRESSIONS.get(type(node))
    if operator is not None:
        yield from operator(node)


def changed_statements(node: ast.stmt) -> Iterator[ast.stmt | None]:
    """Yield a statement with one small change each; None for leaving it out."""
    match node:
        case ast.If() | ast.While():
            yield from _conditions(node)
        case ast.Expr(value=ast.Constant()):
            return
        case ast.AugAssign(target=target, op=op, value=value):
            yield ast.AugAssign(target, _ARITHMETIC[type(op)](), value)
            yield ast.Assign([target], value)
            yield None
        case ast.Expr() | ast.Raise() | ast.Assert() | ast.Delete() | ast.Assign():
            yield None
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.Break():
            yield ast.Continue()
            yield None
        case ast.Continue():
            yield ast.Break()
            yield None
        case ast.For(target=target, iter=iterated, body=body, orelse=orelse):
            yield ast.For(target, _call("reversed", _call("list", iterated)), body, orelse)
        case _:
            return


def changed_handlers(node: ast.ExceptHandler) -> Iterator[ast.ExceptHandler]:
    """Yield a handler that catches more, and one without each of several that it catches."""
    if isinstance(node.type, ast.Tuple):
        for at in range(len(node.type.elts)):
            rest = ast.Tuple([*node.type.elts[:at], *node.type.elts[at + 1 :]], ast.Load())
            yield ast.ExceptHandler(rest, node.name, node.body)
    if isinstance(node.type, (ast.Tuple, ast.Name, ast.Attribute)) and ast.unparse(node.type) not in _BROAD:
        yield ast.ExceptHandler(ast.Name("Exception", ast.Load()), node.name, node.body)


def _conditions(node: ast.If | ast.While) -> Iterator[ast.stmt | None]:
    if isinstance(node, ast.If):
        if not isinstance(node.test, ast.Compare):
            yield ast.If(_negated(node.test), node.body, node.orelse)
        if node.orelse:
            yield ast.If(node.test, node.body, [])
        yield None
    elif not isinstance(node.test, ast.Compare) and not isinstance(node.test, ast.Constant):
        yield ast.While(_negated(node.test), node.body, node.orelse)


def _comparison(node: ast.Compare) -> Iterator[ast.expr]:
    for at, op in enumerate(node.ops):
        for other in _COMPARISONS[type(op)]:
            yield ast.Compare(node.left, [*node.ops[:at], other(), *node.ops[at + 1 :]], node.comparators)
    if len(node.ops) == 1 and isinstance(node.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
        yield from _beside_boundary(node)


def _beside_boundary(node: ast.Compare) -> Iterator[ast.expr]:
    """Yield the comparison with its right side one larger, where that is no literal, which is changed by itself."""
    right = node.comparators[0]
    if not isinstance(right, ast.Constant):
        yield ast.Compare(node.left, node.ops, [ast.BinOp(right, ast.Add(), ast.Constant(1))])


def _arithmetic(node: ast.BinOp) -> Iterator[ast.expr]:
    yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
    if isinstance(node.op, (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.RShift)):
        yield ast.BinOp(node.right, node.op, node.left)
    yield node.left


def _boolean(node: ast.BoolOp) -> Iterator[ast.expr]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for at in range(len(node.values)):
        rest = [*node.values[:at], *node.values[at + 1 :]]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _unary(node: ast.UnaryOp) -> Iterator[ast.expr]:
    if not (isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant) and node.operand.value == 0):
        yield node.operand


def _constant(node: ast.Constant) -> Iterator[ast.expr]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1) if value > 0 else ast.UnaryOp(ast.USub(), ast.Constant(1 - value))
    elif isinstance(value, float):
        yield ast.Constant(value + 1.0)
        yield ast.Constant(value * 1.001)
    elif isinstance(value, str):
        yield ast.Constant(value + "x")
        if value:
            yield ast.Constant("")
    elif isinstance(value, bytes):
        yield ast.Constant(value + b"x")


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    yield from _renamed(node)
    for at in range(len(node.args) - 1):
        one, other = node.args[at : at + 2]
        if not isinstance(one, ast.Starred) and not isinstance(other, ast.Starred):
            yield ast.Call(node.func, [*node.args[:at], other, one, *node.args[at + 2 :]], node.keywords)
    for at in range(len(node.keywords)):
        yield ast.Call(node.func, node.args, [*node.keywords[:at], *node.keywords[at + 1 :]])
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.expr() as inner, *_]) if (
            name in _WRAPPERS and not isinstance(inner, ast.Starred)
        ):
            yield inner
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=[]) if name in _TOUCHES:
            yield inner
        case ast.Call(func=ast.Attribute(attr="append") as method, args=[item]):
            front = ast.Attribute(method.value, "insert", ast.Load())
            yield ast.Call(front, [ast.Constant(0), item], [])
        case ast.Call(func=ast.Name(id="range"), args=[*before, last]):
            yield ast.Call(node.func, [*before, ast.BinOp(last, ast.Sub(), ast.Constant(1))], [])
        case _:
            return


def _renamed(node: ast.Call) -> Iterator[ast.expr]:
    match node.func:
        case ast.Name(id=name) if name in _NAMES:
            yield ast.Call(ast.Name(_NAMES[name], ast.Load()), node.args, node.keywords)
        case ast.Attribute(value=value, attr=name) if name in _NAMES:
            yield ast.Call(ast.Attribute(value, _NAMES[name], ast.Load()), node.args, node.keywords)
        case _:
            return


def _subscript(node: ast.Subscript) -> Iterator[ast.expr]:
    if not isinstance(node.slice, ast.Slice):
        return
    part = node.slice
    fewer = [
        (part.lower, ast.Slice(None, part.upper, part.step)),
        (part.upper, ast.Slice(part.lower, None, part.step)),
        (part.step, ast.Slice(part.lower, part.upper, None)),
    ]
    for bound, without in fewer:
        if bound is not None:
            yield ast.Subscript(node.value, without, ast.Load())
    if part.lower is None and part.upper is None and part.step is None:
        yield node.value


def _either(node: ast.IfExp) -> Iterator[ast.expr]:
    yield ast.IfExp(node.test, node.orelse, node.body)
    yield node.body
    yield node.orelse


def _comprehension(node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Iterator[ast.expr]:
    for at, generator in enumerate(node.generators):
        for condition in range(len(generator.ifs)):
            ifs = [*generator.ifs[:condition], *generator.ifs[condition + 1 :]]
            less = ast.comprehension(generator.target, generator.iter, ifs, generator.is_async)
            yield type(node)(node.elt, [*node.generators[:at], less, *node.generators[at + 1 :]])


def _mapping(node: ast.DictComp) -> Iterator[ast.expr]:
    """Yield the mapping filled from the other end, where another one of equal keys wins, and with less left out."""
    first, *inner = node.generators
    other_way = _call("reversed", _call("list", first.iter))
    turned = ast.comprehension(first.target, other_way, first.ifs, first.is_async)
    yield ast.DictComp(node.key, node.value, [turned, *inner])
    for at in range(len(first.ifs)):
        less = ast.comprehension(first.target, first.iter, [*first.ifs[:at], *first.ifs[at + 1 :]], first.is_async)
        yield ast.DictComp(node.key, node.value, [less, *inner])


def _negated(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return node.operand
    return ast.UnaryOp(ast.Not(), node)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


_EXPRESSIONS: Mapping[type[ast.expr], Callable[[Any], Iterator[ast.expr]]] = {
    ast.Compare: _comparison,
    ast.BinOp: _arithmetic,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.Call: _calls,
    ast.Subscript: _subscript,
    ast.IfExp: _either,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _mapping,
    ast.GeneratorExp: _comprehension,
}
