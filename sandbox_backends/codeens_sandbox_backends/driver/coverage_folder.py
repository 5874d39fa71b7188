"""Where the package is that finds out, inside the sandbox, which lines ran."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec


@cache
def coverage_folder() -> str | None:
    """The folder of the `coverage` package of this interpreter.

    A sandbox in which it is not readable reports no lines.
    """
    spec = find_spec("coverage")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return folders[0] if folders else None
