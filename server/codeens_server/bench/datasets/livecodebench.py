"""LiveCodeBench's form (github.com/LiveCodeBench/LiveCodeBench): contests, as scripts or as functions.

Hidden tests are JSON, or a pickled text in base64; nothing but a text is unpickled.
"""

from __future__ import annotations

import ast
import base64
import binascii
import io
import json
import pickle
import zlib
from typing import Any, Literal, NoReturn, cast

import msgspec
from msgspec import Struct

from codeens_server.bench.datasets.base import Choice, Dataset, Hub, Item, Row, typed
from codeens_server.errors import ConfigError
from codeens_server.syntax.parsing import parse
from codeens_server.tasks.schema import Difficulty, OutputChecker, Task, TaskCase

_MOST_TESTS = 1 << 30
"""Bytes of unpacked tests."""
_CALL_S = 6.0
"""What its own harness allows a test."""


class LiveCodeBenchLine(Struct, frozen=True, kw_only=True):
    """A line of test*.jsonl."""

    question_id: str
    question_title: str = ""
    question_content: str
    platform: str = ""
    contest_date: str = ""
    starter_code: str = ""
    difficulty: str | None = None
    public_test_cases: str | list[Any]
    private_test_cases: str | list[Any] = "[]"
    metadata: str | dict[str, Any] = "{}"


class Test(Struct, frozen=True, kw_only=True):
    """One test of a line."""

    input: str
    output: str
    testtype: Literal["stdin", "functional"] = "stdin"


def item(row: Row, place: str, choice: Choice) -> Item:
    """Return a line as a task: by all tests, or by those of the choice; public ones may be told between rounds."""
    line = typed(row, LiveCodeBenchLine, place)
    public = _tests(line.public_test_cases, f"{place}: public_test_cases")
    private = _tests(line.private_test_cases, f"{place}: private_test_cases")
    kinds = choice.tests or ("public", "private")
    chosen = [*(public if "public" in kinds else []), *(private if "private" in kinds else [])]
    if not chosen:
        message = f"{place}: there are no tests of the kind {', '.join(kinds)}."
        raise ConfigError(message)
    return Item(task=_task(line, chosen, place), public=_task(line, public, place) if public else None)


def _task(line: LiveCodeBenchLine, tests: list[Test], place: str) -> Task:
    levels: dict[str, Difficulty] = {"easy": "easy", "medium": "medium", "hard": "hard"}
    is_function = tests[0].testtype == "functional"
    name, prompt = _function(line, place) if is_function else ("main", line.question_content)
    return Task(
        id=line.question_id,
        prompt=prompt,
        entry_point=name,
        test_cases=tuple(_call(test, place) if is_function else _script(test) for test in tests),
        checker=OutputChecker() if is_function else OutputChecker(compare="tokens", absolute_tolerance=0.0),
        difficulty=levels.get(line.difficulty or ""),
        metadata={"title": line.question_title, "platform": line.platform, "date": line.contest_date},
    )


def _script(test: Test) -> TaskCase:
    return TaskCase(stdin=test.input, expected_output=test.output, timeout=_CALL_S)


def _call(test: Test, place: str) -> TaskCase:
    """Return a call: an argument stands on each line, as JSON."""
    try:
        arguments = [json.loads(text) for text in test.input.split("\n") if text.strip()]
        return TaskCase(args=arguments, expected_output=json.loads(test.output), timeout=_CALL_S)
    except ValueError as error:
        message = f"{place}: a test of a function has an argument or output that is no JSON: {error}."
        raise ConfigError(message) from None


def _function(line: LiveCodeBenchLine, place: str) -> tuple[str, str]:
    """Return the function's name, and a stub of it: a method of `Solution` becomes a function of its own."""
    about = cast("dict[str, Any]", json.loads(line.metadata)) if isinstance(line.metadata, str) else line.metadata
    tree = parse(f"{line.starter_code.rstrip()}\n{' ' * 8}...\n" if line.starter_code else "")
    nodes = list(ast.walk(tree)) if isinstance(tree, ast.Module) else []
    named = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == about.get("func_name")]
    if not named:
        message = f"{place}: starter_code does not define the function that metadata.func_name names."
        raise ConfigError(message)
    parameters = named[-1].args
    if parameters.args and parameters.args[0].arg == "self":
        del parameters.args[0]
    returns = f" -> {ast.unparse(named[-1].returns)}" if named[-1].returns else ""
    docstring = ast.unparse(ast.Constant(line.question_content.strip()))
    name = named[-1].name
    return name, f"from typing import *\n\n\ndef {name}({ast.unparse(parameters)}){returns}:\n    {docstring}\n"


def _tests(given: str | list[Any], place: str) -> list[Test]:
    try:
        texts = _unpacked(given) if isinstance(given, str) and not given.lstrip().startswith("[") else given
        return msgspec.json.decode(texts, type=list[Test]) if isinstance(texts, str) else _converted(texts)
    except (ValueError, zlib.error, pickle.UnpicklingError, EOFError, msgspec.MsgspecError) as error:
        message = f"{place} is neither JSON nor a packed list of tests: {error}."
        raise ConfigError(message) from None


def _converted(rows: list[Any]) -> list[Test]:
    return msgspec.convert(rows, list[Test])


class _TextOnly(pickle.Unpickler):
    """Unpickles what needs no class."""

    def find_class(self, module_name: str, global_name: str, /) -> NoReturn:
        message = f"it asks for {module_name}.{global_name}"
        raise pickle.UnpicklingError(message)


def _unpacked(text: str) -> str:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        message = f"no base64 ({error})"
        raise ValueError(message) from None
    unpacking = zlib.decompressobj()
    unpacked = unpacking.decompress(data, _MOST_TESTS)
    if unpacking.unconsumed_tail:
        message = f"more than {_MOST_TESTS} bytes"
        raise ValueError(message)
    found: object = _TextOnly(io.BytesIO(unpacked)).load()
    return found.decode() if isinstance(found, bytes) else str(found)


DATASET = Dataset(
    name="livecodebench",
    file=None,
    hub=Hub(repo="livecodebench/code_generation_lite", pattern="test*.jsonl"),
    item=item,
    has_test_kinds=True,
)
