"""What can be seen of an answer without running it."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from codeens_server.syntax.parsing import ParseFailure, parse

_LOOPS = (ast.For, ast.While, ast.comprehension)
_BRANCHES = (ast.If, ast.IfExp, ast.BoolOp)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)

OF_CODE = ("readable", "size", "size_squared", "loops", "branches", "returns", "nothing_returned", "speaks", "helpers")
OF_POOL = ("same_code", "similar_code", "size_beside_others")
OF_AUTHOR = ("model", "variant")
"""How often, in the tasks that were trained on, answers of this model, and of this variant, were right (logit)."""
NAMES = (*OF_CODE, *OF_POOL, *OF_AUTHOR)


class Submission(Struct, frozen=True, kw_only=True):
    """An answer to a task: a whole program, and who wrote it how."""

    code: str
    model: str = ""
    variant: str = ""


class Shape(Struct, frozen=True, kw_only=True):
    """What the code of one answer looks like."""

    of_code: tuple[float, ...]
    """In the order of `OF_CODE`."""
    normal: str
    """The code without docstrings, comments and the names of its variables; empty where it is no Python."""
    steps: frozenset[tuple[str, str]]
    """Pairs of a syntax node and one below it."""


@lru_cache(maxsize=1 << 15)
def shape_of(code: str) -> Shape:
    """Return the shape of a program."""
    tree = parse(code)
    if isinstance(tree, ParseFailure):
        return Shape(of_code=(0.0,) * len(OF_CODE), normal="", steps=frozenset())
    nodes = list(ast.walk(tree))
    kinds = Counter(map(type, nodes))
    functions = [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    returns = [node for node in nodes if isinstance(node, (ast.Return, ast.Yield)) and node.value is not None]
    size = math.log1p(len(nodes))
    calls = [node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return Shape(
        of_code=(
            1.0,
            size,
            size * size,
            math.log1p(sum(isinstance(node, _LOOPS) for node in nodes)),
            math.log1p(sum(isinstance(node, _BRANCHES) for node in nodes)),
            math.log1p(len(returns)),
            float(not returns),
            float(any(name in {"print", "input"} for name in calls)),
            math.log1p(max(len(functions) - 1, 0) + kinds[ast.Lambda]),
        ),
        normal=_normal(tree),
        steps=frozenset(
            (type(node).__name__, type(below).__name__) for node in nodes for below in ast.iter_child_nodes(node)
        ),
    )


def features_of(pool: Sequence[Submission], rates: Sequence[tuple[float, float]]) -> list[list[float]]:
    """Return a row of `NAMES` for each answer.

    Args:
        pool: all answers to one task that are known.
        rates: of each, the logit of its model's and of its variant's rate.
    """
    return [row_of(at, pool, rate) for at, rate in enumerate(rates)]


def row_of(at: int, pool: Sequence[Submission], rate: tuple[float, float]) -> list[float]:
    """Return the row of one answer of a pool."""
    shapes = [shape_of(answer.code) for answer in pool]
    shape, others = shapes[at], max(len(pool) - 1, 1)
    middle = sorted(other.of_code[1] for other in shapes)[len(shapes) // 2]
    alike = sum(_overlap(shape.steps, other.steps) for place, other in enumerate(shapes) if place != at)
    same = sum(other.normal == shape.normal for other in shapes) - 1 if shape.normal else 0
    return [*shape.of_code, same / others, alike / others, abs(shape.of_code[1] - middle), *rate]


def _overlap(a: frozenset[tuple[str, str]], b: frozenset[tuple[str, str]]) -> float:
    return len(a & b) / len(a | b) if a and b else 0.0


class _Names(ast.NodeTransformer):
    """Gives variables and arguments numbers in the order in which they are met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(id=self._number(node.id), ctx=node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(arg=self._number(node.arg))

    def _number(self, name: str) -> str:
        return f"v{self._numbers.setdefault(name, len(self._numbers))}"


def _normal(tree: ast.Module) -> str:
    copied = ast.parse(ast.unparse(tree))
    for node in ast.walk(copied):
        if isinstance(node, _DEFINITIONS) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
    return ast.dump(_Names().visit(copied))
