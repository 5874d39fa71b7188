"""Another local time zone: where a sandbox has that of the world, local time and the world's cannot be told apart."""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from typing import Any, Callable, Generator

from .calling import Arguments
from .loader import Program

_ASKS = re.compile(r"\b(?:localtime|mktime|ctime|fromtimestamp|astimezone|timestamp)\b")
_VARIABLE = "TZ"
_ELSEWHERE = "EAST-11:45SUMMER,M3.5.0,M10.5.0/3"
"""Far enough for most moments to be on another day, by hours that are not whole, and with time put on in summer."""


def asks_for_local_time(program: Program) -> bool:
    """Whether texts of a program name what depends on the local time zone, on a machine that can have another."""
    return hasattr(time, "tzset") and any(_ASKS.search(module["source"]) for module in program["modules"])


@contextmanager
def elsewhere(function: Callable[..., Any], _: Arguments) -> Generator[Callable[..., Any], None, None]:
    """Within it local time is another one; yields the function."""
    before = os.environ.get(_VARIABLE)
    _set(_ELSEWHERE)
    try:
        yield function
    finally:
        _set(before)


def _set(zone: Any) -> None:
    """Set the zone for the C library alone: nobody sees it in the environment."""
    if zone is None:
        os.unsetenv(_VARIABLE)
    else:
        os.putenv(_VARIABLE, zone)
    time.tzset()
