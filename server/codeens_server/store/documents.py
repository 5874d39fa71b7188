"""Facts as JSON text: what the database, the artifacts and `--json` hold."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec

from codeens_sandbox_backends.reading import decoded

T = TypeVar("T")


def to_json(value: object, *, indent: int = 0) -> str:
    """JSON of domain types. A lone surrogate, which UTF-8 has no place for, becomes U+FFFD."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        data = msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)))
    return (msgspec.json.format(data, indent=indent) if indent else data).decode("utf-8")


def from_json(text: str, kind: type[T]) -> T:
    """The fact that `to_json` wrote.

    Raises:
        msgspec.ValidationError: the text is of another version of the type.
    """
    return decoded(text, kind)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8") if not value.isascii() else value
    if isinstance(value, dict):
        table = cast("dict[Any, Any]", value)
        return {_without_surrogates(key): _without_surrogates(item) for key, item in table.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(item) for item in cast("list[Any]", value)]
    return value
