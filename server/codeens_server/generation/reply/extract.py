"""Make a replacement out of a model's reply, whatever its shape.

A reply is cut into parts (fences, prose); each part is read statement by statement, so that prose, prints, asserts and
torn ends fall away. The last definition of the target with a real body is taken, from the likeliest part that has one;
without any definition the parts are read as the body of the target. What the definition uses is gathered around it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from codeens_server.domain import Replacement
from codeens_server.generation.reply.assemble import Stub, assemble, fit, read_stub
from codeens_server.generation.reply.python_text import Statement, statements_of
from codeens_server.parsing import parse
from codeens_server.workspace.functions import FunctionNode, is_body_missing
from codeens_server.workspace.indent import dedented, indented
from codeens_server.workspace.text import lines_of

MOST_CHARACTERS = 100_000
"""Of a reply that are read; a function is never that long."""
FENCE = re.compile(r"^(?P<before>.*?)(?P<mark>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)(?P<after>.*)$")
PYTHON = {"python", "py", "python3", "python2", "py3", "pycon", "ipython", "sage"}
LONGEST_REMARK = 400


class Unusable(Exception):
    """The reply holds no implementation of the target; the message says what it holds instead."""


class _Found(NamedTuple):
    """A definition of the target, and the statements of the part it is from."""

    text: str
    beside: list[Statement]


def extract(reply: str, target_name: str, *, stub: str, is_method: bool) -> Replacement:
    """Return the implementation of a function that a model's reply holds.

    Args:
        reply: what the model wrote, of any shape.
        target_name: the function's name.
        stub: what the model was asked to complete or replace: imports, helpers, and the definition of the target.
        is_method: whether the target stands in a class.

    Raises:
        Unusable: there is none, or it is torn off before its end.
    """
    text = reply[:MOST_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    own = read_stub(stub, target_name)
    if not text.strip():
        raise Unusable("the reply is empty")
    likely = by_likelihood(parts(text))
    found = _find_definition(likely, target_name, is_method) or (own and _find_body(likely, own))
    if found is None:
        raise Unusable(_why_not(text, target_name))
    function = fit(found.text, own) if own else found.text.rstrip()
    others = [statement for part in parts(text)[:-1] if part.rank < 2 for statement in statements_of(part.text)]
    return assemble(function, target_name, [found.beside, others], own.around if own else ())


def _find_definition(likely: list[Part], name: str, is_method: bool) -> _Found | None:
    for part in likely:
        for text in _readings(part.text, name):
            found = statements_of(text)
            definition = _last_definition(found, name, is_method)
            if definition is not None:
                return definition
    return None


def _readings(text: str, name: str) -> Iterator[str]:
    """Yield the text as it is, and mended where the margin of the definition or of its body is wrong."""
    yield text
    bare = re.search(rf"^(?:async[ \t]+)?def[ \t]+{re.escape(name)}[ \t]*\(.*:[ \t]*\n+(?=\S)", text, re.MULTILINE)
    if bare:
        yield text[: bare.end()] + indented(text[bare.end() :], "    ")
    match = re.search(rf"^([ \t]+)(?:async[ \t]+)?def[ \t]+{re.escape(name)}\b", text, re.MULTILINE)
    if match and not re.search(r"^class\b", text[: match.start()], re.MULTILINE):
        margin = match[1]
        yield "".join(line.removeprefix(margin) for line in lines_of(text))


def _last_definition(found: list[Statement], name: str, is_method: bool) -> _Found | None:
    for statement in reversed(found):
        if (
            isinstance(statement.node, FunctionNode)
            and statement.node.name == name
            and not is_body_missing(statement.node)
        ):
            return _Found(statement.text, [other for other in found if other is not statement])
    for statement in reversed(found):
        inner = _inner_definition(statement, name)
        if inner is None:
            continue
        beside = [other for other in found if other is not statement]
        if isinstance(statement.node, ast.ClassDef) and not is_method:
            plain = unwrap(statement.node, name)
            if plain is None:
                continue
            *siblings, text = plain
            return _Found(text, [*beside, *(sibling for code in siblings for sibling in statements_of(code))])
        return _Found(inner, beside)
    return None


def _inner_definition(statement: Statement, name: str) -> str | None:
    """Return the last definition of that name inside of a class or function, at the left margin."""
    tree = parse(statement.text)
    inner = [
        node
        for node in (ast.walk(tree) if isinstance(tree, ast.Module) else ())
        if isinstance(node, FunctionNode) and node.name == name and node.col_offset and not is_body_missing(node)
    ]
    if not inner:
        return None
    last = inner[-1]
    first_line = min([last.lineno, *(decorator.lineno for decorator in last.decorator_list)])
    return dedented("".join(lines_of(statement.text)[first_line - 1 : last.end_lineno])).rstrip()


def _find_body(likely: list[Part], own: Stub) -> _Found | None:
    """Return the target's own signature with a part of the reply as its body."""
    for part in likely:
        if re.search(rf"\bdef[ \t]+{re.escape(own.name)}\b", part.text):
            continue  # a torn definition is no body
        for body in _bodies(part.text):
            found = statements_of(f"{own.written.header}\n{body}\n")
            definition = _last_definition(found, own.name, is_method=False)
            if definition is not None:
                return definition
    return None


def _bodies(text: str) -> Iterator[str]:
    """Yield the text as a body: as it is; moved in; with the indentation that its first line lost."""
    yield text
    stripped = text.lstrip("\n")
    tree = parse(stripped)
    if isinstance(tree, ast.Module) and any(_leaves(statement) for statement in tree.body):
        yield indented(stripped, "    ")
    second = re.match(r"\S.*\n\s*\n?([ \t]+)\S", stripped)
    if second:
        margins = re.findall(r"^[ \t]+(?=\S)", stripped, re.MULTILINE)
        yield f"{min(margins, key=len)}{stripped}"


def _leaves(statement: ast.stmt) -> bool:
    """Return whether a statement at the top of a text returns, which it could only do in a function."""
    if isinstance(statement, ast.Return):
        return True
    if isinstance(statement, ast.ClassDef | FunctionNode):
        return False
    return any(isinstance(child, ast.stmt) and _leaves(child) for child in ast.iter_child_nodes(statement))


def _why_not(text: str, name: str) -> str:
    if re.search(rf"\bdef[ \t]+{re.escape(name)}\b", text):
        return f"the reply's definition of {name!r} is torn off, has no body, or is not valid Python"
    if re.search(r"^[ \t]*(?:async[ \t]+)?def[ \t]", text, re.MULTILINE):
        return f"the reply defines other functions but not {name!r}"
    return "the reply holds no Python code that could be the function"


class Part(NamedTuple):
    """A run of lines of a reply.

    `rank`: 0 a Python fence, 1 a fence of no language, 2 outside of fences, 3 a fence of another language.
    """

    rank: int
    text: str


def parts(reply: str) -> list[Part]:
    """Return the reply cut at its fences, in order, and last the whole reply (a docstring may hold a fence)."""
    found: list[Part] = []
    lines: list[str] = []
    rank = 2
    mark = ""
    for line in reply.split("\n"):
        fence = FENCE.match(line)
        if fence is None or (mark and not _closes(fence, mark)) or (not mark and not _opens(fence)):
            lines.append(line)
            continue
        found.append(Part(rank, "\n".join(lines)))
        lines = []
        if mark:
            rank, mark = 2, ""
        else:
            mark = fence["mark"]
            rank = _rank(fence["language"])
    found.append(Part(rank, "\n".join(lines)))
    return [*(part for part in found if part.text.strip()), Part(2, reply)]


def by_likelihood(found: list[Part]) -> list[Part]:
    """Order Python fences first; of equals the last in the reply first, as it is the one a model ends with."""
    *cut, whole = found
    cut.reverse()
    return [*sorted(cut, key=lambda part: part.rank), whole]


def remark_of(reply: str) -> str:
    """Return the first paragraph after the last fence: what a model says of its answer; empty when it says nothing."""
    *_, last, _whole = [Part(2, ""), *parts(reply)]
    if last.rank != 2 or len(parts(reply)) < 3:
        return ""
    paragraph = " ".join(last.text.strip().split("\n\n")[0].split())
    return paragraph if len(paragraph) <= LONGEST_REMARK else f"{paragraph[: LONGEST_REMARK - 1]}…"


def _opens(fence: re.Match[str]) -> bool:
    """Return whether a fence opens; within a line only if nothing follows its language ("Here it is: ```python")."""
    if fence["before"].strip():
        return fence["language"].lower() in PYTHON and not fence["after"].strip()
    return fence["mark"][0] not in fence["after"]


def _closes(fence: re.Match[str], mark: str) -> bool:
    bare = not fence["before"].strip() and not fence["language"]
    return bare and fence["mark"].startswith(mark)


def _rank(language: str) -> int:
    if not language:
        return 1
    return 0 if language.lower() in PYTHON else 3


def unwrap(wrapper: ast.ClassDef, name: str) -> list[str] | None:
    """Return the method `name` and the siblings it calls as plain functions, the method last.

    None when the class cannot be left out: the method uses the instance for more than calling siblings.
    Comments are lost, as the text is written anew.
    """
    methods = {item.name: item for item in wrapper.body if isinstance(item, FunctionNode)}
    needed: list[str] = []
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in needed:
            continue
        needed.append(current)
        plain = _Plain(wrapper.name, methods)
        methods[current] = plain.convert(methods[current])
        if plain.bound_to_class:
            return None
        waiting.extend(plain.siblings)
    return [ast.unparse(ast.fix_missing_locations(methods[sibling])) for sibling in reversed(needed)]


class _Plain(ast.NodeTransformer):
    """Rewrites `self.sibling` to `sibling`, and notices every other use of the instance or the class."""

    def __init__(self, class_name: str, methods: dict[str, FunctionNode]) -> None:
        self.owners = {class_name}
        self.methods = methods
        self.siblings: list[str] = []
        self.bound_to_class = False

    def convert(self, method: FunctionNode) -> FunctionNode:
        static = any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in method.decorator_list)
        method.decorator_list = [
            item
            for item in method.decorator_list
            if not (isinstance(item, ast.Name) and item.id in ("staticmethod", "classmethod"))
        ]
        positional = method.args.posonlyargs or method.args.args
        if not static and positional:
            self.owners.add(positional.pop(0).arg)
        self.generic_visit(method)
        return method

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self.owners and node.attr in self.methods:
            self.siblings.append(node.attr)
            return ast.Name(node.attr, node.ctx)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        self.bound_to_class |= node.id in self.owners
        return node
