"""Say in words what msgspec refuses in foreign data, and where; bounds stand with the types."""

from __future__ import annotations

import math
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, TypeAlias, TypeGuard, cast, get_args, get_origin

import msgspec
from msgspec import Struct, inspect

from codeens_sandbox_backends.reading import converted

Key: TypeAlias = tuple[str | int, ...]
"""A path to a value: keys of tables, and indices of lists."""
SettingsTable: TypeAlias = dict[str, object]

_LISTS = frozenset({list, tuple})
_WORDS: dict[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.StrType: "a text in quotes",
}


class Problem(Struct, frozen=True):
    """One mistake: where, and what to write instead."""

    key: Key
    sentence: str


def dotted(key: Key) -> str:
    """Write a key as people do: `("models", 0, "name")` → `models[0].name`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


def is_struct(kind: object) -> TypeGuard[type[Struct]]:
    """Whether a type is a table with known fields."""
    return isinstance(kind, type) and issubclass(kind, Struct)


def first_problem(value: object, kind: object, *, noun: str, key: Key = ()) -> Problem | None:
    """Return the first innermost part of a value that its type refuses; None when there is none.

    Args:
        value: plain values, as JSON, TOML or YAML give them.
        kind: a Struct, or the type of a part of one.
        noun: what a name in a table stands for, as in "there is no such setting".
    """
    kind = _bare(kind)
    try:
        converted(value, cast("type[object]", kind))
    except msgspec.ValidationError:
        for name, item, below in _parts(value, kind):
            if problem := first_problem(item, below, noun=noun, key=(*key, name)):
                return problem
        return _own_problem(value, kind, noun, key)
    return None


def _bare(kind: object) -> object:
    """Return a type of several parts without what is said of it; a number's bounds stay."""
    inner = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return inner if get_origin(inner) in {*_LISTS, dict} or is_struct(inner) else kind


def _parts(value: object, kind: object) -> Iterator[tuple[str | int, object, object]]:
    """Yield the parts of a value: name, value, type; of a table with free names the names too."""
    arguments = get_args(kind)
    if is_struct(kind) and isinstance(value, dict):
        types = {field.name: field.type for field in msgspec.structs.fields(kind)}
        yield from ((name, item, types[name]) for name, item in cast("SettingsTable", value).items() if name in types)
    elif get_origin(kind) in _LISTS and isinstance(value, (list, tuple)):
        yield from ((index, item, arguments[0]) for index, item in enumerate(cast("list[object]", value)))
    elif get_origin(kind) is dict and isinstance(value, dict):
        for name, item in cast("SettingsTable", value).items():
            yield name, name, arguments[0]
            yield name, item, arguments[1]


def _own_problem(value: object, kind: object, noun: str, key: Key) -> Problem:
    """Say what is wrong with a value whose parts are right."""
    if get_origin(kind) in _LISTS:
        return Problem(key, f"must be a list, not {_shown(value)}.")
    if not is_struct(kind) and get_origin(kind) is not dict:
        return Problem(key, _leaf_problem(value, kind))
    if not isinstance(value, dict):
        return Problem(key, f"must be a table, not {_shown(value)}.")
    fields = {field.name: field for field in msgspec.structs.fields(cast("type[Struct]", kind))}
    if strange := [str(name) for name in cast("SettingsTable", value) if name not in fields]:
        near = get_close_matches(strange[0], fields, n=1)
        fix = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(fields)}."
        return Problem((*key, strange[0]), f"there is no such {noun}. {fix}")
    missing = next(field.name for field in fields.values() if field.required and field.name not in value)
    return Problem((*key, missing), "is missing.")


def _leaf_problem(value: object, kind: object) -> str:
    known = inspect.type_info(kind)
    known = known.type if isinstance(known, inspect.Metadata) else known
    kinds = known.types if isinstance(known, inspect.UnionType) else (known,)
    if choices := [str(choice) for item in kinds if isinstance(item, inspect.LiteralType) for choice in item.values]:
        near = get_close_matches(str(value), choices, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"must be one of {', '.join(choices)}, not {_shown(value)}.{hint}"
    for item in kinds:
        if isinstance(item, (inspect.IntType, inspect.FloatType)) and _is_number(value, item):
            return f"must be {_bound(value, item)}, not {_shown(value)}."
    expected = " or ".join(_WORDS[type(item)] for item in kinds if type(item) in _WORDS)
    return f"must be {expected}, not {_shown(value)}."


def _is_number(value: object, kind: inspect.IntType | inspect.FloatType) -> TypeGuard[float]:
    return not isinstance(value, bool) and isinstance(value, int if isinstance(kind, inspect.IntType) else (int, float))


def _bound(value: float, kind: inspect.IntType | inspect.FloatType) -> str:
    """Say which bound of its type a number breaks."""
    if isinstance(value, float) and not math.isfinite(value):
        return "a finite number"
    if kind.gt is not None and value <= kind.gt:
        return f"more than {kind.gt}"
    return f"{kind.ge} or more" if kind.ge is not None and value < kind.ge else "a smaller number"


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "a list"
    return ("true" if value else "false") if isinstance(value, bool) else repr(value)
