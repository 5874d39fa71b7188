"""MBPP+ (EvalPlus), in both of its forms: MbppPlus.jsonl, and the rows that Hugging Face has, with tests as Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from codeens_server.bench.datasets.base import Choice, Dataset, Hub, Item, Row, typed
from codeens_server.bench.datasets.evalplus import EvalPlusLine, Inputs, task_of
from codeens_server.bench.datasets.mbpp import stub, tested_name
from codeens_server.errors import ConfigError
from codeens_server.tasks.schema import Task


class HubLine(Struct, frozen=True, kw_only=True):
    """A row of evalplus/mbppplus."""

    task_id: int
    prompt: str
    code: str
    test_imports: list[str] = []
    test_list: list[str]
    test: str
    """A program that asserts, and calls the function by its name."""


def item(row: Row, place: str, choice: Choice) -> Item:
    """Return a line or row as a task."""
    del choice
    return (
        _of_jsonl(typed(row, EvalPlusLine, place))
        if "base_input" in row
        else _of_hub(typed(row, HubLine, place), place)
    )


def _of_hub(line: HubLine, place: str) -> Item:
    name = tested_name(line.code, line.test_list)
    if name is None:
        message = f"{place}: test_list calls no function that code defines."
        raise ConfigError(message)
    task = Task(
        id=f"Mbpp/{line.task_id}",
        prompt=stub(line.code, name, line.prompt, line.test_list),
        entry_point=name,
        tests="\n".join([*line.test_imports, line.test]),
        reference_solution=line.code,
    )
    return Item(task=task)


def _of_jsonl(line: EvalPlusLine) -> Item:
    number = int(line.task_id.rpartition("/")[2])
    convert = next((to for numbers, to in _TYPES if number in numbers), None)

    def restored(inputs: Inputs) -> Inputs:
        return [convert(arguments) for arguments in inputs] if convert else inputs

    shown = stub(line.canonical_solution, line.entry_point, line.prompt.strip().strip('"').strip(), [])
    return Item(task=task_of(line, reference=line.canonical_solution, prompt=shown, restored=restored))


def _tuples(value: Any) -> Any:
    """Turn lists of any depth into tuples."""
    return tuple(map(_tuples, cast("list[Any]", value))) if isinstance(value, list) else value


def _outer(value: Any) -> Any:
    return tuple(value)


def _inner(value: Any) -> Any:
    return [tuple(item) for item in value]


def _both(value: Any) -> Any:
    return tuple(tuple(cast("list[Any]", item)) if isinstance(item, list) else item for item in value)


def _sets(value: Any) -> Any:
    return [set(item) if item else {} for item in value]


def _at(*positions: int, to: Callable[[Any], Any]) -> Callable[[list[Any]], list[Any]]:
    """Return what turns the arguments at these positions; without any, all."""
    return lambda arguments: [
        to(value) if not positions or index in positions else value for index, value in enumerate(arguments)
    ]


_TYPES: tuple[tuple[frozenset[int], Callable[[list[Any]], list[Any]]], ...] = (
    (
        frozenset(
            {2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726, 740, 744, 809}
        ),
        _at(to=_outer),
    ),
    (frozenset({63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780}), _at(to=_inner)),
    (frozenset({75, 413, 444, 753}), _at(0, to=_inner)),
    (frozenset({106, 750}), _at(1, to=_outer)),
    (frozenset({115}), _at(0, to=_sets)),
    (frozenset({124}), lambda arguments: [float(arguments[0]), complex(arguments[1])]),
    (frozenset({250, 307, 405, 446, 617, 720, 763, 808}), _at(0, to=_outer)),
    (frozenset({252}), _at(0, to=complex)),
    (frozenset({259, 401, 445}), _at(to=_both)),
    (frozenset({278}), _at(0, to=_both)),
    (frozenset({580, 615, 791}), _at(to=_tuples)),
    (frozenset({722}), _at(0, to=lambda table: {key: tuple(value) for key, value in table.items()})),
)
"""By the number of the task, what its inputs were before they were written as JSON."""


DATASET = Dataset(
    name="mbppplus",
    file=Path("mbpp", "MbppPlus.jsonl.gz"),
    hub=Hub(repo="evalplus/mbppplus", pattern="data/test-*.parquet"),
    item=item,
)
