"""Ids of runs, and how people may shorten them."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


def new_run_id() -> str:
    """Return an id that sorts by day, with 64 bits of chance: `20261121-3f9a2c01b75d8e60`."""
    return f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(8)}"


def is_short_for(start: str, run_id: str) -> bool:
    """Return whether people may mean a run by `start`: its id begins with it, or its part after the date does."""
    return bool(start) and (run_id.startswith(start) or run_id.partition("-")[2].startswith(start))
