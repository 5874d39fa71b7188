"""Change one key of the user's settings file and leave the rest of its text as it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from codeens_server.errors import ConfigError
from codeens_server.files import private_folder, write_private


def set_disabled_variants(path: Path, names: Sequence[str]) -> None:
    """Write `disabled_variants` into the file, made when it is not there.

    Raises:
        ConfigError: the file is not valid TOML, or cannot be read or written.
    """
    try:
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        message = f"{path} cannot be read: {error}."
        raise ConfigError(message) from None
    value = tomlkit.item(list(names))
    if "\r\n" in text:
        value.trivia.trail = "\r\n"
    document["disabled_variants"] = value
    try:
        # A dotfile manager's link stays a link.
        place = path.resolve()
        private_folder(place.parent)
        write_private(place, tomlkit.dumps(document))
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}."
        raise ConfigError(message) from None
