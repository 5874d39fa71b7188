"""What is kept of a call that takes long."""

from __future__ import annotations

import time
from typing import Literal, TypeAlias

from msgspec import Struct

CallState: TypeAlias = Literal["running", "finished", "failed"]
BEAT_S = 10.0
"""Between two signs of life of what is under way."""
_SILENT_S = 60.0
"""Without a sign for so long, the process that did the work has ended."""


class CallRecord(Struct, frozen=True, kw_only=True):
    """A call that takes long: a run, or a call of a tool that was handed over to an id."""

    id: str
    tool: str
    function: str = ""
    path: str = ""
    """The file that it is about; empty: none."""
    root: str = ""
    """The folder of the server that began it."""
    state: CallState = "running"
    began: float
    beat: float
    """Seconds of the epoch of the last sign of life."""
    failure: str = ""
    text: str = ""
    """What it answered; empty for a run, which is kept by its events."""
    document: str = ""
    """The structured answer as JSON."""

    @property
    def is_under_way(self) -> bool:
        """Whether some process is still at it."""
        return self.state == "running" and time.time() - self.beat < _SILENT_S
