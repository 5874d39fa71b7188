"""What a module's text says of the types it defines: classes, aliases, type variables, imported names."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codeens_server.syntax.parsing import ParseFailure, parse

_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})
_EMPTY_BASES = frozenset({"object", "Generic"})
_MAKE_OTHERWISE = ("__new__", "__getattribute__", "__setattr__", "__init_subclass__", "__getstate__", "__setstate__")


class Field(NamedTuple):
    """One field of an instance, a named tuple or a typed dictionary."""

    name: str
    annotation: ast.expr
    """Its type; of a `fixed` field the literal that every instance begins with."""
    required: bool = True
    fixed: bool = False


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
        """Return what an instance holds, or a typed dictionary; None where the text does not tell all of it.

        A dataclass with `__post_init__`, computed fields or bases from elsewhere is not told by its fields; any other
        class is told where it has no `__init__`, or one that only keeps its parameters and literals, and counts.
        `below` holds the classes being resolved, so that a circle of bases ends.
        """
        node = self.classes[name]
        if self.is_named_tuple(name) or self.is_typed_dict(name):
            return _annotated(node)
        if _is_dataclass(node):
            is_told = not _has_method(node, "__post_init__") and not _has_method(node, "__init__")
            return self._with_inherited(name, _annotated(node), below) if is_told else None
        if node.decorator_list or node.keywords or any(_has_method(node, special) for special in _MAKE_OTHERWISE):
            return None
        if (init := _method(node, "__init__")) is not None:
            return _kept_by_init(init, name.rpartition(".")[2]) if _bases(node) <= {"object"} else None
        return self._with_inherited(name, [], below)

    def _with_inherited(self, name: str, own: list[Field] | None, below: frozenset[str]) -> list[Field] | None:
        node = self.classes[name]
        inherited: list[Field] = []
        for base in node.bases:
            above_name = dotted_name(base)
            if last_name(base) in _EMPTY_BASES:
                continue
            known = above_name in self.classes and above_name not in below
            above = self.fields(above_name, below | {name}) if known else None
            if above is None:
                return None
            inherited += above
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
    return _method(node, name) is not None


def _method(node: ast.ClassDef, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    found = (item for item in node.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return next((item for item in found if item.name == name), None)


def _bases(node: ast.ClassDef) -> set[str]:
    return {last_name(base) for base in node.bases}


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


def _kept_by_init(init: ast.FunctionDef | ast.AsyncFunctionDef, owner: str) -> list[Field] | None:
    """Return the fields that an `__init__` sets which does nothing else; None for any other."""
    arguments = init.args
    if arguments.vararg or arguments.kwarg or isinstance(init, ast.AsyncFunctionDef) or not arguments.args:
        return None
    instance, given = arguments.args[0].arg, {item.arg: item.annotation for item in _given(arguments)}
    fields: dict[str, Field] = {}
    for statement in init.body:
        if _says_nothing(statement) or _counts_elsewhere(statement, instance):
            continue
        field = _kept(statement, instance, given)
        if field is None:
            return None
        name = f"_{owner.lstrip('_')}{field.name}" if _is_mangled(field.name) else field.name
        fields[name] = field._replace(name=name)
    return list(fields.values())


def _given(arguments: ast.arguments) -> list[ast.arg]:
    return [*arguments.posonlyargs, *arguments.args[1:], *arguments.kwonlyargs]


def _says_nothing(statement: ast.stmt) -> bool:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, ast.Pass)


def _counts_elsewhere(statement: ast.stmt, instance: str) -> bool:
    """Return whether a statement only adds to something that is not the instance's: `Account.opened += 1`."""
    if not isinstance(statement, ast.AugAssign) or not isinstance(statement.target, ast.Attribute):
        return False
    return all(not isinstance(node, ast.Name) or node.id != instance for node in ast.walk(statement))


def _kept(statement: ast.stmt, instance: str, given: dict[str, ast.expr | None]) -> Field | None:
    """Return the field that `self.name = parameter` or `self.name = literal` sets."""
    if isinstance(statement, ast.AnnAssign):
        target, value = statement.target, statement.value
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    else:
        return None
    if not isinstance(target, ast.Attribute) or dotted_name(target.value) != instance or value is None:
        return None
    if isinstance(value, ast.Name):
        annotation = given.get(value.id)
        return Field(target.attr, annotation) if annotation is not None else None
    return Field(target.attr, value, fixed=True) if _is_literal(value) else None


def _is_mangled(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return False
    return True
