"""Remembering the results of a recursive function while one call of it lasts."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from msgspec.structs import replace

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.function_tree import SCOPES, FunctionTree, NotReadable
from codeens_server.generation.rewrites.kinds import annotated_kind
from codeens_server.generation.rewrites.purity import is_pure_call, suspends
from codeens_server.generation.rewrites.recursion import is_method, is_own_call, most_on_a_path, own_calls
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.values import gives_value, is_plain_number, takes_hashable
from codeens_server.workspace.indent import dedent

_CHANGES = (*SCOPES, cst.Global, cst.Nonlocal, cst.Del, cst.With, cst.Try, cst.TryStar)
_TEXT = frozenset({"str", "bytes"})


class Memoise(Codemod):
    """See `rationale`.

    The results are kept in a dictionary of the call: nothing outlives it, no frame is added to each turn of the
    recursion (a decorator adds one, so that the recursion limit is met at half the depth), and a method can have it.
    """

    name = "memoise"
    rationale = (
        "Remembers results while a call lasts, so that a recursion which meets the same arguments again and again "
        "computes each only once."
    )

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        if made := _memoised(subject):
            edits.node(subject.function, made)
            return
        for nested in subject.own(cst.FunctionDef):
            if made := _memoised_inside(subject, nested):
                edits.node(nested, made)
                return


def _memoised_inside(subject: FunctionTree, nested: cst.FunctionDef) -> cst.FunctionDef | None:
    names = [node.name.value for node in subject.walk(subject.function) if isinstance(node, cst.FunctionDef)]
    places = [place for place in subject.variables(subject.function, nested.name.value) if subject.is_bound_here(place)]
    facts = subject.facts
    inside = replace(
        facts,
        enclosing=facts.enclosing | subject.local_names,
        overridden=names.count(nested.name.value) != 1 or bool(places),
    )
    try:
        inner = FunctionTree(inside, dedent(subject.module.code_for_node(nested.with_changes(leading_lines=()))))
    except NotReadable:
        return None
    made = _memoised(inner)
    return made.with_changes(leading_lines=nested.leading_lines) if made else None


def _memoised(subject: FunctionTree) -> cst.FunctionDef | None:
    """Return the function with its body in an inner one that remembers; None where that is not possible or no use."""
    if not _is_plain_function(subject) or most_on_a_path(subject) < 2 or not _is_pure_function(subject):
        return None
    keys = [name for name in _own_parameters(subject) if not _is_passed_on(subject, name)]
    if not keys or not all(takes_hashable(subject, subject.parameters[name]) for name in keys):
        return None
    edits = Edits(subject)
    known, inner = edits.fresh("known"), edits.fresh("compute")
    key, parts = edits.fresh("key"), _key_parts(subject, keys)
    is_kept = keys == parts and len(keys) == 1 and keys[0] not in subject.bound(subject.function.body)
    for call in own_calls(subject):
        edits.node(call.func, cst.Name(inner))
    wanted = keys[0] if is_kept else key
    stored = _storing(FunctionTree(subject.facts, edits.applied()), f"{known}[{wanted}]")
    head = "" if is_kept else f"{key} = {', '.join(parts)}\n"
    head += f"if {wanted} in {known}:\n    return {known}[{wanted}]\n"
    return _wrapped(subject, stored, known, inner, head) if stored else None


def _storing(subject: FunctionTree, place: str) -> str | None:
    """Return the function's text with each result kept in a place before it is returned; None if none is worth it."""
    edits = Edits(subject)
    for statement in subject.own(cst.Return):
        line, value = subject.parent(statement), statement.value
        if isinstance(line, cst.SimpleStatementLine) and value and not _is_trivial(subject, value):
            edits.statement(line, f"{place} = {subject.code(value)}\nreturn {place}")
    return edits.applied() if edits else None


def _wrapped(subject: FunctionTree, recursive: str, known: str, inner: str, head: str) -> cst.FunctionDef | None:
    """Return the original's definition around the recursive function of this text."""
    config = subject.module.config_for_parsing
    function = cst.parse_module(recursive, config).body[0]
    if not isinstance(function, cst.FunctionDef) or not isinstance(function.body, cst.IndentedBlock):
        return None
    outer = subject.function
    documentation = function.body.body[:1] if function.get_docstring() is not None else ()
    body = [*cst.parse_module(head, config).body, *function.body.body[len(documentation) :]]
    compute = function.with_changes(
        name=cst.Name(inner),
        params=_bare_params(subject, function.params),
        returns=None,
        decorators=(),
        leading_lines=(cst.EmptyLine(indent=False),),
        body=function.body.with_changes(body=body),
    )
    passed = ", ".join(_passed(subject))
    ending = cst.parse_module(f"\nreturn {inner}({passed})\n", config).body[0]
    ending = ending.with_changes(leading_lines=(cst.EmptyLine(indent=False),))
    opening = cst.parse_module(f"{known} = {{}}\n", config).body
    block = function.body.with_changes(body=[*documentation, *opening, compute, ending], footer=())
    return outer.with_changes(body=block)


def _is_plain_function(subject: FunctionTree) -> bool:
    function = subject.function
    decorators = [subject.code(one.decorator) for one in function.decorators]
    stars = isinstance(function.params.star_kwarg, cst.Param) or isinstance(function.params.star_arg, cst.Param)
    defaults = [param.default for param in subject.parameters.values() if param.default is not None]
    is_simple = all(isinstance(one, cst.BaseNumber | cst.SimpleString | cst.Name) for one in defaults)
    return (
        decorators in ([], ["staticmethod"])
        and function.asynchronous is None
        and not (stars or "cls" in subject.parameters or subject.facts.overridden or suspends(subject, function.body))
        and is_simple
    )


def _own_parameters(subject: FunctionTree) -> list[str]:
    return [name for name in subject.parameters if name != "self"]


def _passed(subject: FunctionTree) -> list[str]:
    listed = subject.function.params.kwonly_params
    by_keyword = {param.name.value for param in listed}
    return [f"{name}={name}" if name in by_keyword else name for name in _own_parameters(subject)]


def _bare_params(subject: FunctionTree, params: cst.Parameters) -> cst.Parameters:
    """Return the parameters without `self` and without annotations, which would be evaluated at each call."""

    def bare(listed: Sequence[cst.Param]) -> list[cst.Param]:
        kept = [one for one in listed if not (is_method(subject) and one.name.value == "self")]
        return [one.with_changes(annotation=None, equal=cst.MaybeSentinel.DEFAULT) for one in kept]

    posonly = bare(params.posonly_params)
    return params.with_changes(
        posonly_params=posonly,
        posonly_ind=params.posonly_ind if posonly else cst.MaybeSentinel.DEFAULT,
        params=bare(params.params),
        kwonly_params=bare(params.kwonly_params),
    )


def _is_passed_on(subject: FunctionTree, name: str) -> bool:
    """Return whether each call that the function makes of itself hands the parameter on as it is."""
    if name in subject.bound(subject.function.body):
        return False
    place = _own_parameters(subject).index(name)
    for call in own_calls(subject):
        by_place = call.args[place] if place < len(call.args) else None
        given = next((arg for arg in call.args if arg.keyword and arg.keyword.value == name), by_place)
        is_by_place = given is not None and given.keyword is None and not any(arg.star for arg in call.args)
        if given is None or not (is_by_place or given.keyword) or not tree.is_name(given.value, name):
            return False
    return True


def _key_parts(subject: FunctionTree, keys: list[str]) -> list[str]:
    """Return what tells calls apart: 1, 1.0 and True are equal, and yet may lead to other results."""
    parts: list[str] = []
    for name in keys:
        param = subject.parameters[name]
        kind = annotated_kind(param.annotation.annotation) if param.annotation else None
        is_told = kind in _TEXT or (kind == "int" and is_plain_number(subject, name))
        parts += [name] if is_told else [name, f"type({name})"]
    return parts


def _is_trivial(subject: FunctionTree, node: cst.BaseExpression) -> bool:
    """Return whether a result is quicker to give again than to remember: a constant, or a parameter as it came."""
    if isinstance(node, cst.UnaryOperation):
        return _is_trivial(subject, node.expression)
    if isinstance(node, cst.Name) and node.value in subject.parameters:
        return node.value not in subject.bound(subject.function.body)
    return isinstance(node, cst.BaseNumber | cst.SimpleString) or (
        isinstance(node, cst.Name) and node.value in ("True", "False", "None")
    )


def _is_pure_function(subject: FunctionTree) -> bool:
    """Return whether the function changes nothing, and gives nothing that a caller could change."""
    body = subject.function.body
    if any(isinstance(node, _CHANGES) for node in subject.walk(body)):
        return False
    for node in subject.walk(body):
        if isinstance(node, cst.Call) and not is_own_call(subject, node) and not is_pure_call(subject, node):
            return False
        if isinstance(node, cst.AssignTarget | cst.AugAssign) and not isinstance(node.target, cst.Name | cst.Tuple):
            return False
    if is_method(subject) and any(
        not isinstance(subject.parent(one), cst.Attribute) for one in subject.reads(body, "self")
    ):
        return False
    returned = [one.value for one in subject.own(cst.Return)]
    return all(value is not None and gives_value(subject, value) for value in returned)
