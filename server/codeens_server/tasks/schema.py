"""Tasks given from outside, and what comes of judging programs on them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, cast

from msgspec import Meta, Struct, field

from codeens_sandbox_backends.jobs import Seconds
from codeens_sandbox_backends.reading import converted
from codeens_server.config.checking import dotted, first_problem
from codeens_server.config.settings import Share
from codeens_server.domain.document import SCHEMA_VERSION, Score
from codeens_server.domain.verdict import Verdict
from codeens_server.errors import ConfigError, InputError
from codeens_server.tasks.reading import document_of
from codeens_server.tasks.source import defines, helpers_of, stub_of

Difficulty: TypeAlias = Literal["easy", "medium", "hard", "extreme"]
_REQUIRED = ("id", "prompt", "entry_point")


class OutputChecker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How what a program prints is held against what it should print."""

    compare: Annotated[
        Literal["exact", "lines", "tokens"],
        Meta(description="lines: white space at the ends of lines does not count. tokens: it only separates."),
    ] = "lines"
    """`exact`: each character counts. `lines`: not the white space at the ends of lines, nor empty lines at the end.
    `tokens`: white space only separates."""
    ignore_case: bool = False
    any_order: bool = False
    """The lines, or with `tokens` the tokens, may come in any order."""
    absolute_tolerance: Share | None = None
    relative_tolerance: Share | None = None
    """Numbers may differ by either tolerance; integers, however they are written, are equal or not, but where other
    cases have a fraction at that place."""


class TaskCase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One test case of a task file: a call or a stdin text, and what must come out."""

    args: Annotated[list[Any], Meta(description="Positional arguments of the call.")] = field(default_factory=list[Any])
    kwargs: dict[str, Any] = field(default_factory=dict[str, Any])
    stdin: Annotated[str | None, Meta(description="Input of a script, in place of args.")] = None
    expected_output: Annotated[
        Any, Meta(description="What the call returns; what a script prints, or a list of texts of which any is right.")
    ]
    """For a call the value; for `stdin` the text, or a list of texts each of which is right."""
    timeout: Seconds | None = None
    weight: Share = 1.0


class Task(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program that is asked for, and what it is judged by: calls, scripts or tests."""

    id: Annotated[str, Meta(description="Any name for it.")]
    prompt: Annotated[str, Meta(description="What to write: a stub with its docstring, or prose.")]
    entry_point: Annotated[str, Meta(description="Name of the function.")]
    test_cases: tuple[TaskCase, ...] = ()
    checker: OutputChecker = OutputChecker()
    """For the cases with `stdin`."""
    tests: Annotated[
        str | None,
        Meta(description="Python source, beside or in place of test_cases: check(candidate), asserts or tests."),
    ] = None
    """Python source: `check(candidate)`, asserts that name the function, test functions as for pytest, or classes of
    unittest."""
    reference_solution: str | None = None
    difficulty: Difficulty | None = None
    version: str | None = None
    """Whatever its author calls this state of it."""
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def from_file(cls, path: str | Path) -> Task:
        """Read and check a task file, JSON or YAML by its suffix.

        Raises:
            ConfigError: it cannot be read, is broken (with the position), or a field is missing or strange (named).
        """
        return cls.from_dict(document_of(Path(path)), name=str(path))

    @classmethod
    def from_dict(cls, document: object, *, name: str = "task") -> Task:
        """Return a task from what JSON or YAML says.

        Args:
            document: an object with the fields of a task.
            name: what messages call it.

        Raises:
            ConfigError: it lacks a field, or has a strange one (named).
        """
        if not isinstance(document, dict):
            message = f"{name}: a task is one object with the fields {', '.join(_REQUIRED)} and test_cases or tests."
            raise ConfigError(message)
        try:
            if wrong := first_problem(cast("object", document), cls, noun="field"):
                raise ConfigError(f"{name}: {dotted(wrong.key)}: {wrong.sentence}")
            task = converted(cast("object", document), cls)
        except RecursionError as error:
            message = f"{name}: {error}."
            raise ConfigError(message) from None
        if problem := _problem(task):
            message = f"{name}: {problem}"
            raise ConfigError(message)
        return task

    @classmethod
    def from_humaneval(cls, problem: Mapping[str, str]) -> Task:
        """Return a problem of HumanEval, a line of its file, as a task.

        Args:
            problem: has `task_id`, `prompt`, `entry_point`, `canonical_solution`, which continues the prompt, and
                `test`, which defines `check(candidate)`.

        Raises:
            ConfigError: a field is missing (named).
        """
        try:
            return cls(
                id=problem["task_id"],
                prompt=problem["prompt"],
                entry_point=problem["entry_point"],
                tests=problem["test"],
                reference_solution=problem["prompt"] + problem["canonical_solution"],
            )
        except KeyError as error:
            message = f"a problem of HumanEval has the field {error.args[0]}, which is missing."
            raise ConfigError(message) from None

    @property
    def wants_script(self) -> bool:
        """Whether a script is asked for, not a function."""
        return any(case.stdin is not None for case in self.test_cases)

    @property
    def reference(self) -> str | None:
        """The reference solution as a whole program, also where it only continues the prompt; None: there is none."""
        return None if self.reference_solution is None else self.joined(self.reference_solution)

    def joined(self, source: str) -> str:
        """Return a whole program, where a text is either that or what continues the prompt."""
        if self.wants_script or defines(source, self.entry_point):
            return source
        continued = self.prompt + source
        return continued if defines(continued, self.entry_point) else source

    def program(self, source: str) -> str:
        """Return a candidate as a whole program: with what the prompt defines around the function, if it left that out.

        Args:
            source: a whole program, the function alone, or what continues the prompt.
        """
        if self.wants_script or not defines(source, self.entry_point):
            return self.joined(source)
        stub = None if "from __future__" in source else stub_of(self.prompt, self.entry_point)
        around = "" if stub is None else helpers_of(stub, self.entry_point)
        return f"{around}\n\n\n{source}" if around else source

    def module(self) -> str:
        """Return a module with the function to be written: the prompt where that is Python, else a stub.

        Raises:
            InputError: the task asks for a script (code `task_wants_script`), or for something that is no function.
        """
        if not self.entry_point.isidentifier():
            message = f"entry_point is {self.entry_point!r}, which is no name of a function."
            raise InputError(message, code="no_function")
        if self.wants_script:
            message = f"task {self.id} asks for a script (its test_cases have stdin), not for a function."
            raise InputError(message, code="task_wants_script")
        if (stub := stub_of(self.prompt, self.entry_point)) is not None:
            return stub
        docstring = ast.unparse(ast.Constant(self.prompt.strip()))
        return f"def {self.entry_point}({', '.join(self._parameters())}):\n    {docstring}\n"

    def _parameters(self) -> list[str]:
        """Return the function's parameters, as the test cases call it."""
        if not self.test_cases:
            return ["*args", "**kwargs"]
        case = self.test_cases[0]
        return [*(f"argument_{number}" for number in range(1, len(case.args) + 1)), *case.kwargs]


def _problem(task: Task) -> str | None:
    """Return what the types do not say."""
    if not task.test_cases and task.tests is None:
        return "the field test_cases or tests is missing: there is nothing to judge by."
    if not task.entry_point.isidentifier():
        return f"entry_point is {task.entry_point!r}, which is no name of a function."
    if task.tests is not None and not task.tests.strip():
        return "the field tests is empty."
    if task.test_cases and sum(case.weight for case in task.test_cases) <= 0:
        return "the weights of test_cases add up to nothing."
    of_cases = (_case_problem(case, f"test_cases[{number}]") for number, case in enumerate(task.test_cases))
    return _checker_problem(task) or next((problem for problem in of_cases if problem), None)


def _case_problem(case: TaskCase, where: str) -> str | None:
    if case.stdin is not None and (case.args or case.kwargs):
        return f"{where} has both stdin and arguments; give one of them."
    if case.stdin is not None and not _are_texts(case.expected_output):
        return f"expected_output of {where} is for stdin and must be a text, or a list of texts of which any is right."
    return None


def _are_texts(expected: object) -> bool:
    texts = cast("list[object]", expected) if isinstance(expected, list) else [expected]
    return bool(texts) and all(isinstance(text, str) for text in texts)


def _checker_problem(task: Task) -> str | None:
    checker = task.checker
    tolerances = [given for given in (checker.absolute_tolerance, checker.relative_tolerance) if given is not None]
    if checker != OutputChecker() and all(case.stdin is None for case in task.test_cases):
        return "checker is for test_cases with stdin, and there is none."
    if checker.compare == "exact" and (tolerances or checker.any_order or checker.ignore_case):
        return 'checker compares "exact", which leaves no room for anything else: drop the rest, or write "lines".'
    if checker.any_order and tolerances and checker.compare != "tokens":
        return 'checker has both any_order and a tolerance, for which compare must be "tokens".'
    return None


class ScoredCandidate(Struct, frozen=True, kw_only=True):
    id: str
    source: str
    model: str = ""
    variant: str = ""


class ScoreResult(Struct, frozen=True, kw_only=True):
    rank: int | None
    candidate: ScoredCandidate
    verdict: Verdict
    weight_passed: float = 0.0
    weight_total: float = 0.0
    score: Score | None = None
    reason: str = ""


class ScoreReport(Struct, frozen=True, kw_only=True):
    """The document of judging candidates on a task."""

    schema_version: int = SCHEMA_VERSION
    task: str
    results: tuple[ScoreResult, ...] = ()
