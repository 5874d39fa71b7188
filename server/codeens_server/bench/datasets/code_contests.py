"""CodeContests (github.com/google-deepmind/code_contests): programs from stdin to stdout.

Rows are as the data set has them, with numbers for languages, sources and difficulties and columns of texts for tests,
or as `codeens data etl` writes them.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from codeens_server.bench.datasets.base import Choice, Dataset, Hub, Item, Row, TestsKind, typed
from codeens_server.errors import ConfigError
from codeens_server.tasks.schema import Difficulty, OutputChecker, Task, TaskCase

PYTHON3 = 3
SOURCES = ("unknown", "codechef", "codeforces", "hackerearth", "codejam", "atcoder", "aizu")
LEVELS: dict[int, Difficulty] = {1: "easy", 2: "medium", 3: "hard", 4: "extreme", 5: "extreme"}
"""EASY, MEDIUM, HARD, HARDER and HARDEST."""
FIRST_LETTER = 7
"""From here on a number is a letter of Codeforces: 7 is A."""
_LETTERS: tuple[Difficulty, ...] = ("easy", "easy", "medium", "medium", "hard")
"""A to E; what comes after is extreme."""
SLOWER = 5.0
"""Limits are made for compiled languages: Python gets this times as long, and no less than `LEAST_S`."""
LEAST_S = 10.0
_DEFAULT_S = 2.0
_LEAST_MEMORY = 256 << 20
"""Python's own need is on top of what a program in C++ gets."""
MOST_REFERENCES = 5
_KINDS: tuple[TestsKind, ...] = ("public", "private", "generated")


class IO(Struct, frozen=True, kw_only=True):
    """Tests as columns."""

    input: list[str] = []
    output: list[str] = []


class Solutions(Struct, frozen=True, kw_only=True):
    """Programs as columns, the language as a number."""

    language: list[int] = []
    solution: list[str] = []


class TimeLimit(Struct, frozen=True, kw_only=True):
    """A limit of time, where there is one."""

    seconds: int | None = None
    nanos: int | None = None


class RawRow(Struct, frozen=True, kw_only=True):
    """A row of the data set's parquet files."""

    name: str
    description: str
    public_tests: IO = IO()
    private_tests: IO = IO()
    generated_tests: IO = IO()
    source: int = 0
    difficulty: int = 0
    solutions: Solutions = Solutions()
    incorrect_solutions: Solutions = Solutions()
    cf_rating: int | None = None
    cf_tags: list[str] | None = None
    time_limit: TimeLimit | None = None
    memory_limit_bytes: int | None = None
    input_file: str | None = None
    output_file: str | None = None


COLUMNS = list(RawRow.__struct_fields__)


class ContestProblem(Struct, frozen=True, kw_only=True):
    """A contest's problem in words and numbers that stand for themselves."""

    id: str
    prompt: str
    source: str
    difficulty: Difficulty | None = None
    time_limit_s: float | None = None
    """As the contest had it, for a compiled program."""
    memory_limit_bytes: int | None = None
    public_tests: list[tuple[str, str]] = []
    """Each an input and the output for it."""
    private_tests: list[tuple[str, str]] = []
    generated_tests: list[tuple[str, str]] = []
    solutions: list[str] = []
    """In Python 3."""
    incorrect_solutions: list[str] = []
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])


def problem_of(row: Row, place: str) -> ContestProblem:
    """Return a row of the data set with its numbers translated and the programs of other languages left out.

    Raises:
        ConfigError: a field is missing or strange (named).
    """
    raw = typed({name: value for name, value in row.items() if value is not None}, RawRow, place)
    return ContestProblem(
        id=raw.name,
        prompt=raw.description,
        source=SOURCES[raw.source] if 0 <= raw.source < len(SOURCES) else SOURCES[0],
        difficulty=difficulty_of(raw.difficulty),
        time_limit_s=_seconds(raw.time_limit),
        memory_limit_bytes=raw.memory_limit_bytes or None,
        public_tests=_pairs(raw.public_tests, f"{place}: public_tests"),
        private_tests=_pairs(raw.private_tests, f"{place}: private_tests"),
        generated_tests=_pairs(raw.generated_tests, f"{place}: generated_tests"),
        solutions=_python(raw.solutions, f"{place}: solutions"),
        incorrect_solutions=_python(raw.incorrect_solutions, f"{place}: incorrect_solutions"),
        metadata={"cf_rating": raw.cf_rating, "cf_tags": raw.cf_tags or []} if raw.cf_rating else {},
    )


def difficulty_of(number: int) -> Difficulty | None:
    """Return what a number of the data set means; None: it is not known, or judged elsewhere."""
    if number >= FIRST_LETTER:
        letter = number - FIRST_LETTER
        return _LETTERS[letter] if letter < len(_LETTERS) else "extreme"
    return LEVELS.get(number)


def item(row: Row, place: str, choice: Choice) -> Item:
    """Return a row of either form as a task, judged by the tests of the choice."""
    problem = typed(row, ContestProblem, place) if "prompt" in row else problem_of(row, place)
    of_kind = {
        "public": problem.public_tests,
        "private": problem.private_tests,
        "generated": problem.generated_tests,
    }
    kinds = choice.tests or _KINDS
    tests = [test for kind in kinds for test in of_kind[kind]]
    if not tests:
        message = f"{place}: there are no tests of the kind {', '.join(kinds)}."
        raise ConfigError(message)
    memory = problem.memory_limit_bytes
    return Item(
        task=_task(problem, tests),
        public=_task(problem, problem.public_tests) if problem.public_tests else None,
        references=tuple(problem.solutions[:MOST_REFERENCES]),
        memory_bytes=None if memory is None else memory + _LEAST_MEMORY,
    )


def _task(problem: ContestProblem, tests: list[tuple[str, str]]) -> Task:
    seconds = max(LEAST_S, SLOWER * (problem.time_limit_s or _DEFAULT_S))
    return Task(
        id=problem.id,
        prompt=problem.prompt,
        entry_point="main",
        test_cases=tuple(TaskCase(stdin=given, expected_output=out, timeout=seconds) for given, out in tests),
        checker=OutputChecker(compare="tokens", ignore_case=True, absolute_tolerance=1e-5),
        difficulty=problem.difficulty,
        metadata={"source": problem.source, **problem.metadata},
    )


def _seconds(limit: TimeLimit | None) -> float | None:
    return None if limit is None else (limit.seconds or 0) + (limit.nanos or 0) / 1e9 or None


def _pairs(tests: IO, place: str) -> list[tuple[str, str]]:
    if len(tests.input) != len(tests.output):
        message = f"{place} has {len(tests.input)} inputs and {len(tests.output)} outputs."
        raise ConfigError(message)
    return list(zip(tests.input, tests.output, strict=True))


def _python(programs: Solutions, place: str) -> list[str]:
    if len(programs.language) != len(programs.solution):
        message = f"{place} has {len(programs.language)} languages and {len(programs.solution)} programs."
        raise ConfigError(message)
    pairs = zip(programs.language, programs.solution, strict=True)
    return [source for language, source in pairs if language == PYTHON3]


DATASET = Dataset(
    name="code_contests",
    file=None,
    hub=Hub(repo="deepmind/code_contests", pattern="data/valid-*.parquet"),
    item=item,
    has_test_kinds=True,
)
