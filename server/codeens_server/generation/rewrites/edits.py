"""A set of changes to one function's tree, made in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import libcst as cst

from codeens_server.generation.rewrites.function_tree import BUILTINS, FunctionTree
from codeens_server.generation.rewrites.placing import Statement, computed_above


class Edits:
    """Collects changes to a subject's nodes; they must not lie inside of each other.

    Comments above and beside what goes away are kept above what comes instead.
    """

    def __init__(self, subject: FunctionTree) -> None:
        self._subject = subject
        self._nodes: dict[cst.CSTNode, cst.CSTNode] = {}
        self._statements: dict[cst.CSTNode, list[Statement]] = {}
        self._before: dict[cst.CSTNode, list[Statement]] = {}
        self._after: dict[cst.CSTNode, list[Statement]] = {}
        self._new_names: set[str] = set()
        self.imports: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._nodes or self._statements or self._before or self._after)

    def expression(self, node: cst.CSTNode, text: str) -> None:
        """Put an expression in the place of one; the text brings the parentheses it needs."""
        self._nodes[node] = cst.parse_expression(text, self._subject.module.config_for_parsing)

    def node(self, node: cst.CSTNode, new: cst.CSTNode) -> None:
        """Put a node in the place of one of its sort."""
        self._nodes[node] = new

    def small(self, node: cst.BaseSmallStatement, text: str) -> None:
        """Put a simple statement in the place of one that may share its line with others."""
        match self._parsed(text):
            case [cst.SimpleStatementLine(body=[small])]:
                self._nodes[node] = small.with_changes(semicolon=node.semicolon)
            case _:
                raise ValueError(text)

    def decorate(self, text: str) -> None:
        """Add a decorator to the function, below those it has."""
        function = self._subject.function
        decorator = cst.Decorator(cst.parse_expression(text))
        self._nodes[function] = function.with_changes(decorators=[*function.decorators, decorator])

    def before(self, statement: Statement, text: str) -> None:
        """Insert statements above one, below its comments."""
        self._before.setdefault(statement, []).extend(self._parsed(text))

    def fresh(self, wanted: str) -> str:
        """Return a name that nothing in sight uses: the one wanted, or that with a number."""
        name, number = wanted, 2
        while name in self._new_names or not self._subject.is_free(name):
            name, number = f"{wanted}_{number}", number + 1
        self._new_names.add(name)
        return name

    def computed(self, place: Statement, value: str, names: Iterable[str], wanted: str) -> str:
        """Return the variable that holds a value before a statement; where there is none, make it.

        `names` are those that the value is made of, `wanted` is what a new variable should be called.
        """
        name = computed_above(self._subject, place, value, names)
        if name is None:
            name = self.fresh(wanted)
            self.before(place, f"{name} = {value}")
        return name

    def after(self, statement: Statement, text: str) -> None:
        """Insert statements below one."""
        self._after.setdefault(statement, []).extend(self._parsed(text))

    def statement(self, statement: Statement, text: str, *, merged: Sequence[cst.BaseStatement] = ()) -> None:
        """Put statements in the place of one; `merged` are others whose comments they take over."""
        first, *rest = self._parsed(text)
        notes = [line for one in (*merged, statement) for line in _comments(one)]
        opening = merged[0] if merged else statement
        blank = [line for line in getattr(opening, "leading_lines", ()) if line.comment is None]
        self._statements[statement] = [first.with_changes(leading_lines=[*blank, *notes]), *rest]

    def remove(self, statement: Statement) -> None:
        """Take a statement away whose comments are taken over elsewhere."""
        self._statements[statement] = []

    def require(self, module: str, name: str) -> str | None:
        """Import `module.name` where that is needed, and return how it is called; None if its name means something."""
        facts = self._subject.facts
        wanted = f"{module}.{name}"
        for local, origin in facts.imports.items():
            hidden = local in self._subject.local_names or local in facts.enclosing
            if not hidden and origin in (wanted, module):
                return local if origin == wanted else f"{local}.{name}"
        if facts.binds(name) or name in self._subject.local_names or name in BUILTINS:
            return None
        line = f"from {module} import {name}"
        if line not in self.imports:
            self.imports.append(line)
        return name

    def applied(self) -> str:
        """Return the function's text after all changes."""
        transformer = _Transformer(self._nodes, self._statements, self._before, self._after)
        return self._subject.module.visit(transformer).code

    def _parsed(self, text: str) -> list[Statement]:
        return list(cst.parse_module(text, self._subject.module.config_for_parsing).body)


class _Transformer(cst.CSTTransformer):
    def __init__(
        self,
        nodes: dict[cst.CSTNode, cst.CSTNode],
        statements: dict[cst.CSTNode, list[Statement]],
        before: dict[cst.CSTNode, list[Statement]],
        after: dict[cst.CSTNode, list[Statement]],
    ) -> None:
        super().__init__()
        self._nodes = nodes
        self._statements = statements
        self._before = before
        self._after = after

    def on_leave(
        self, original_node: cst.CSTNodeT, updated_node: cst.CSTNodeT
    ) -> cst.CSTNodeT | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNodeT]:
        # What stands in a node's place is of its sort, which the type of this hook cannot say.
        changed = cast("list[cst.CSTNodeT]", self._changed(original_node, updated_node))
        if len(changed) == 1:
            return changed[0]
        return cst.FlattenSentinel(changed) if changed else cst.RemoveFromParent()

    def _changed(self, original: cst.CSTNode, updated: cst.CSTNode) -> list[cst.CSTNode]:
        if original in self._nodes:
            return [self._nodes[original]]
        kept: list[cst.CSTNode] = [*self._statements[original]] if original in self._statements else [updated]
        inserted = self._before.get(original, [])
        if inserted and kept:
            lines = getattr(kept[0], "leading_lines", ())
            first, *rest = inserted
            kept = [first.with_changes(leading_lines=lines), *rest, kept[0].with_changes(leading_lines=()), *kept[1:]]
        return [*kept, *self._after.get(original, [])]


class _CommentFinder(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.Comment] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Comment):
            self.found.append(node)
        return True


def _comments(node: cst.CSTNode) -> list[cst.EmptyLine]:
    finder = _CommentFinder()
    node.visit(finder)
    return [cst.EmptyLine(comment=comment) for comment in finder.found]
