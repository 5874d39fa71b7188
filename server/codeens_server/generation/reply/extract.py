"""Make replacements out of a model's reply, whatever its shape.

Thinking and marks of the chat's format are taken off first. What is left is read as it stands, as a change of the
function that was shown, and without one kind of quoting after the other, until there is a definition of the target.
A text is read part by part (fences, prose) and statement by statement, so that prose, prints, asserts and torn ends
fall away. Each distinct definition counts; without any, the parts are read as the body of the target.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from codeens_server.domain.target import Replacement
from codeens_server.generation.reply.assemble import Stub, assemble, digest, fit, read_stub
from codeens_server.generation.reply.class_wrapper import unwrap
from codeens_server.generation.reply.cleaning import Cleaned, clean
from codeens_server.generation.reply.parts import FENCED, PROSE, Part, by_likelihood, parts
from codeens_server.generation.reply.patches import applied, changes_of
from codeens_server.generation.reply.placeholders import left_out_in
from codeens_server.generation.reply.python_text import Statement, renamed, statements_of
from codeens_server.generation.reply.unwrapping import unwrapped
from codeens_server.syntax.parsing import parse
from codeens_server.workspace.functions import FunctionNode, is_body_missing, same_code
from codeens_server.workspace.indent import dedented, indented
from codeens_server.workspace.text import lines_of

_MOST_DEFINITIONS = 4
"""Of one reply that are judged; each costs a place in the sandbox, and no observed reply means more."""


class Unusable(Exception):
    """The reply holds no implementation of the target; the message says what it holds instead."""


class Taken(NamedTuple):
    """An implementation that a reply holds."""

    replacement: Replacement
    receipt: tuple[str, ...]
    """What of the reply was left out or taken off, in words for people."""


class _Found(NamedTuple):
    """A definition of the target, and the statements of the part it is from."""

    text: str
    beside: list[Statement]


class _Text(NamedTuple):
    """A text to read, and how it was made from the reply, in words for people."""

    text: str
    how: str
    may_be_body: bool = True
    """Whether it may be the body of the target alone; the lines of a change are no body."""


def extract(reply: str, target_name: str, *, stub: str, is_method: bool, was_cut: bool = False) -> tuple[Taken, ...]:
    """Return the implementations of a function that a model's reply holds, the likeliest first; no two are the same.

    The function as it stands in the stub is one only where the reply holds no other.

    Args:
        reply: what the model wrote, of any shape.
        target_name: the function's name.
        stub: what the model was asked to complete or replace: imports, helpers, and the definition of the target.
        is_method: whether the target stands in a class.
        was_cut: whether the reply ends where the model had to stop.

    Raises:
        Unusable: there is none, or it is torn off before its end.
    """
    cleaned = clean(reply)
    own = read_stub(stub, target_name)
    reader = _Reader(target_name, own, stub, is_method=is_method)
    for source in _sources(cleaned, was_cut=was_cut):
        for text in _texts(source.text, stub, target_name):
            taken = reader.read(text)
            if taken:
                how = tuple(f"read from {part}" for part in (source.how, text.how) if part)
                return tuple(Taken(each, (*cleaned.receipt, *how, *reader.dropped)) for each in taken)
    raise Unusable(_why_not(cleaned, reader, target_name, was_cut=was_cut))


def _sources(cleaned: Cleaned, *, was_cut: bool) -> Iterator[_Text]:
    """Yield where an answer may stand: outside of the thinking; else in it, unless that was cut off."""
    yield _Text(cleaned.text, "")
    if cleaned.thinking and not (cleaned.is_thinking_open and was_cut):
        yield _Text(cleaned.thinking, "what was marked as thinking")


def _texts(text: str, stub: str, name: str) -> Iterator[_Text]:
    changes = changes_of(text)
    if changes:
        patched = applied(changes, stub)
        yield _Text(patched or "", "a change of the function that was shown")
        yield _Text("\n".join("\n".join(change.new) for change in changes), "the new lines of a change", False)
    yield _Text(text, "", not changes)
    for what, inner in unwrapped(text, name):
        yield _Text(inner, what)


class _Reader:
    """Reads texts for one target, and remembers what it saw of it and did not take."""

    def __init__(self, name: str, own: Stub | None, shown: str, *, is_method: bool) -> None:
        self.dropped: tuple[str, ...] = ()
        """What was passed over in the text that was read last."""
        self.placeholder = ""
        """A mark by which a definition says that it leaves code out."""
        self._name = name
        self._own = own
        self._shown = shown
        self._is_method = is_method

    def read(self, source: _Text) -> list[Replacement]:
        """Return the implementations in a text, the likeliest first."""
        self.dropped = ()
        if not source.text.strip():
            return []
        cut = parts(source.text)
        likely = by_likelihood(cut)
        found = _definitions(likely, self._name, self._is_method)
        if not found:
            body = _find_body(likely, self._own) if self._own and source.may_be_body else None
            other = body or _under_another_name(likely, self._name, self._own)
            found = [other] if other else []
        others = [statement for part in cut[:-1] if part.rank < PROSE for statement in statements_of(part.text)]
        return self._chosen(found, others)

    def _chosen(self, found: list[_Found], others: list[Statement]) -> list[Replacement]:
        chosen: dict[str, Replacement] = {}
        original: Replacement | None = None
        for each in found:
            mark = left_out_in(each.text, self._shown)
            if mark:
                self.placeholder = mark
                self.dropped += (f"a definition that leaves code out ({mark!r}) passed over",)
                continue
            function = fit(each.text, self._own) if self._own else each.text.rstrip()
            around = self._own.around if self._own else ()
            replacement = assemble(function, self._name, [each.beside, others], around)
            if self._is_original(replacement):
                original = replacement
                continue
            chosen.setdefault(digest(replacement), replacement)
        if original is not None:
            if not chosen:
                return [original]
            self.dropped += ("the original, repeated, passed over",)
        if len(chosen) > 1:
            self.dropped += (f"one of {len(chosen)} different definitions",)
        return list(chosen.values())[:_MOST_DEFINITIONS]

    def _is_original(self, replacement: Replacement) -> bool:
        if self._own is None or replacement.helpers:
            return False
        written = self._own.written
        return same_code(replacement.function, f"{written.decorators}{written.header}{written.body}")


def _definitions(likely: list[Part], name: str, is_method: bool) -> list[_Found]:
    """Return all definitions of the likeliest part that has one, and of other parts that are marked as code."""
    found: list[_Found] = []
    for part in likely:
        if found and part.rank > FENCED:
            break
        for text in _readings(part.text, name):
            inside = list(_definitions_in(statements_of(text), name, is_method))
            if inside:
                found += inside
                break
    return found


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


def _definitions_in(found: list[Statement], name: str, is_method: bool) -> Iterator[_Found]:
    """Yield the definitions at the top of a text, the last first; without any, those inside of classes and blocks."""
    top = [
        _Found(statement.text, [other for other in found if other is not statement])
        for statement in reversed(found)
        if isinstance(statement.node, FunctionNode)
        and statement.node.name == name
        and not is_body_missing(statement.node)
    ]
    yield from top
    for statement in () if top else reversed(found):
        inner = _inner_definitions(statement, name)
        if not inner:
            continue
        beside = [other for other in found if other is not statement]
        if isinstance(statement.node, ast.ClassDef) and not is_method:
            plain = unwrap(statement.node, name)
            if plain is not None:
                *siblings, text = plain
                yield _Found(text, [*beside, *(sibling for code in siblings for sibling in statements_of(code))])
        else:
            yield from (_Found(text, beside) for text in inner)


def _inner_definitions(statement: Statement, name: str) -> list[str]:
    """Return the definitions of that name inside of a class, a function or a block, at the left margin, last first."""
    tree = parse(statement.text)
    inner = [
        node
        for node in (ast.walk(tree) if isinstance(tree, ast.Module) else ())
        if isinstance(node, FunctionNode) and node.name == name and node.col_offset and not is_body_missing(node)
    ]
    lines = lines_of(statement.text)
    firsts = [min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) for node in inner]
    texts = ["".join(lines[first - 1 : node.end_lineno]) for first, node in zip(firsts, inner, strict=True)]
    return [dedented(text).rstrip() for text in reversed(texts)]


def _under_another_name(likely: list[Part], name: str, own: Stub | None) -> _Found | None:
    """Return the function that a part binds to the name (`f = fast_f`), or its only one, if its parameters fit."""
    for part in likely:
        found = statements_of(part.text)
        functions = {item.node.name: item for item in found if isinstance(item.node, FunctionNode)}
        aliases = [other for item in found if (other := _alias(item.node, name)) in functions]
        if not aliases and len(functions) == 1 and own is not None:
            (only,) = functions.values()
            assert isinstance(only.node, FunctionNode)
            if _parameters(only.node) == _parameters(own.written.node) and not is_body_missing(only.node):
                aliases = list(functions)
        if aliases:
            chosen = functions[aliases[-1]]
            beside = [item for item in found if item is not chosen and not _alias(item.node, name)]
            return _Found(renamed(chosen.text, aliases[-1], name), beside)
    return None


def _alias(node: ast.stmt, name: str) -> str:
    match node:
        case ast.Assign(targets=[ast.Name(id=bound)], value=ast.Name(id=other)) if bound == name:
            return other
        case _:
            return ""


def _parameters(node: FunctionNode) -> list[str]:
    arguments = node.args
    return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _find_body(likely: list[Part], own: Stub) -> _Found | None:
    """Return the target's own signature with a part of the reply as its body."""
    for part in likely:
        if re.search(rf"\bdef[ \t]+{re.escape(own.name)}\b", part.text):
            continue  # a torn definition is no body
        for body in _bodies(part.text):
            found = statements_of(f"{own.written.header}\n{body}\n")
            definition = next(_definitions_in(found, own.name, is_method=False), None)
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


def _why_not(cleaned: Cleaned, reader: _Reader, name: str, *, was_cut: bool) -> str:
    text = cleaned.text
    if not text.strip():
        if cleaned.is_thinking_open and was_cut:
            return "the reply was cut off while the model was thinking"
        if not cleaned.thinking:
            return "the reply is empty"
    if reader.placeholder:
        return f"the reply's definition of {name!r} leaves code out: {reader.placeholder}"
    if changes_of(text):
        return f"the reply is a change of lines that {name!r} does not have"
    if re.search(rf"\bdef[ \t]+{re.escape(name)}\b", text):
        return f"the reply's definition of {name!r} is torn off, has no body, or is not valid Python"
    if re.search(r"^[ \t]*(?:async[ \t]+)?def[ \t]", text, re.MULTILINE):
        return f"the reply defines other functions but not {name!r}"
    return "the reply holds no Python code that could be the function"
