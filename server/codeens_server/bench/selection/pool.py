"""Tasks with several answers and generated tests for each: what selection chooses from, and what it chooses by."""

from __future__ import annotations

from pathlib import Path

from msgspec import UNSET, Struct, UnsetType

from codeens_server.bench.samples import lines_of
from codeens_server.errors import InputError


class _Answers(Struct, frozen=True, kw_only=True):
    """A line of answers: many (`solutions` as in CodeT, `completion_list` as in AgentCoder) or one (`completion`)."""

    task_id: str
    prompt: str = ""
    entry_point: str = ""
    test: str = ""
    solutions: list[str] | UnsetType = UNSET
    completion_list: list[str] | UnsetType = UNSET
    completion: str | UnsetType | None = UNSET
    solution: str | UnsetType | None = UNSET


class _Tests(Struct, frozen=True, kw_only=True):
    """A line of generated tests: blocks of asserts, one for each time that a model was asked."""

    task_id: str
    generated_tests: list[str] | UnsetType = UNSET
    test_case_list: list[str] | UnsetType = UNSET


class AnswerPool(Struct, frozen=True, kw_only=True):
    """A task with the answers to choose from."""

    task_id: str
    prompt: str
    entry_point: str
    test: str
    """The official test, `check(candidate)`: it says which answers are right and is shown to no method."""
    programs: tuple[str, ...]
    """Whole programs, in the order in which they were drawn; equal ones stand in it as often as they were drawn."""
    blocks: tuple[str, ...]
    """Generated tests."""


def load_pools(samples: Path, tests: Path) -> list[AnswerPool]:
    """Return the pools of two files, which may be one; `.gz` is read too.

    Raises:
        InputError: a file cannot be read, a line is of another form (named), a task has no answers, or says nothing of
            its prompt, function or official test.
    """
    blocks: dict[str, list[str]] = {}
    for _, line in lines_of(tests, _Tests):
        found = line.generated_tests or line.test_case_list
        blocks.setdefault(line.task_id, []).extend(found if isinstance(found, list) else [])
    tasks: dict[str, _Answers] = {}
    programs: dict[str, list[str]] = {}
    for number, line in lines_of(samples, _Answers):
        task = tasks.setdefault(line.task_id, line)
        if not (task.prompt and task.entry_point and task.test):
            message = f"{samples}:{number + 1}: the first line of {line.task_id} needs `prompt`, `entry_point`, `test`."
            raise InputError(message)
        programs.setdefault(line.task_id, []).extend(_programs(line, task.prompt))
    empty = next((name for name, found in programs.items() if not found), None)
    if empty is not None or not programs:
        message = f"{samples}: {empty or 'the file'} has no answers (`solutions`, `completion` or `solution`)."
        raise InputError(message)
    if not any(blocks.get(name) for name in tasks):
        message = f"{tests} has no generated tests (`generated_tests`) for the tasks of {samples}."
        raise InputError(message)
    return [
        AnswerPool(
            task_id=name,
            prompt=task.prompt,
            entry_point=task.entry_point,
            test=task.test,
            programs=tuple(programs[name]),
            blocks=tuple(blocks.get(name, [])),
        )
        for name, task in tasks.items()
    ]


def _programs(line: _Answers, prompt: str) -> list[str]:
    if isinstance(line.solution, str):
        return [line.solution]
    several = line.solutions or line.completion_list
    if isinstance(several, list):
        return [prompt + text for text in several]
    return [prompt + line.completion] if isinstance(line.completion, str) else []
