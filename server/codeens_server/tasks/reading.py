"""Read documents that people write by hand, JSON or YAML by the file's suffix."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from codeens_server.errors import ConfigError
from codeens_server.files import read_regular

_MOST_BYTES = 256 << 20
"""Tasks may bring large inputs."""

_LONG = 4000


def document_of(path: Path) -> Any:
    """Return what a file says.

    Raises:
        ConfigError: it cannot be read, or is broken (with the position).
    """
    if path.suffix.lower() not in {".json", ".yaml", ".yml"}:
        message = f"{path}: a task file ends in .json, .yaml or .yml."
        raise ConfigError(message)
    try:
        text = read_regular(path, _MOST_BYTES).decode("utf-8-sig")
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise ConfigError(message) from None
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8: {error.reason} at byte {error.start}."
        raise ConfigError(message) from None
    import yaml

    try:
        if path.suffix.lower() == ".json":
            return json.loads(text, parse_int=_integer)
        return yaml.load(text, _loader())  # noqa: S506  # a safe one
    except json.JSONDecodeError as error:
        message = f"{path}:{error.lineno}:{error.colno}: broken JSON: {error.msg}."
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        message = f"{path}{place}: broken YAML: {error.problem or error.context}."
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        message = f"{path} cannot be read: {error}."
    raise ConfigError(message)


def _integer(text: str) -> int:
    """Return an integer of any length: Python refuses to read more than 4,300 digits in one go."""
    return int(text) if len(text) < _LONG else int(Decimal(text))


@cache
def _loader() -> Any:
    """Return YAML's safe loader, for integers of any length."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
            digits = str(node.value).replace("_", "")
            if len(digits) > _LONG and digits.lstrip("+-").isdecimal():
                return _integer(digits)
            return super().construct_yaml_int(node)

    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)
    return Loader
