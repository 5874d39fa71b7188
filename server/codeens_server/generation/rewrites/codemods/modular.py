"""Powers modulo a number, by three-argument pow."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import assigning, made_above
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.kinds import annotation_of, kind_of
from codeens_server.generation.rewrites.purity import is_pure
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.stability import is_stable


class PowerModulo(Codemod):
    """See `rationale`."""

    name = "pow-mod"
    rationale = "Raises to a power modulo a number with pow(a, b, m), which never makes the huge number in between."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        if not subject.has_builtin("pow"):
            return
        for operation in subject.own(cst.BinaryOperation):
            if text := _reduced_power(subject, operation):
                edits.expression(operation, text)
                return
        for loop in subject.own(cst.For):
            if _multiplied_in_loop(subject, edits, loop):
                return


def _reduced_power(subject: FunctionTree, operation: cst.BinaryOperation) -> str | None:
    """Return the text for `(a ** b) % m`, for whole numbers that both forms take as exponents and moduli."""
    match operation:
        case cst.BinaryOperation(
            left=cst.BinaryOperation(left=base, operator=cst.Power(), right=exponent),
            operator=cst.Modulo(),
            right=modulus,
        ):
            pass
        case cst.BinaryOperation(left=cst.Call() as call, operator=cst.Modulo(), right=modulus):
            args = tree.call_of(call, "pow")
            if args is None or len(args) != 2:
                return None
            base, exponent = args
        case _:
            return None
    parts = (base, exponent, modulus)
    if not all(_is_whole(subject, part) and is_pure(subject, part) for part in parts):
        return None
    power = _power(subject, *parts)
    literal = tree.number(exponent)
    if literal is not None and literal >= 0:
        return power
    if isinstance(subject.parent(operation), cst.IfExp):  # the fallback of this very rewrite
        return None
    return f"({power} if {subject.code(exponent)} >= 0 else {subject.code(operation)})"


def _power(
    subject: FunctionTree, base: cst.BaseExpression, exponent: cst.BaseExpression, modulus: cst.BaseExpression
) -> str:
    """Return the call of pow; reducing the base first raises ZeroDivisionError for 0, as `%` does and pow does not."""
    texts = [subject.code(part) for part in (base, exponent, modulus)]
    if not tree.number(modulus):
        is_simple = isinstance(base, cst.Name | cst.Integer | cst.Call | cst.Subscript | cst.Attribute)
        texts[0] = f"{texts[0]} % {texts[2]}" if is_simple else f"({texts[0]}) % {texts[2]}"
    return f"pow({', '.join(texts)})"


def _is_whole(subject: FunctionTree, node: cst.BaseExpression) -> bool:
    """Return whether the value is a whole number: annotated so, or used as only whole numbers can be."""
    if kind_of(subject, node) == "int":
        return True
    if not isinstance(node, cst.Name) or node.value not in subject.parameters or annotation_of(subject, node.value):
        return False
    if node.value in subject.bound(subject.function.body):
        return False
    return any(_takes_whole_only(subject, place) for place in subject.reads(subject.function.body, node.value))


def _takes_whole_only(subject: FunctionTree, place: cst.Name) -> bool:
    match subject.parent(place):
        case cst.BinaryOperation(operator=cst.LeftShift() | cst.RightShift()):
            return True
        case cst.Arg() as arg:
            call = subject.parent(arg)
            return isinstance(call, cst.Call) and subject.is_builtin(call.func, "range", "bin", "hex")
        case _:
            return False


def _multiplied_in_loop(subject: FunctionTree, edits: Edits, loop: cst.For) -> bool:
    """Match `r = 1` and `for _ in range(n): r = r * a % m`."""
    shape = _multiplication(loop)
    turns = tree.call_of(loop.iter, "range") if subject.is_builtin(getattr(loop.iter, "func", loop), "range") else None
    if shape is None or turns is None or len(turns) != 1 or loop.orelse is not None or loop.asynchronous is not None:
        return False
    name, base, modulus = shape
    made = made_above(subject, loop, name)
    variable = loop.target.value if isinstance(loop.target, cst.Name) else ""
    if made is None or tree.number(made[1]) != 1 or not subject.is_local(name) or not variable:
        return False
    parts = (base, turns[0], modulus)
    names = {found.value for part in parts for found in subject.reads(part)}
    is_free = sum(1 for _ in subject.variables(subject.function, variable)) == 1
    if not is_free or variable in names or not all(is_stable(subject, one, loop) for one in names):
        return False
    if not all(_is_whole(subject, part) and is_pure(subject, part) for part in parts):
        return False
    power = _power(subject, *parts)
    edits.statement(
        loop, assigning(subject, made[0], f"{power} if {subject.code(turns[0])} > 0 else 1"), merged=[made[0]]
    )
    edits.remove(made[0])
    return True


def _multiplication(loop: cst.For) -> tuple[str, cst.BaseExpression, cst.BaseExpression] | None:
    """Match `(r, a, m)` of a loop with only `r = r * a % m`, the factors in either order, or in two statements."""
    match tree.lines(loop.body):
        case [
            cst.Assign(
                targets=[cst.AssignTarget(target=cst.Name(value=name))],
                value=cst.BinaryOperation(
                    left=cst.BinaryOperation(left=left, operator=cst.Multiply(), right=right),
                    operator=cst.Modulo(),
                    right=modulus,
                ),
            )
        ]:
            if tree.is_name(left, name):
                return name, right, modulus
            return (name, left, modulus) if tree.is_name(right, name) else None
        case [
            cst.AugAssign(target=cst.Name(value=name), operator=cst.MultiplyAssign(), value=factor),
            cst.AugAssign(target=cst.Name(value=again), operator=cst.ModuloAssign(), value=modulus),
        ] if name == again:
            return name, factor, modulus
        case _:
            return None
