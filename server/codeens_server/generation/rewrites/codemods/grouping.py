"""Grouping into a defaultdict."""

from __future__ import annotations

from typing import NamedTuple

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import made_above
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.placing import Loop, after
from codeens_server.generation.rewrites.rule import Codemod

FACTORIES = ("list", "set", "dict")


class Grouping(NamedTuple):
    """A place that gets `groups[key]`, made empty where it is missing."""

    groups: str
    factory: str
    node: cst.CSTNode
    """The call of setdefault, or the `if` that adds the missing group."""
    text: str
    """What stands in the node's place; empty when it goes away."""


class SetdefaultToDefaultdict(Codemod):
    """See `rationale`."""

    name = "dict-setdefault-to-defaultdict"
    rationale = "Lets a defaultdict make missing groups, which spares an empty group and a lookup for each element."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        for loop in subject.own(cst.BaseCompoundStatement):
            if isinstance(loop, cst.For | cst.While) and _group_in(subject, edits, loop):
                return


def _group_in(subject: FunctionTree, edits: Edits, loop: Loop) -> bool:
    groupings = [found for node in subject.own(cst.CSTNode, loop.body) if (found := _grouping(subject, node))]
    if not groupings or len({(one.groups, one.factory) for one in groupings}) != 1:
        return False
    name, factory = groupings[0].groups, groupings[0].factory
    made = made_above(subject, loop, name)
    if made is None or not tree.is_empty_dict(made[1]) or not subject.is_local(name):
        return False
    accounted = {id(place) for one in groupings for place in subject.variables(one.node, name)}
    others = [place for place in subject.variables(loop, name) if id(place) not in accounted]
    only_additions = [one for one in groupings if not one.text]
    if len(others) > len(only_additions) or not all(_reads_group(subject, place) for place in others):
        return False
    default = edits.require("collections", "defaultdict")
    if default is None or not subject.has_builtin(factory, "dict"):
        return False
    edits.statement(made[0], f"{name} = {default}({factory})")
    for one in groupings:
        _change(edits, one)
    _give_back_plain(subject, edits, loop, name)
    return True


def _change(edits: Edits, grouping: Grouping) -> None:
    if isinstance(grouping.node, cst.BaseExpression):
        edits.expression(grouping.node, grouping.text)
    elif isinstance(grouping.node, cst.If):
        edits.remove(grouping.node)


def _give_back_plain(subject: FunctionTree, edits: Edits, loop: Loop, name: str) -> None:
    """Give what follows the loop a plain dictionary, which raises KeyError for what is missing."""
    following = after(subject, loop)
    returned = tree.sole(following[0]) if following else None
    if isinstance(returned, cst.Return) and tree.is_name(returned.value, name):
        edits.small(returned, f"return dict({name})")
    else:
        edits.after(loop, f"{name} = dict({name})")


def _grouping(subject: FunctionTree, node: cst.CSTNode) -> Grouping | None:
    if isinstance(node, cst.If):
        return _added_if_missing(subject, node)
    call = tree.method_call(node) if isinstance(node, cst.BaseExpression) else None
    if call is None or call.method != "setdefault" or len(call.args) != 2 or not isinstance(call.receiver, cst.Name):
        return None
    factory = _empty(call.args[1])
    text = f"{call.receiver.value}[{subject.code(call.args[0])}]"
    return Grouping(call.receiver.value, factory, node, text) if factory else None


def _added_if_missing(subject: FunctionTree, node: cst.If) -> Grouping | None:
    """Match `if k not in d: d[k] = []`, followed by a use of `d[k]`."""
    if node.orelse is not None or not isinstance(subject.parent(node), cst.IndentedBlock):
        return None
    match node.test, tree.only_line(node.body):
        case (
            cst.Comparison(
                left=left, comparisons=[cst.ComparisonTarget(operator=cst.NotIn(), comparator=cst.Name(value=name))]
            ),
            cst.Assign(targets=[cst.AssignTarget(target=target)], value=value),
        ):
            item, factory, following = tree.index_of(target), _empty(value), after(subject, node)
            if item is None or not tree.is_name(item[0], name) or not tree.same(item[1], left) or not following:
                return None
            wanted = f"{name}[{subject.code(left)}]"
            uses = [one for one in subject.own(cst.Subscript, following[0]) if subject.code(one) == wanted]
            is_simple = isinstance(following[0], cst.SimpleStatementLine)
            return Grouping(name, factory, node, "") if factory and uses and is_simple else None
        case _:
            return None


def _reads_group(subject: FunctionTree, place: cst.Name) -> bool:
    parent = subject.parent(place)
    return isinstance(parent, cst.Subscript) and not isinstance(
        subject.parent(parent), cst.AssignTarget | cst.AugAssign | cst.Del
    )


def _empty(node: cst.BaseExpression) -> str:
    """Return which of list, set and dict an expression makes empty."""
    if tree.is_empty_list(node):
        return "list"
    if tree.is_empty_dict(node):
        return "dict"
    return "set" if tree.call_of(node, "set") == [] else ""
