"""Which names a node of a libcst tree binds, by itself."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst


def names_bound_by(node: cst.CSTNode) -> Iterator[str]:
    """Names that this node gives a value, takes away or declares; nodes below it are not looked at."""
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
    """The names in an assignment target; attributes and subscripts bind no name."""
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
    """Whether the name stands for a variable here; names of attributes, keywords and imports do not."""
    match parent:
        case cst.Attribute(value=value) | cst.Arg(value=value):
            return value is name
        case cst.ImportAlias() | cst.ImportFrom() | cst.NameItem() | cst.FunctionDef() | cst.ClassDef() | cst.Param():
            return False
        case cst.MatchKeywordElement(key=key):
            return key is not name
        case _:
            return True
