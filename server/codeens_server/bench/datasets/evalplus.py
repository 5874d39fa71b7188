"""EvalPlus' form (github.com/evalplus/evalplus): inputs only, answered by the reference where the tests run.

The tests hold the reference under another name; the judge runs them outside the candidate's process, which never sees
them. Answers are compared as EvalPlus compares: equal, or floats within a tolerance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct

from codeens_server.tasks.schema import Task

Inputs: TypeAlias = list[list[Any]]


class EvalPlusLine(Struct, frozen=True, kw_only=True):
    """A line of HumanEvalPlus.jsonl or MbppPlus.jsonl."""

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    base_input: list[Any]
    plus_input: list[Any] | dict[str, Any]
    """A table where there is none."""
    atol: float = 0.0


_COMPARE = """
def _floats(value):
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(item, float) for item in value)
    return isinstance(value, float)


def _close(got, expected, tolerance):
    if isinstance(expected, (list, tuple)):
        return (
            type(got) is type(expected)
            and len(got) == len(expected)
            and all(_close(a, b, tolerance) for a, b in zip(got, expected))
        )
    numbers = (int, float, complex)
    if not isinstance(got, numbers) or not isinstance(expected, numbers):
        return got == expected
    return got == expected or abs(got - expected) <= tolerance + 1e-7 * abs(expected)


def _equal(got, expected, tolerance):
    if not tolerance and _floats(expected):
        tolerance = 1e-6
    return got == expected or bool(tolerance) and _close(got, expected, tolerance)
"""

_CHECK = """
def check(candidate):
    for arguments in _inputs:
        expected = _reference(*copy.deepcopy(arguments))
        got = candidate(*copy.deepcopy(arguments))
        assert {condition}, "wrong answer"
"""
_EQUAL = "_equal(got, expected, {tolerance!r})"
_ROOT = "abs(sum(c * got**i for i, c in enumerate(arguments[0]))) <= {tolerance!r}"
"""HumanEval/32 asks for any zero of a polynomial."""
_ANY_ZERO = "HumanEval/32"


def task_of(
    line: EvalPlusLine, *, reference: str, prompt: str, restored: Callable[[Inputs], Inputs] | None = None
) -> Task:
    """Return a line as a task.

    Args:
        line: what the data set says.
        reference: the solution as a whole program.
        prompt: what the task asks.
        restored: gives inputs the types that JSON has no word for.
    """
    plus = line.plus_input if isinstance(line.plus_input, list) else []
    inputs: Inputs = [*line.base_input, *plus]
    inputs = restored(inputs) if restored else inputs
    condition = (_ROOT if line.task_id == _ANY_ZERO else _EQUAL).format(tolerance=line.atol)
    tests = [
        "import copy",
        "from math import inf, nan",
        f"_space = {{}}\nexec({reference!r}, _space)\n_reference = _space[{line.entry_point!r}]",
        f"_inputs = {inputs!r}",
        _COMPARE,
        _CHECK.format(condition=condition),
    ]
    return Task(
        id=line.task_id,
        prompt=prompt,
        entry_point=line.entry_point,
        tests="\n".join(tests),
        reference_solution=reference,
        metadata={"base_inputs": len(line.base_input), "plus_inputs": len(plus)},
    )
