"""Ids of runs, and how people may shorten them."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


def new_run_id() -> str:
    """Return an id that sorts by day: `20261121-3f9a2c01b7`."""
    # 40 bits: a thousand runs a day would have to go on for years before two of a day are the same.
    return f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(5)}"


def is_short_for(start: str, run_id: str) -> bool:
    """Return whether people may mean a run by `start`: its id begins with it, or is it after the date."""
    return bool(start) and (run_id.startswith(start) or run_id.partition("-")[2] == start)
