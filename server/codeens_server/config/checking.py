"""Holds raw settings to the settings model, so that each mistake is told with its place and its fix."""

from __future__ import annotations

import math
from difflib import get_close_matches
from types import UnionType
from typing import Literal, TypeAlias, TypeGuard, Union, cast, get_args, get_origin

import msgspec
from msgspec import Struct

from codeens_server.config.toml_lines import Key, line_of
from codeens_server.errors import ConfigError

EDITOR = "editor"

Table: TypeAlias = dict[str, object]

_TABLES_OF_SHARES = frozenset({"weights", "scorer_weights"})
_PRICES = frozenset({"input_cost_per_token", "output_cost_per_token"})
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes", dict: "a table"}


class Source(Struct, frozen=True, kw_only=True):
    """Where settings came from, and how a mistake in them is told."""

    label: str
    """A path, "environment", "editor" or "flags"."""
    text: str | None = None
    """The file's text, to find lines in."""
    prefix: Key = ()
    """The table of the file that holds the settings."""

    def error(self, key: Key, problem: str) -> ConfigError:
        """`codeens.toml, line 3, limits.wall_s: must be more than 0, not -1.`"""
        place = ""
        if self.text is not None:
            line = line_of(self.text, (*self.prefix, *key))
            place = f"{self.label}, " if line is None else f"{self.label}, line {line}, "
        return ConfigError(f"{place}{self.name(key)}: {problem}")

    def name(self, key: Key) -> str:
        """The key as a person finds it in this source."""
        if self.label == "environment":
            return "CODEENS_" + "__".join(str(part).upper() for part in key)
        if self.label == EDITOR:
            return f"codeens.{dotted(key)} of the editor's settings"
        if self.label == "flags":
            return "--" + "-".join(str(part).removesuffix("_s").replace("_", "-") for part in key)
        return dotted(key)


def dotted(key: Key) -> str:
    """`("models", 0, "name")` → `models[0].name`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


def check(value: object, kind: object, source: Source, key: Key = ()) -> None:
    """Check a raw value against a type of the settings model, to its leaves.

    Raises:
        ConfigError: an unknown or missing key, a wrong type, a number out of range.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if is_struct(kind):
        _check_struct(_table(value, source, key), kind, source, key)
    elif origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise source.error(key, f"must be a list, not {_shown(value)}.")
        for index, item in enumerate(cast("list[object]", value)):
            check(item, arguments[0], source, (*key, index))
    elif origin is dict:
        for name, item in _table(value, source, key).items():
            _check_leaf(name, arguments[0], source, (*key, name))
            check(item, arguments[1], source, (*key, name))
    else:
        _check_leaf(value, kind, source, key)


def is_struct(kind: object) -> TypeGuard[type[Struct]]:
    """Whether a type of the settings model is a table of its own."""
    return isinstance(kind, type) and issubclass(kind, Struct)


def _check_struct(table: Table, kind: type[Struct], source: Source, key: Key) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for name, item in table.items():
        if name not in fields:
            near = get_close_matches(name, fields, n=1)
            fix = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(fields)}."
            raise source.error((*key, name), f"there is no such setting. {fix}")
        check(item, fields[name].type, source, (*key, name))
    for field in fields.values():
        if field.required and field.name not in table:
            raise source.error((*key, field.name), "is missing.")


def _table(value: object, source: Source, key: Key) -> Table:
    if not isinstance(value, dict):
        raise source.error(key, f"must be a table, not {_shown(value)}.")
    return cast("Table", value)


def _check_leaf(value: object, kind: object, source: Source, key: Key) -> None:
    kinds = get_args(kind) if get_origin(kind) in {UnionType, Union} else (kind,)
    choices = [str(choice) for item in kinds if get_origin(item) is Literal for choice in get_args(item)]
    if choices and value not in choices:
        near = get_close_matches(str(value), choices, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise source.error(key, f"must be one of {', '.join(choices)}, not {_shown(value)}.{hint}")
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        expected = " or ".join(_WORDS[item] for item in kinds if item in _WORDS)
        raise source.error(key, f"must be {expected}, not {_shown(value)}.") from None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_number(value, source, key)


def _check_number(value: float, source: Source, key: Key) -> None:
    if not math.isfinite(value):
        raise source.error(key, f"must be a finite number, not {value}.")
    may_be_zero = key[0] in _TABLES_OF_SHARES or key[-1] in _PRICES
    if value < 0 or (value == 0 and not may_be_zero):
        least = "0 or more" if may_be_zero else "more than 0"
        raise source.error(key, f"must be {least}, not {value}.")


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "a list"
    return ("true" if value else "false") if isinstance(value, bool) else repr(value)
