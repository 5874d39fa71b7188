"""A function's syntax tree, indexed once, with what its file says around it."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal, TypeAlias, TypeVar

import libcst as cst

from codeens_server.generation.rewrites.facts import Facts
from codeens_server.syntax.parsing import ParseFailure, parse

Node = TypeVar("Node", bound=cst.CSTNode)

Kind: TypeAlias = Literal[
    "str", "bytes", "int", "float", "bool", "list", "tuple", "set", "frozenset", "dict", "deque", "pattern"
]

BUILTINS = frozenset(dir(builtins))
SCOPES = (cst.FunctionDef, cst.Lambda, cst.ClassDef)
_LAYOUT = (cst.BaseParenthesizableWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Comma)
_BINDERS = (cst.AssignTarget, cst.For, cst.CompFor, cst.NamedExpr, cst.AnnAssign, cst.AugAssign, cst.Del)
_LOOKS_AT_NAMES = frozenset({"locals", "eval", "exec", "vars", "globals", "dir"})


class NotReadable(Exception):
    """The text is not one function that libcst can hold: too deep, or not one definition."""


class FunctionTree:
    """One function definition at the left margin, ready for questions.

    Raises:
        NotReadable: the text cannot be worked on.
    """

    def __init__(self, facts: Facts, text: str) -> None:
        self.facts = facts
        index = _Index()
        # libcst's parser may end the process on nesting that Python itself refuses.
        if isinstance(refused := parse(text), ParseFailure):
            raise NotReadable(str(refused))
        try:
            self.module = cst.parse_module(text)
            self.module.visit(index)
        except (ValueError, RecursionError, MemoryError, cst.ParserSyntaxError) as error:
            raise NotReadable(str(error)) from error
        if len(self.module.body) != 1 or not isinstance(self.module.body[0], cst.FunctionDef):
            raise NotReadable("the text is not one function")
        self.function = self.module.body[0]
        self._parents = index.parents
        self._children = index.children
        self.kinds: dict[str, Kind | None] = {}
        """What is known of variables; `kinds` notes it here."""
        self.element_kinds: dict[str, Kind | None] = {}
        self._bound: dict[cst.CSTNode, frozenset[str]] = {}

    # The tree ---------------------------------------------------------------------------------------------------

    def walk(self, root: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield the node and all below it, in the order of the text."""
        pending = [root]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(self._children.get(node, [])))

    def own(self, kind: type[Node], region: cst.CSTNode | None = None) -> Iterator[Node]:
        """Yield nodes of a kind in the function's body (or a region of it), outside nested functions and classes."""
        start = region or self.function.body
        pending = [start]
        while pending:
            node = pending.pop()
            if isinstance(node, kind):
                yield node
            if node is start or not isinstance(node, SCOPES):
                pending.extend(reversed(self._children.get(node, [])))

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return the node right above."""
        return self._parents.get(node)

    def children(self, node: cst.CSTNode) -> Sequence[cst.CSTNode]:
        """Return what is right below the node, layout left out."""
        return self._children.get(node, ())

    def above(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield what encloses the node, nearest first, up to the function."""
        while node is not self.function and (parent := self._parents.get(node)) is not None:
            yield parent
            node = parent

    def is_inside(self, node: cst.CSTNode, region: cst.CSTNode) -> bool:
        """Return whether the node is the region or below it."""
        return node is region or any(parent is region for parent in self.above(node))

    def code(self, node: cst.CSTNode) -> str:
        """Return the node's text."""
        return self.module.code_for_node(node).strip()

    # Names ------------------------------------------------------------------------------------------------------

    @cached_property
    def local_names(self) -> frozenset[str]:
        """All names that the function binds anywhere, nested scopes included."""
        return self.bound(self.function)

    @cached_property
    def parameters(self) -> dict[str, cst.Param]:
        """The function's own parameters by name."""
        listed = self.function.params
        found = [*listed.posonly_params, *listed.params, *listed.kwonly_params]
        found += [star for star in (listed.star_arg, listed.star_kwarg) if isinstance(star, cst.Param)]
        return {param.name.value: param for param in found}

    @cached_property
    def declared_outside(self) -> frozenset[str]:
        """Names declared global or nonlocal, by the function or by one nested in it."""
        return frozenset(node.name.value for node in self.walk(self.function) if isinstance(node, cst.NameItem))

    @cached_property
    def captured(self) -> frozenset[str]:
        """Names that occur inside nested functions, lambdas and classes."""
        nested = [node for node in self.walk(self.function.body) if isinstance(node, SCOPES)]
        return frozenset(name.value for scope in nested for name in self.variables(scope))

    @cached_property
    def looks_at_names(self) -> bool:
        """Whether the code may look at its own variables by name."""
        return any(name.value in _LOOKS_AT_NAMES for name in self.variables(self.function))

    def bound(self, region: cst.CSTNode) -> frozenset[str]:
        """Return names bound anywhere in the region, scopes not told apart."""
        if region not in self._bound:
            self._bound[region] = frozenset(name for node in self.walk(region) for name in names_bound_by(node))
        return self._bound[region]

    @cached_property
    def _places(self) -> dict[str, list[cst.Name]]:
        """Where each variable occurs, in the order of the text."""
        found: dict[str, list[cst.Name]] = {}
        for node in self.walk(self.function):
            if isinstance(node, cst.Name) and is_variable(node, self.parent(node)):
                found.setdefault(node.value, []).append(node)
        return found

    @cached_property
    def _taken(self) -> frozenset[str]:
        return frozenset(node.value for node in self.walk(self.function) if isinstance(node, cst.Name))

    def variables(self, region: cst.CSTNode, name: str | None = None) -> Iterator[cst.Name]:
        """Yield the places where a variable (any, or the one named) is read or bound."""
        if name is not None:
            return (place for place in self._places.get(name, ()) if self.is_inside(place, region))
        nodes = (node for node in self.walk(region) if isinstance(node, cst.Name))
        return (node for node in nodes if is_variable(node, self.parent(node)))

    def reads(self, region: cst.CSTNode, name: str | None = None) -> Iterator[cst.Name]:
        """Yield the places where a variable is read and not bound; `x += 1` counts as binding."""
        return (node for node in self.variables(region, name) if not self.is_bound_here(node))

    def occurs(self, region: cst.CSTNode, name: str) -> bool:
        """Return whether the region reads or binds the name."""
        return name in self.bound(region) or any(True for _ in self.variables(region, name))

    def is_bound_here(self, name: cst.Name) -> bool:
        """Return whether this very occurrence gives the variable a value (or takes it away)."""
        for parent in self.above(name):
            if isinstance(parent, _BINDERS):
                return any(found is name for found in target_names(parent.target))
            if isinstance(parent, cst.AsName):
                return True
            if not isinstance(parent, cst.Tuple | cst.List | cst.Element | cst.StarredElement):
                return False
        return False

    def is_local(self, name: str) -> bool:
        """Return whether the name is this function's alone: neither shared with a nested scope nor declared."""
        return name in self.local_names and name not in self.captured and name not in self.declared_outside

    def is_free(self, name: str) -> bool:
        """Return whether nothing in sight uses the name."""
        return not (name in self._taken or name in BUILTINS or name in self.facts.names | self.facts.enclosing)

    def is_builtin(self, node: cst.CSTNode, *names: str) -> bool:
        """Return whether the node names one of these builtins (any, if none is given) and nothing shadows it."""
        return (
            isinstance(node, cst.Name)
            and node.value in (names or BUILTINS)
            and not self.facts.binds(node.value)
            and node.value not in self.local_names
        )

    def has_builtin(self, *names: str) -> bool:
        """Return whether the builtins of these names can be used by them."""
        return not any(self.facts.binds(name) or name in self.local_names for name in names)

    def origin(self, node: cst.CSTNode) -> str:
        """Return where an imported name or attribute is from, as `collections.deque`; empty for something else."""
        match node:
            case cst.Name(value=name):
                hidden = name in self.local_names or name in self.facts.enclosing
                return "" if hidden else self.facts.imports.get(name, "")
            case cst.Attribute(value=value, attr=attr):
                owner = self.origin(value)
                return f"{owner}.{attr.value}" if owner else ""
            case _:
                return ""


class _Index(cst.CSTVisitor):
    """Notes each node's parent and children."""

    def __init__(self) -> None:
        super().__init__()
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.children: dict[cst.CSTNode, list[cst.CSTNode]] = {}
        self._path: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if self._path:
            self.parents[node] = self._path[-1]
            self.children.setdefault(self._path[-1], []).append(node)
        self._path.append(node)
        return not isinstance(node, _LAYOUT)

    def on_leave(self, original_node: cst.CSTNode) -> None:
        left = self._path.pop()
        assert left is original_node


def names_bound_by(node: cst.CSTNode) -> Iterator[str]:
    """Yield names that this node gives a value, takes away or declares; nodes below it are not looked at."""
    match node:
        case cst.AssignTarget() | cst.For() | cst.CompFor() | cst.NamedExpr() | cst.AnnAssign() | cst.AugAssign():
            yield from (name.value for name in target_names(node.target))
        case cst.Del():
            yield from (name.value for name in target_names(node.target))
        case cst.AsName(name=name):
            yield from (found.value for found in target_names(name))
        case cst.ImportAlias(asname=None):
            yield node.evaluated_name.split(".")[0]
        case cst.Param(name=name) | cst.FunctionDef(name=name) | cst.ClassDef(name=name) | cst.NameItem(name=name):
            yield name.value
        case cst.MatchAs(name=cst.Name(value=value)) | cst.MatchStar(name=cst.Name(value=value)):
            yield value
        case cst.MatchMapping(rest=cst.Name(value=value)):
            yield value
        case _:
            return


def target_names(target: cst.CSTNode) -> Iterator[cst.Name]:
    """Return the names in an assignment target; attributes and subscripts bind no name."""
    match target:
        case cst.Name():
            yield target
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            for element in elements:
                yield from target_names(element.value)
        case cst.StarredElement(value=value):
            yield from target_names(value)
        case _:
            return


def is_variable(name: cst.Name, parent: cst.CSTNode | None) -> bool:
    """Return whether the name stands for a variable here; names of attributes, keywords and imports do not."""
    match parent:
        case cst.Attribute(value=value) | cst.Arg(value=value):
            return value is name
        case cst.ImportAlias() | cst.ImportFrom() | cst.NameItem() | cst.FunctionDef() | cst.ClassDef() | cst.Param():
            return False
        case cst.MatchKeywordElement(key=key):
            return key is not name
        case _:
            return True
