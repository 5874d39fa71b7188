"""What agents ran by a session's name: the scripts that ended well, run again before the next one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from msgspec import Struct, field

_MOST_SESSIONS = 50
_MOST_SCRIPTS = 50


class Earlier(Struct, kw_only=True):
    """A session: state is made anew from its scripts, since no process outlives a call."""

    scripts: list[str] = field(default_factory=list[str])
    files: dict[str, str] = field(default_factory=dict[str, str])


class SandboxSessions:
    """The latest sessions by name."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Earlier] = OrderedDict()

    def get(self, name: str | None) -> Earlier:
        """Return a session; a new one has nothing in it."""
        return self._sessions.get(name, Earlier()) if name else Earlier()

    def add(self, name: str | None, script: str, files: Mapping[str, str]) -> None:
        """Add a script that ended well; the oldest of many is forgotten."""
        if not name:
            return
        session = self._sessions.setdefault(name, Earlier())
        session.scripts = [*session.scripts, script][-_MOST_SCRIPTS:]
        session.files |= files
        self._sessions.move_to_end(name)
        while len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)
