"""What a method sees of a task: some answers, what they did, some generated tests; never who is right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple, TypeAlias

from codeens_server.bench.selection.matrix import MatrixTest, TaskMatrix
from codeens_server.ranking.agreement import NOTHING

Outputs: TypeAlias = tuple[int, ...]


class SeenTest(NamedTuple):
    """A test among those that a method sees."""

    input: int
    holds: frozenset[int]


class MethodView:
    """Answers by position.

    Attributes:
        outcomes: what each answer did on every input, as labels of `TaskMatrix.outputs`.
        outputs: the same with values alone; all else is `NOTHING`.
        drawn: how many inputs, the last ones, are of no test.
    """

    def __init__(
        self, outcomes: Sequence[Outputs], tests: Sequence[SeenTest], examples: Sequence[SeenTest], drawn: int = 0
    ) -> None:
        self.outcomes = tuple(outcomes)
        self.outputs = tuple(tuple(max(label, NOTHING) for label in row) for row in outcomes)
        self.drawn = drawn
        self.tests = tuple(tests)
        self.examples = tuple(examples)

    @cached_property
    def passed(self) -> tuple[int, ...]:
        """By answer, the tests that it passes, as a set of bits."""
        return tuple(_bits(row, self.tests) for row in self.outputs)

    @cached_property
    def examples_passed(self) -> tuple[int, ...]:
        """By answer, how many examples of the prompt it passes."""
        return tuple(_bits(row, self.examples).bit_count() for row in self.outputs)


def view_of(matrix: TaskMatrix, answers: Sequence[int], blocks: frozenset[int] | None = None) -> MethodView:
    """Return what is seen of a task.

    Args:
        matrix: what ran.
        answers: places of answers in the pool, in the order of the view.
        blocks: only tests of these blocks; None: of all.
    """
    tests = [test for test in matrix.tests if blocks is None or not blocks.isdisjoint(test.blocks)]
    return MethodView(
        [matrix.outputs[matrix.program_of[answer]] for answer in answers],
        [_seen(test) for test in tests],
        [_seen(test) for test in matrix.examples],
        matrix.drawn,
    )


def _seen(test: MatrixTest) -> SeenTest:
    return SeenTest(test.input, test.holds)


def _bits(row: Outputs, tests: Sequence[SeenTest]) -> int:
    return sum(1 << at for at, test in enumerate(tests) if row[test.input] in test.holds)
