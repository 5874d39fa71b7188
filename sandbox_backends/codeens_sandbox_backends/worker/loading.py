"""What loading a program leaves: all that a call could change too, as digests by channel.

Two programs whose digests are the same leave the same process to those who use their modules.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from hashlib import sha256
from importlib import import_module
from types import ModuleType
from typing import Any, Dict

from .files import Files
from .interpreter import Attributes, begin_alike
from .loader import Program
from .notices import Notices
from .printed import Printed
from .registrations import Registrations
from .state import State
from .surroundings import Surroundings, seed_random

_NUMPY = re.compile(r"^(import|from) numpy\b", re.MULTILINE)


class Loading:
    """Watches from when it is made: once the program's modules can be imported, before they are."""

    def __init__(self, program: Program) -> None:
        begin_alike()
        import_module("logging")
        seed_random()
        if any(_NUMPY.search(module["source"]) for module in program["modules"]):
            with suppress(ImportError):
                import_module("numpy.random").seed(0)
        self._attributes = Attributes({name: it for name, it in sys.modules.items() if type(it) is ModuleType})
        self._registrations = Registrations()
        self._notices = Notices()
        self._streams = {name: Printed(name) for name in ("stdout", "stderr")}
        self._files = Files()
        self._files.begin()

    def told(self, program: Program) -> Dict[str, str]:
        """Return what there is now that the program is loaded."""
        found: Dict[str, Any] = self._files.taken()
        found.update((name, stream.taken()) for name, stream in self._streams.items())
        found["log"], found["warnings"] = self._notices.records, self._notices.warnings
        found.update(self._registrations.told())
        found.update(self._attributes.taken())
        found.update(State(program).told())
        found.update(Surroundings({}).told())
        return {channel: _digest(value) for channel, value in found.items()}


def _digest(value: Any) -> str:
    return sha256(repr(value).encode("utf-8", "backslashreplace")).hexdigest()
