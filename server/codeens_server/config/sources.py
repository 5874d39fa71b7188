"""Where settings come from, and where in it a mistake is: tomli gives values without their places."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import cast

import tomli
from msgspec import Struct

from codeens_server.config.checking import Key, SettingsTable, dotted, first_problem
from codeens_server.config.settings import Settings
from codeens_server.errors import ConfigError, Hint
from codeens_server.files import read_regular

EDITOR = "editor"
ENVIRONMENT = "environment"
OPTIONS = "options"
ENVIRONMENT_PREFIX = "CODEENS_"

_MAX_FILE_BYTES = 1 << 20
_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


class Source(Struct, frozen=True, kw_only=True):
    """One source of settings, and how a mistake in it is told."""

    label: str
    """A path, or one of the names above."""
    text: str | None = None
    """The file's text, to find lines in."""
    prefix: Key = ()
    """The table of the file that holds the settings."""

    def check(self, table: SettingsTable) -> None:
        """Check raw settings to their leaves.

        Raises:
            ConfigError: an unknown or missing key, a wrong type, a number out of range.
        """
        if problem := first_problem(table, Settings, noun="setting"):
            is_named = problem.key[:1] == ("models",) and len(problem.key) <= 2 and "must be a" in problem.sentence
            more = ' Names go into default_models, for instance default_models = ["auto"].' if is_named else ""
            raise self.error(problem.key, problem.sentence + more)

    def error(self, key: Key, sentence: str) -> ConfigError:
        """Tell a mistake with its place: `codeens.toml, line 3, limits.wall_s: must be more than 0, not -1.`"""
        place = ""
        if self.text is not None:
            line = line_of(self.text, (*self.prefix, *key))
            place = f"{self.label}, " if line is None else f"{self.label}, line {line}, "
        hint = Hint("option", str(key[0])) if self.label == OPTIONS else None
        return ConfigError(f"{place}{self._name(key)}: {sentence}", hint=hint)

    def _name(self, key: Key) -> str:
        """Name the key as a person finds it in this source."""
        if self.label == ENVIRONMENT:
            return ENVIRONMENT_PREFIX + "__".join(str(part).upper() for part in key)
        return f"codeens.{dotted(key)} of the editor's settings" if self.label == EDITOR else dotted(key)


def read_file(path: Path, prefix: Key = ()) -> tuple[Source, SettingsTable]:
    """Read the settings of a TOML file, from the table that `prefix` names; empty where that is not there.

    Raises:
        ConfigError: it cannot be read, or is no TOML.
    """
    text = _read(path)
    try:
        value: object = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        message = f"{path} is not valid TOML: {error}."
        raise ConfigError(message) from None
    for part in prefix:
        value = cast("SettingsTable", value).get(str(part), {}) if isinstance(value, dict) else {}
    source = Source(label=str(path), text=text, prefix=prefix)
    if not isinstance(value, dict):
        raise source.error((), "must be a table.")
    return source, cast("SettingsTable", value)


def _read(path: Path) -> str:
    try:
        return read_regular(path, _MAX_FILE_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8."
        raise ConfigError(message) from None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise ConfigError(message) from None


def line_of(text: str, key: Key) -> int | None:
    """Return the 1-based line where `key`, or else the nearest table or key around it, is written."""
    places = _places(text)
    for length in range(len(key), 0, -1):
        if (line := places.get(key[:length])) is not None:
            return line
    return None


def _places(text: str) -> dict[Key, int]:
    places: dict[Key, int] = {}
    seen: Counter[Key] = Counter()
    table: Key = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                seen[table] += 1
                places.setdefault(table, number)
                table = (*table, seen[table] - 1)
            places.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            places.setdefault((*table, *_parts(assignment[1])), number)
    return places


def _parts(dotted: str) -> Key:
    """Split `a."b.c"` into `("a", "b.c")`, by the parser itself."""
    try:
        value: object = tomli.loads(f"{dotted} = 0")
    except tomli.TOMLDecodeError:
        return (dotted,)
    parts: list[str] = []
    while isinstance(value, dict):
        name, value = next(iter(cast("dict[str, object]", value).items()))
        parts.append(name)
    return tuple(parts)
