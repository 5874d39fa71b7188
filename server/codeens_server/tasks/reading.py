"""Read documents that people write by hand, JSON or YAML by the file's suffix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from codeens_server.errors import ConfigError


def document_of(path: Path) -> Any:
    """Return what a file says.

    Raises:
        ConfigError: it cannot be read, or is broken (with the position).
    """
    if path.suffix.lower() not in {".json", ".yaml", ".yml"}:
        message = f"{path}: a task file ends in .json, .yaml or .yml."
        raise ConfigError(message)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise ConfigError(message) from None
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8: {error.reason} at byte {error.start}."
        raise ConfigError(message) from None
    import yaml

    try:
        return json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except json.JSONDecodeError as error:
        message = f"{path}:{error.lineno}:{error.colno}: broken JSON: {error.msg}."
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        message = f"{path}{place}: broken YAML: {error.problem or error.context}."
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        message = f"{path} cannot be read: {error}."
    raise ConfigError(message)
