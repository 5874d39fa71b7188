"""Loops over the rows of a pandas DataFrame, and frames that grow by copies."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import is_used_outside, made_above
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.placing import loops_repeating
from codeens_server.generation.rewrites.rule import Codemod


class RowsToValues(Codemod):
    """See `rationale`. The rows are the same arrays, of the same common type, without a Series made around each."""

    name = "iterrows-to-values"
    rationale = "Goes over the rows as arrays, where iterrows made a Series of each."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        for loop in subject.own(cst.For):
            if _rows_as_arrays(subject, edits, loop):
                return


def _rows_as_arrays(subject: FunctionTree, edits: Edits, loop: cst.For) -> bool:
    call = tree.method_call(loop.iter)
    if call is None or call.method != "iterrows" or call.args or not isinstance(call.receiver, cst.Name):
        return False
    match loop.target:
        case cst.Tuple(elements=[_, cst.Element(value=cst.Name(value=row))]):
            pass
        case _:
            return False
    frame = call.receiver.value
    reads = list(subject.variables(loop.body, row))
    is_pandas = any(origin.split(".")[0] == "pandas" for origin in subject.facts.imports.values())
    columns = [_column(subject, place) for place in reads]
    if not is_pandas or not reads or not all(columns) or is_used_outside(subject, row, loop):
        return False
    if not subject.has_builtin("zip", "enumerate") or loop.asynchronous is not None:
        return False
    positions = edits.fresh(f"{frame.lower().lstrip('_')}_columns")
    position, column = edits.fresh("position"), edits.fresh("column")
    noted = f"{{{column}: {position} for {position}, {column} in enumerate({frame}.columns)}}"
    edits.before(loop, f"{positions} = {noted}")
    edits.expression(loop.iter, f"zip({frame}.index, {frame}.values)")
    for read, name in zip(reads, columns, strict=True):
        access = subject.parent(read)
        if isinstance(access, cst.Subscript):
            edits.expression(access, f"{row}[{positions}[{name}]]")
    return True


def _column(subject: FunctionTree, place: cst.Name) -> str:
    """Return the text of the column's name in `row["name"]`, where that is only read."""
    access = subject.parent(place)
    indexed = tree.index_of(access) if access is not None else None
    if indexed is None or indexed[0] is not place or not isinstance(indexed[1], cst.SimpleString):
        return ""
    parent = subject.parent(access) if access is not None else None
    is_changed = isinstance(parent, cst.AssignTarget | cst.AugAssign | cst.Del | cst.AnnAssign)
    return "" if is_changed or isinstance(parent, cst.Attribute) else subject.code(indexed[1])


class ConcatOnce(Codemod):
    """See `rationale`."""

    name = "concat-once"
    rationale = "Collects the parts and concatenates them once, where each turn copied the whole frame."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        for statement in subject.own(cst.Assign):
            for loop in loops_repeating(subject, statement):
                if _after(subject, edits, statement, loop):
                    return


def _after(subject: FunctionTree, edits: Edits, statement: cst.Assign, loop: cst.For | cst.While) -> bool:
    """Change `frame = pd.concat([frame, part])`, where the loop does nothing else with the frame."""
    match statement:
        case cst.Assign(
            targets=[cst.AssignTarget(target=cst.Name(value=name))],
            value=cst.Call(
                func=func,
                args=[cst.Arg(value=cst.List(elements=[cst.Element(value=first), cst.Element(value=part)])), *rest],
            ),
        ) if subject.origin(func) == "pandas.concat" and tree.is_name(first, name):
            pass
        case _:
            return False
    made = made_above(subject, loop, name)
    if made is None or not subject.is_local(name) or len(list(subject.variables(loop, name))) != 2:
        return False
    if any(arg.keyword is None or not isinstance(arg.value, cst.Name) for arg in rest):
        return False
    parts = edits.fresh(f"{name}_parts")
    options = "".join(f", {subject.code(arg).rstrip(', ')}" for arg in rest)
    edits.before(loop, f"{parts} = []")
    edits.small(statement, f"{parts}.append({subject.code(part)})")
    joined = f"{subject.code(func)}([{name}, *{parts}]{options})"
    edits.after(loop, f"if {parts}:\n    {name} = {joined}\n")
    return True
