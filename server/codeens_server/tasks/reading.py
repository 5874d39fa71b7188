"""Reads a task file for `codeens score`, JSON or YAML by its suffix."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, cast

import msgspec
import yaml

from codeens_sandbox_backends.reading import converted
from codeens_server.errors import ConfigError, unknown
from codeens_server.tasks.schema import OutputChecker, Task, TaskCase

_REQUIRED = ("id", "prompt", "entry_point")


def load_task(path: Path) -> Task:
    """Read and check a task file.

    Raises:
        ConfigError: it cannot be read, is broken (with the position), or lacks a field or has a strange one (named).
    """
    return task_of(_document(path), path)


def task_of(document: object, path: Path) -> Task:
    """A task from what JSON or YAML says; `path` is what messages call it.

    Raises:
        ConfigError: it lacks a field, or has a strange one (named).
    """
    if not isinstance(document, dict):
        message = f"{path}: a task is one object with the fields {', '.join(_REQUIRED)} and test_cases or tests."
        raise ConfigError(message)
    fields = cast("dict[str, Any]", document)
    _check_names(path, "", fields, list(Task.__struct_fields__), _REQUIRED)
    cases = fields.get("test_cases")
    for number, case in enumerate(cast("list[Any]", cases) if isinstance(cases, list) else []):
        if isinstance(case, dict):
            names = list(TaskCase.__struct_fields__)
            _check_names(path, f"test_cases[{number}]", cast("dict[str, Any]", case), names, ("expected_output",))
    checker = fields.get("checker")
    if isinstance(checker, dict):
        _check_names(path, "checker", cast("dict[str, Any]", checker), list(OutputChecker.__struct_fields__), ())
    try:
        task = converted(fields, Task)
    except (msgspec.ValidationError, RecursionError) as error:
        message = f"{path}: {error}."
        raise ConfigError(message) from None
    _check_values(path, task)
    return task


def _document(path: Path) -> Any:
    if path.suffix.lower() not in {".json", ".yaml", ".yml"}:
        message = f"{path}: a task file ends in .json, .yaml or .yml."
        raise ConfigError(message)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise ConfigError(message) from None
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8: {error.reason} at byte {error.start}."
        raise ConfigError(message) from None
    try:
        return json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except json.JSONDecodeError as error:
        message = f"{path}:{error.lineno}:{error.colno}: broken JSON: {error.msg}."
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        message = f"{path}{place}: broken YAML: {error.problem or error.context}."
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        message = f"{path} cannot be read: {error}."
    raise ConfigError(message)


def _check_names(path: Path, where: str, fields: dict[str, Any], known: list[str], required: tuple[str, ...]) -> None:
    place = f" in {where}" if where else ""
    strange = next((name for name in fields if name not in known), None)
    if strange is not None:
        message = f"{path}: {unknown(f'field{place}', str(strange), known)}"
        raise ConfigError(message)
    missing = [name for name in required if name not in fields]
    if missing:
        message = f"{path}: the field {missing[0]} is missing{place}."
        raise ConfigError(message)


def _check_values(path: Path, task: Task) -> None:
    """What the types do not say."""
    problem = None
    if not task.test_cases and task.tests is None:
        problem = "the field test_cases or tests is missing: there is nothing to judge by."
    elif not task.entry_point.isidentifier():
        problem = f"entry_point is {task.entry_point!r}, which is no name of a function."
    elif task.tests is not None and not task.tests.strip():
        problem = "the field tests is empty."
    elif task.test_cases and sum(case.weight for case in task.test_cases) <= 0:
        problem = "the weights of test_cases add up to nothing."
    problem = problem or _checker_problem(task)
    for number, case in enumerate(task.test_cases):
        problem = problem or _case_problem(case, f"test_cases[{number}]")
    if problem:
        message = f"{path}: {problem}"
        raise ConfigError(message)


def _case_problem(case: TaskCase, where: str) -> str | None:
    if case.timeout is not None and not (math.isfinite(case.timeout) and case.timeout > 0):
        return f"timeout of {where} is {case.timeout:g}; give seconds above 0."
    if not math.isfinite(case.weight) or case.weight < 0:
        return f"weight of {where} is {case.weight:g}; give 0 or more."
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
    if not all(math.isfinite(given) and given >= 0 for given in tolerances):
        return "a tolerance of checker is below 0 or not finite."
    if checker.compare == "exact" and (tolerances or checker.any_order or checker.ignore_case):
        return 'checker compares "exact", which leaves no room for anything else: drop the rest, or write "lines".'
    if checker.any_order and tolerances and checker.compare != "tokens":
        return 'checker has both any_order and a tolerance, for which compare must be "tokens".'
    return None
