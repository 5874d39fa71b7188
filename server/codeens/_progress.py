"""Shows how far a call is: a bar in a notebook, a line on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from typing import Any, TypeAlias

OnProgress: TypeAlias = Callable[[str, int, int], None]
"""Gets what is going on in a few words, how much of it is done, and of how much; 0 of 0 where nobody knows."""

_ERASE = "\r\x1b[2K"
_LONGEST = 70
"""Characters, so that a line fits a terminal of 80 with the count before it."""
_EVERY_S = 0.1
"""Redrawn ten times in a second at the most: what the eye takes in."""


@contextmanager
def shown_progress(*, wanted: bool | None) -> Generator[OnProgress]:
    """Give what shows progress while the block runs; it is taken away at the end.

    Args:
        wanted: whether to show it; None: in a notebook and on a terminal.
    """
    draw, clear = _nowhere() if wanted is False else _notebook() or _terminal(wanted=wanted is True)
    last = -_EVERY_S

    def show(doing: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _EVERY_S:
            last = now
            draw(doing, done, total)

    try:
        yield show
    finally:
        clear()


_Display: TypeAlias = tuple[OnProgress, Callable[[], None]]


def _notebook() -> _Display | None:
    """Return a display of the notebook that this runs in; None: it runs in none."""
    if "IPython" not in sys.modules:
        return None
    shell: Any = import_module("IPython").get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    display: Any = import_module("IPython.display")
    handle = display.display(display.HTML(""), display_id=True)

    def draw(doing: str, done: int, total: int) -> None:
        bar = f"<progress value='{done}' max='{total}'></progress> " if total else ""
        handle.update(display.HTML(f"{bar}<span>{escape(doing)}</span>"))

    return draw, lambda: handle.update(display.HTML(""))


def _terminal(*, wanted: bool) -> _Display:
    """Return a line of the terminal, or plain lines where they are wanted without one."""
    if sys.stderr.isatty():

        def draw(doing: str, done: int, total: int) -> None:
            count = f"{done}/{total} " if total else ""
            _tell(f"{_ERASE}{count}{doing[:_LONGEST]}")

        return draw, lambda: _tell(_ERASE)
    if not wanted:
        return _nowhere()
    return lambda doing, done, total: _tell(f"{done}/{total} {doing}\n"), lambda: None


def _nowhere() -> _Display:
    def ignore(*told: object) -> None:
        """Show nothing."""

    return ignore, ignore


def _tell(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
