"""How long a run has been under way, and about how long it still takes, in words."""

from __future__ import annotations

from codeens_server.views.model import ProgressView

_MINUTE = 60


def time_text(gone_s: float, progress: ProgressView, before_s: float | None) -> str:
    """Return for instance `0:12, about 0:20 left`; without the second part where nothing tells.

    Args:
        gone_s: since it began.
        progress: how far it is.
        before_s: how long an earlier run of the same function took; None: there was none.
    """
    left = _left(gone_s, progress, before_s)
    return _clock(gone_s) + (f", about {_clock(left)} left" if left is not None else "")


def _left(gone_s: float, progress: ProgressView, before_s: float | None) -> float | None:
    """An earlier run tells best; else each answer that was executed took as long as the ones before it."""
    if before_s is not None and before_s > gone_s:
        return before_s - gone_s
    if not progress.executed or progress.executed >= progress.planned:
        return None
    return gone_s * (progress.planned - progress.executed) / progress.executed


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // _MINUTE}:{whole % _MINUTE:02}"
