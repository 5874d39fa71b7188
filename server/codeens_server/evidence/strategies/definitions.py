"""What a module's text says of the types it defines: classes, aliases, type variables, imported names."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codeens_server.parsing import ParseFailure, parse

_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})


class Field(NamedTuple):
    """One field of a dataclass, named tuple or typed dictionary."""

    name: str
    annotation: ast.expr
    required: bool = True


class Definitions:
    """Names of a module, resolved from its syntax tree alone."""

    def __init__(self, source: str) -> None:
        self.classes: dict[str, ast.ClassDef] = {}
        self.aliases: dict[str, ast.expr] = {}
        self.type_variables: dict[str, ast.Call | None] = {}
        self._imported: dict[str, str] = {}
        tree = parse(source)
        if not isinstance(tree, ParseFailure):
            self._read_body(tree.body, "")

    def _read_body(self, body: list[ast.stmt], prefix: str) -> None:
        for statement in body:
            match statement:
                case ast.ClassDef():
                    self.classes[prefix + statement.name] = statement
                    self._read_body(statement.body, f"{prefix}{statement.name}.")
                case ast.Import(names=names):
                    self._imported.update({alias.asname or alias.name: alias.name for alias in names})
                case ast.ImportFrom(module=module, names=names):
                    self._imported.update({alias.asname or alias.name: f"{module}.{alias.name}" for alias in names})
                case ast.If() | ast.Try():
                    self._read_body([*statement.body, *statement.orelse], prefix)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._read_assignment(prefix + name, value)
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
                    if last_name(annotation) == "TypeAlias":
                        self.aliases[prefix + name] = value
                case _:
                    self._read_alias_statement(statement, prefix)

    def _read_assignment(self, name: str, value: ast.expr) -> None:
        if isinstance(value, ast.Call):
            made_by = last_name(value.func)
            if made_by == "TypeVar":
                self.type_variables[name] = value
            elif made_by == "NewType" and len(value.args) == 2:
                self.aliases[name] = value.args[1]
        elif isinstance(value, (ast.Subscript, ast.BinOp, ast.Name, ast.Attribute)):
            self.aliases[name] = value

    def _read_alias_statement(self, statement: ast.stmt, prefix: str) -> None:
        """Read `type X = …`, which the syntax trees of Python 3.12 and later have."""
        if type(statement).__name__ == "TypeAlias":
            name, value = getattr(statement, "name", None), getattr(statement, "value", None)
            if isinstance(name, ast.Name) and isinstance(value, ast.expr):
                self.aliases[prefix + name.id] = value

    def full_name(self, node: ast.expr) -> str:
        """Return the dotted name with its first part replaced by what it was imported as."""
        first, dot, rest = dotted_name(node).partition(".")
        return self._imported.get(first, first) + dot + rest

    def resolve(self, node: ast.expr) -> str:
        """Return the last part of the full name: `L` and `t.List` are `List` where they were imported as such."""
        return self.full_name(node).rpartition(".")[2]

    def enum_members(self, name: str) -> list[str]:
        """Return names of the members of an enum class; empty for another class."""
        node = self.classes[name]
        if not any(last_name(base) in _ENUMS for base in node.bases):
            return []
        assigned = [statement.targets[0] for statement in node.body if isinstance(statement, ast.Assign)]
        return [item.id for item in assigned if isinstance(item, ast.Name) and not item.id.startswith("_")]

    def is_named_tuple(self, name: str) -> bool:
        return any(last_name(base) == "NamedTuple" for base in self.classes[name].bases)

    def is_typed_dict(self, name: str) -> bool:
        return any(last_name(base) == "TypedDict" for base in self.classes[name].bases)

    def fields(self, name: str, below: frozenset[str] = frozenset()) -> list[Field] | None:
        """Return fields of a dataclass, named tuple or typed dictionary; None where the text does not tell them all.

        A dataclass with `__post_init__`, computed fields or bases from elsewhere is not told by its fields.
        `below` holds the classes being resolved, so that a circle of bases ends.
        """
        node = self.classes[name]
        if self.is_named_tuple(name) or self.is_typed_dict(name):
            return _annotated(node)
        if not _is_dataclass(node) or _has_method(node, "__post_init__") or _has_method(node, "__init__"):
            return None
        inherited: list[Field] = []
        for base in node.bases:
            above_name = dotted_name(base)
            known = above_name in self.classes and above_name not in below
            above = self.fields(above_name, below | {name}) if known else None
            if above is None:
                return None
            inherited += above
        own = _annotated(node)
        if own is None:
            return None
        names = {field.name for field in own}
        return [*(field for field in inherited if field.name not in names), *own]


def _annotated(node: ast.ClassDef) -> list[Field] | None:
    total = not any(
        keyword.arg == "total" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        for keyword in node.keywords
    )
    fields: list[Field] = []
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            kind = last_name(statement.annotation)
            if kind == "InitVar" or _is_computed(statement.value):
                return None
            if kind != "ClassVar":
                fields.append(Field(statement.target.id, statement.annotation, total and kind != "NotRequired"))
    return fields


def _is_computed(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and any(
        keyword.arg == "init" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        for keyword in value.keywords
    )


def _is_dataclass(node: ast.ClassDef) -> bool:
    decorators = [item.func if isinstance(item, ast.Call) else item for item in node.decorator_list]
    return any(last_name(item) == "dataclass" for item in decorators)


def _has_method(node: ast.ClassDef, name: str) -> bool:
    return any(isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and item.name == name for item in node.body)


def dotted_name(node: ast.expr) -> str:
    """Return `a.b.c`; empty for anything but names joined by dots, however deep."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def last_name(node: ast.expr) -> str:
    """Return `Optional` for `typing.Optional[int]`; empty where there is no name."""
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
