"""What a data set is: where its rows are, and how one of them becomes a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from codeens_server.domain.terms import Mode
from codeens_server.errors import ConfigError
from codeens_server.tasks.schema import Task

TestsKind: TypeAlias = Literal["public", "private", "generated"]
S = TypeVar("S", bound=Struct)


class Item(Struct, frozen=True, kw_only=True):
    """A task of a benchmark, and what a model is shown of it."""

    task: Task
    mode: Mode = "implement"
    shown: str | None = None
    """A module with the function as the model sees it; None: as the task's prompt has it."""
    public: Task | None = None
    """What of the tests may be told between rounds; None: nothing, so that only the judge's verdict is there."""
    references: tuple[str, ...] = ()
    """Solutions that are said to be right; the first that passes is the task's. Empty: what the task names."""
    memory_bytes: int | None = None
    """What a program may use; None: what the settings say."""


class Hub(Struct, frozen=True, kw_only=True):
    """Where Hugging Face has a data set."""

    repo: str
    pattern: str
    """Of its files' names, as for a shell."""
    revision: str | None = None


Row: TypeAlias = Mapping[str, Any]


class Choice(Struct, frozen=True, kw_only=True):
    """What of a row is used, where the data set leaves a choice."""

    tests: tuple[TestsKind, ...] = ()
    """Empty: all that there are."""
    split: str | None = None
    """None: the one that results are usually of."""


class Dataset(Struct, frozen=True, kw_only=True):
    """A form of rows that is known by name."""

    name: str
    file: Path | None
    """Where its file is in the folder that `CODEENS_DATA` names; None: it is always named."""
    hub: Hub | None = None
    item: Callable[[Row, str, Choice], Item | None]
    """Turns a row into a task; the text is what messages call the row. None: the row is not of this choice.

    Raises ConfigError where a field is missing or strange.
    """
    has_test_kinds: bool = False
    """Whether its rows tell public, private and generated tests apart."""


def typed(row: Row, kind: type[S], place: str) -> S:
    """Return a row as a Struct; fields that it does not name are left out.

    Raises:
        ConfigError: a field is missing or strange; it is named after the row.
    """
    try:
        return msgspec.convert(row, kind, strict=False)
    except msgspec.ValidationError as error:
        message = f"{place}: {str(error).replace('`$.', '`').replace(' - at `$`', '')}."
        raise ConfigError(message) from None
