"""Tables of pandas where no example shows one: with the columns that the function names, of types that their use and
their names speak for.
"""

from __future__ import annotations

import ast
import base64
import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.sample import Samples
from codeens_server.evidence.strategies.definitions import last_name
from codeens_server.evidence.strategies.tables import grown
from codeens_server.syntax.parsing import ParseFailure, parse

_IMPORTS_PANDAS = re.compile(r"^\s*(import|from) pandas\b", re.MULTILINE)
_OR_NONE = re.compile(r"(?:\w+\.)?Optional\[(.*)\]|\s*\|\s*None\b")
_KINDS = frozenset({"DataFrame", "Series"})
_NAMES = frozenset({"df", "frame", "dataframe"})
_OF_FRAMES = frozenset(
    (
        *("groupby", "merge", "sort_values", "reset_index", "set_index", "dropna", "fillna", "pivot_table", "iterrows"),
        *("drop_duplicates", "itertuples", "assign", "loc", "iloc", "query", "columns", "nlargest", "nsmallest"),
    )
)
"""What is asked of a frame, and of nothing else that is common."""
_TAKES_COLUMNS = _OF_FRAMES - {"query", "fillna"} | {"pivot", "explode", "melt", "drop"}
_BY_NAME = (
    ("moments", re.compile(r"date|time|_at$|^day$|month", re.IGNORECASE)),
    ("ints", re.compile(r"(^|_)(id|qty|quantity|count|year|age|n|units)s?$", re.IGNORECASE)),
    ("texts", re.compile(r"name|city|country|category|type|customer|status|group|label|key|code", re.IGNORECASE)),
)
_ROWS = 4
_DAY = 86_400_000_000_000
_MOMENTS = (19_700 * _DAY, 19_701 * _DAY + _DAY // 2, 19_700 * _DAY, 19_789 * _DAY)


def _packed(dtype: str, letter: str, *items: float) -> Encoded:
    return ["ndarray", dtype, [_ROWS], "C", base64.b64encode(struct.pack(f"<{_ROWS}{letter}", *items)).decode("ascii")]


_COLUMNS: dict[str, Encoded] = {
    "floats": _packed("<f8", "d", 1.0, 2.5, -1.0, 2.5),
    "ints": _packed("<i8", "q", 1, 3, 2, 3),
    "texts": ["list", "a", "b", "a", "B c"],
    "moments": _packed("<M8[ns]", "q", *_MOMENTS),
}
_IN_TURN: Encoded = ["pandas", "RangeIndex", None, 0, _ROWS, 1]
_FILTERED: Encoded = ["pandas", "Index", None, _packed("<i8", "q", 7, 0, 3, 2)]
"""As what was left out and sorted leaves it."""


class Tables(NamedTuple):
    """What a function's text says of the tables that it is given."""

    source: str
    has_pandas: bool

    def of(self, name: str, annotation: str | None) -> Samples | None:
        """Return tables for a parameter; None where it is none."""
        tree = parse(self.source)
        if isinstance(tree, ParseFailure) or not self.has_pandas:
            return None
        kind = _OR_NONE.sub(r"\1", annotation or "").strip("\"' ").rpartition(".")[2]
        if kind not in _KINDS:
            kind = "DataFrame" if annotation is None and _is_frame(tree, name) else ""
        if not kind:
            return None
        indexes = (_IN_TURN, _IN_TURN, _FILTERED)
        if kind == "Series":
            values = _COLUMNS[_accessed(tree, name) or "floats"]
            return grown([["pandas", kind, None, index, values] for index in indexes], complete=True)
        columns = _columns(tree) or {"a": "floats", "b": "ints", "name": "texts"}
        labels: Encoded = ["pandas", "Index", None, ["list", *columns]]
        values = ["list", *(_COLUMNS[column] for column in columns.values())]
        return grown([["pandas", kind, labels, index, values] for index in indexes], complete=True)


def tables_in(source: str, module: str) -> Tables:
    """Read the text of a function, and of the module around it."""
    return Tables(source, _IMPORTS_PANDAS.search(module) is not None)


def _is_frame(tree: ast.AST, name: str) -> bool:
    """Whether a bare parameter is called a frame, or something is asked of it that only frames have."""
    asked = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }
    return not asked.isdisjoint(_OF_FRAMES) or (name in _NAMES and bool(_columns(tree)))


def _columns(tree: ast.AST) -> dict[str, str]:
    """Return the kinds of columns that a text names, by their names."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        for name, kind in _named(node):
            found[name] = kind or found.get(name, "")
    return {name: kind or _spoken(name) for name, kind in found.items()}


def _named(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield names of columns in a node, with the kind that their use speaks for; empty where it speaks for none."""
    match node:
        case ast.Attribute(value=ast.Subscript(slice=ast.Constant(value=str(name))), attr="str" | "dt" as attribute):
            yield name, "texts" if attribute == "str" else "moments"
        case ast.Compare(
            left=ast.Subscript(slice=ast.Constant(value=str(name))), comparators=[ast.Constant(value=str())]
        ):
            yield name, "texts"
        case ast.Subscript(slice=key):
            yield from ((name, "") for name in _texts(key))
        case ast.Call(func=ast.Attribute(attr=called), args=args, keywords=keywords) if called in _TAKES_COLUMNS:
            given = [
                *args,
                *(item.value for item in keywords if item.arg in {"by", "on", "subset", "index", "columns"}),
            ]
            yield from ((name, "texts" if called == "groupby" else "") for each in given for name in _texts(each))
        case _:
            pass


def _texts(node: ast.expr) -> list[str]:
    items = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
    return [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]


def _spoken(name: str) -> str:
    return next((kind for kind, pattern in _BY_NAME if pattern.search(name)), "floats")


def _accessed(tree: ast.AST, name: str) -> str:
    """Return the kind of a series by its accessors."""
    accessors = {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and last_name(node.value) == name
    }
    return "texts" if "str" in accessors else "moments" if "dt" in accessors else ""
