"""Change keys of a settings file and leave the rest of its text as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli
import tomlkit
from tomlkit.exceptions import TOMLKitError

from codeens_server.errors import ConfigError
from codeens_server.files import private_folder, read_regular, settings_folder, write_private


def set_disabled_variants(path: Path, names: Sequence[str]) -> None:
    """Write `disabled_variants` into the user's file, made when it is not there.

    Raises:
        ConfigError: the file is not valid TOML, or cannot be read or written.
    """
    _set_names(path, (), {"disabled_variants": names})


def set_ensemble(root: Path | None, models: Sequence[str], variants: Sequence[str]) -> Path:
    """Write whom to ask, and how, when nothing is named, and return the file.

    Args:
        root: the workspace whose settings say so; None: the user's own.
        models: names; none: the settings do not say any more.
        variants: likewise.

    Raises:
        ConfigError: the file is not valid TOML, leads out of the workspace, or cannot be read or written.
    """
    path, table = (settings_folder() / "codeens.toml", ()) if root is None else _of_workspace(root)
    _set_names(path, table, {"default_models": models or None, "variants": variants or None})
    return path


def set_refused_conditions(root: Path, kinds: Sequence[str]) -> Path:
    """Write `refused_conditions` into the settings of a workspace, and return the file.

    Raises:
        ConfigError: the file is not valid TOML, leads out of the workspace, or cannot be read or written.
    """
    path, table = _of_workspace(root)
    _set_names(path, table, {"refused_conditions": kinds})
    return path


def _of_workspace(root: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the file of a workspace's settings, and their table in it.

    It is `codeens.toml`, or where there is none `pyproject.toml` if codeens has a table there; else the former is made.

    Raises:
        ConfigError: the file is not valid TOML, leads out of the workspace, or cannot be read.
    """
    own, shared = root / "codeens.toml", root / "pyproject.toml"
    if not own.is_file() and shared.is_file() and "codeens" in tomli.loads(_text(shared)).get("tool", {}):
        path, table = shared, ("tool", "codeens")
    else:
        path, table = own, ()
    if root.resolve() not in path.resolve().parents:
        message = f"{path} leads out of the workspace and is not written."
        raise ConfigError(message)
    return path, table


def _set_names(path: Path, table: Sequence[str], lists: Mapping[str, Sequence[str] | None]) -> None:
    """Write lists of texts under their keys, which are made when they are not there; None takes the key out.

    Raises:
        ConfigError: the file is not valid TOML, or cannot be read or written.
    """
    text = _text(path) if path.exists() else ""
    document: Any = tomlkit.parse(text)
    inner = document
    for part in table:
        inner = inner[part]
    for key, names in lists.items():
        if names is None:
            inner.pop(key, None)
            continue
        value = tomlkit.item(list(names))
        if "\r\n" in text:
            value.trivia.trail = "\r\n"
        inner[key] = value
    try:
        # A dotfile manager's link stays a link.
        place = path.resolve()
        private_folder(place.parent)
        write_private(place, tomlkit.dumps(document))
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}."
        raise ConfigError(message) from None


def _text(path: Path) -> str:
    """Return the text of a file that is TOML.

    Raises:
        ConfigError: it is not, or cannot be read.
    """
    try:
        text = read_regular(path).decode("utf-8")
        tomlkit.parse(text)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        message = f"{path} cannot be read: {error}."
        raise ConfigError(message) from None
    return text
