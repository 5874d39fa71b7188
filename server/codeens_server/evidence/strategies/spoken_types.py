"""Types of bare parameters that are told elsewhere: by who calls the function, and by its docstring."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from codeens_sandbox_backends.programs import Encoded
from codeens_server.domain.target import Parameter, Target
from codeens_server.evidence.literal_calls import NotLiteral, literal
from codeens_server.evidence.strategies.definitions import dotted_name
from codeens_server.syntax.parsing import ParseFailure, parse

_MOST_CALLS = 50
_TEXTS = frozenset({"text", "string", "str", "word", "line", "name", "path", "sentence", "character", "substring"})
_TEXT_METHODS = frozenset(
    {"join", "strip", "lower", "upper", "replace", "title", "format", "read", "decode", "lstrip", "rstrip"}
)
_MADE_BY: Mapping[str, str] = {
    **dict.fromkeys(("str", "input", "repr", "chr"), "str"),
    **dict.fromkeys(("int", "len", "ord", "round"), "int"),
    **dict.fromkeys(("float",), "float"),
    **dict.fromkeys(("set", "frozenset"), "set"),
    **dict.fromkeys(("dict", "Counter"), "dict"),
    **dict.fromkeys(("iter",), "iter"),
}
_MANY = r"(?:lists?|sequences?|iterables?|arrays?|tuples?)\s*(?:of|\[)\s*(?:\w+\s+)?"
_SAID = (
    (_MANY + r"(?:words?|strings?|strs?|texts?|names?|lines?)", "texts"),
    (_MANY + r"(?:numbers?|ints?|integers?)", "numbers"),
    (r"(?:lists?|sequences?)\s+of\s+(?:lists?|rows?)|matrix|grid", "matrix"),
    (r"dict(?:ionary)?|mapping", "dict"),
    (r"\b(?:text|string|str)\b", "str"),
    (r"\b(?:integer|int)\b", "int"),
    (r"\bfloat\b", "float"),
    (r"\b(?:bool|boolean|flag)\b", "bool"),
    (r"\biterators?\b|\bgenerators?\b", "iter"),
)
"""What a docstring says of a parameter, and the kind of `type_guess` that it speaks for."""


def kinds_by_callers(target: Target, source: str) -> dict[str, set[str]]:
    """Return, for each parameter, kinds of values that calls of the target in a module's text give it.

    A kind is a word of `type_guess.KINDS`, or `: ` and an annotation of the caller's own parameter.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for parameter, value, around in _given(target, source):
        if kind := _kind(value, around):
            found[parameter].add(kind)
    return found


def literals_of_callers(target: Target, source: str) -> dict[str, list[Encoded]]:
    """Return, for each parameter, the values that calls of the target in a module's text write out."""
    found: defaultdict[str, list[Encoded]] = defaultdict(list)
    for parameter, value, _ in _given(target, source):
        with suppress(NotLiteral):
            found[parameter].append(literal(value))
    return found


def _given(
    target: Target, source: str
) -> Iterator[tuple[str, ast.expr, ast.FunctionDef | ast.AsyncFunctionDef | None]]:
    """Yield parameters, what callers give for them, and the function around the call."""
    tree = parse(source)
    if isinstance(tree, ParseFailure) or target.kind not in {"function", "staticmethod", "classmethod"}:
        return
    name = target.qualname.rpartition(".")[2]
    skipped = 1 if target.kind == "classmethod" else 0
    names = [item.name for item in target.parameters if item.kind in {"positional", "normal"}][skipped:]
    for _, (call, around) in zip(range(_MOST_CALLS), _calls(tree, name, None), strict=False):
        given = [*zip(names, call.args, strict=False), *((item.arg, item.value) for item in call.keywords if item.arg)]
        yield from ((parameter, value, around) for parameter, value in given)


def _calls(
    node: ast.AST, name: str, around: ast.FunctionDef | ast.AsyncFunctionDef | None
) -> Iterator[tuple[ast.Call, ast.FunctionDef | ast.AsyncFunctionDef | None]]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        if node.name == name:
            return
        around = node
    if isinstance(node, ast.Call) and dotted_name(node.func).rpartition(".")[2] == name:
        yield node, around
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, name, around)


def _kind(value: ast.expr, around: ast.FunctionDef | ast.AsyncFunctionDef | None) -> str:
    """Return what an argument is by its form; empty where that says nothing."""
    match value:
        case ast.JoinedStr():
            return "str"
        case ast.Constant(value=constant):
            kind = type(constant).__name__
            return kind if kind in {"str", "int", "float", "bool", "bytes"} else ""
        case ast.List(elts=elements) | ast.Tuple(elts=elements) if elements:
            return {"str": "texts", "int": "numbers"}.get(_kind(elements[0], around), "")
        case ast.Dict() | ast.DictComp():
            return "dict"
        case ast.Call(func=ast.Name(id=called)):
            return _MADE_BY.get(called, "")
        case ast.Call(func=ast.Attribute(attr=called)):
            return "str" if called in _TEXT_METHODS else "texts" if called in {"split", "splitlines"} else ""
        case ast.GeneratorExp():
            return "iter"
        case ast.Name(id=name):
            return _kind_of_name(name, around)
        case _:
            return ""


def _kind_of_name(name: str, around: ast.FunctionDef | ast.AsyncFunctionDef | None) -> str:
    if around is None:
        return ""
    arguments = around.args
    own = next(
        (item for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs) if item.arg == name), None
    )
    if own is not None and own.annotation is not None:
        return f": {ast.unparse(own.annotation)}"
    if own is not None:
        return "str" if name.lower() in _TEXTS else ""
    bound = [
        node.value
        for node in ast.walk(around)
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets)
    ]
    return _kind(bound[0], None) if bound else ""


def kinds_by_docstring(docstring: str, parameters: Sequence[Parameter]) -> dict[str, set[str]]:
    """Return, for each parameter, kinds of values that a docstring says it takes: `codes: a list of words`."""
    found: dict[str, set[str]] = {}
    for parameter in parameters:
        name = re.escape(parameter.name)
        after = rf"(?<!\w){name}`{{0,2}}\s*(?:\(|:|is |are |--?\s)(?P<told>[^\n]{{1,120}})"
        before = rf":param\s+(?P<told>\w[\w\[\], ]*?)\s+{name}:"
        matches = (match for pattern in (after, before) for match in re.finditer(pattern, docstring))
        text = " ".join(match["told"] for match in matches).lower()
        kinds: set[str] = set()
        for pattern, kind in _SAID:
            if re.search(pattern, text):
                kinds.add(kind)
                # What speaks for a container of texts does not speak for a text.
                text = re.sub(pattern, " ", text)
        if kinds:
            found[parameter.name] = kinds
    return found
