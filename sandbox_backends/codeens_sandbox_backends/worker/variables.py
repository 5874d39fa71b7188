"""Environment variables that a program reads: nobody gives them as arguments, and in a sandbox they are not set."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import Any, Callable, Generator, Sequence

from .calling import Arguments

VALUES = ("", "0", "1", " True")
"""One that is set and says nothing, numbers that say yes and no, and a word that is not written as it is read."""


@contextmanager
def set_to(
    value: str, names: Sequence[str], function: Callable[..., Any], _: Arguments
) -> Generator[Callable[..., Any], None, None]:
    """Within it variables have a value; yields the function."""
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, value))
    try:
        yield function
    finally:
        for name, old in before.items():
            if old is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = old
