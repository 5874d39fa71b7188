"""MBPP (github.com/google-research/google-research/tree/master/mbpp): prose, and asserts that the prompt shows too.

Two of its 974 tasks (367 and 927) are left out: their tests make objects of a class that only the solution defines and
that the prompt says nothing of, so that no answer can be right.
"""

from __future__ import annotations

import ast
from pathlib import Path

from msgspec import Struct

from codeens_server.bench.datasets.base import Choice, Dataset, Hub, Item, Row, typed
from codeens_server.errors import ConfigError, InputError, unknown
from codeens_server.syntax.parsing import parse
from codeens_server.tasks.schema import Task

SPLITS = {"prompt": range(1, 11), "test": range(11, 511), "validation": range(511, 601), "train": range(601, 975)}
"""By the number of the task, as its authors split it. Results are of `test`."""


class MbppLine(Struct, frozen=True, kw_only=True):
    """A line of mbpp.jsonl."""

    task_id: int
    text: str
    code: str
    test_list: list[str]
    test_setup_code: str = ""
    challenge_test_list: list[str] = []


def item(row: Row, place: str, choice: Choice) -> Item | None:
    """Return a line as a task; None: it is of another split, or cannot be solved."""
    line = typed(row, MbppLine, place)
    split = choice.split or "test"
    if split not in {*SPLITS, "all"}:
        raise InputError(unknown("split", split, [*SPLITS, "all"]))
    if split != "all" and line.task_id not in SPLITS[split]:
        return None
    code = line.code.replace("\r\n", "\n")
    name = tested_name(code, line.test_list)
    if name is None:
        message = f"{place}: test_list calls no function that code defines."
        raise ConfigError(message)
    tests = [line.test_setup_code.replace("\r\n", "\n"), *line.test_list]
    if _tests_need_its_classes(code, tests):
        return None
    return Item(
        task=Task(
            id=f"MBPP/{line.task_id}",
            prompt=stub(code, name, line.text, line.test_list),
            entry_point=name,
            tests="\n".join(tests),
            reference_solution=code,
        )
    )


def tested_name(code: str, tests: list[str]) -> str | None:
    """Return the function of a program that tests call."""
    tree, calls = parse(code), parse("\n".join(tests))
    if not isinstance(tree, ast.Module) or not isinstance(calls, ast.Module):
        return None
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    called = [node.id for node in ast.walk(calls) if isinstance(node, ast.Name) and node.id in defined]
    return called[0] if called else None


def _tests_need_its_classes(code: str, tests: list[str]) -> bool:
    tree, calls = parse(code), parse("\n".join(tests))
    if not isinstance(tree, ast.Module) or not isinstance(calls, ast.Module):
        return False
    used = {node.id for node in ast.walk(calls) if isinstance(node, ast.Name)}
    return any(isinstance(node, ast.ClassDef) and node.name in used for node in tree.body)


def stub(code: str, name: str, text: str, tests: list[str]) -> str:
    """Return the function's signature as the solution has it, with the prose and the tests as its docstring."""
    tree = parse(code)
    nodes = tree.body if isinstance(tree, ast.Module) else []
    found = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == name]
    parameters = ast.unparse(found[-1].args) if found else "*args, **kwargs"
    lines = [text.strip(), *tests]
    docstring = ast.unparse(ast.Constant("\n".join(lines)))
    return f"def {name}({parameters}):\n    {docstring}\n"


DATASET = Dataset(
    name="mbpp",
    file=Path("mbpp", "mbpp.jsonl.gz"),
    hub=Hub(repo="google-research-datasets/mbpp", pattern="full/*.parquet"),
    item=item,
)
