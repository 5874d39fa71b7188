"""Changes one key of the user's settings file and leaves the rest of its text as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import tomli

from codeens_server.errors import ConfigError
from codeens_server.files import private_folder, write_private

_KEY = "disabled_variants"
_START = re.compile(rf"^\s*{_KEY}\s*=")
_HEADER = re.compile(r"^\s*\[")


def set_disabled_variants(path: Path, names: Sequence[str]) -> None:
    """Write `disabled_variants` into the file, made when it is not there.

    Raises:
        ConfigError: the file is not valid TOML, cannot be written, or is laid out so that it must be edited by hand.
    """
    try:
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        before = tomli.loads(text)
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        message = f"{path} cannot be read: {error}."
        raise ConfigError(message) from None
    changed = _with_key(text, f"{_KEY} = {json.dumps(list(names), ensure_ascii=False)}")
    if _parsed(changed) != {**before, _KEY: list(names)}:
        message = (
            f"{path} is laid out in a way that codeens does not edit; write {_KEY} = {list(names)} into it by hand."
        )
        raise ConfigError(message)
    try:
        # A dotfile manager's link stays a link.
        place = path.resolve()
        private_folder(place.parent)
        write_private(place, changed)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}."
        raise ConfigError(message) from None


def _with_key(text: str, assignment: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    top = headers[0] if headers else len(lines)
    for start in range(top):
        if _START.match(lines[start]):
            lines[start : _end_of_value(lines, start)] = [assignment + newline]
            return "".join(lines)
    # Before the first table, where a key belongs to none.
    if lines and top == len(lines) and not lines[-1].endswith("\n"):
        lines[-1] += newline
    gap = newline if headers and not (top and not lines[top - 1].strip()) else ""
    lines.insert(top, assignment + newline + gap)
    return "".join(lines)


def _end_of_value(lines: list[str], start: int) -> int:
    """Past the last line of a value, which may be an array over several lines."""
    for end in range(start + 1, len(lines) + 1):
        if _parsed("".join(lines[start:end])) is not None:
            return end
    return start + 1


def _parsed(text: str) -> dict[str, object] | None:
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError:
        return None
