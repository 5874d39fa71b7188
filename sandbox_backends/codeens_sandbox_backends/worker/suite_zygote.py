"""A worker that is kept warm for suites: it has imported pytest and what tests import, and each gets a fork of it.

It serves as `zygote` does. But tests may start processes and write files: so what is left of these is removed after
each suite, and the process itself cannot be looked into by what it has forked. Nothing of the workspace is imported.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any, Iterator, List

from . import serving
from .confining import hide_from_equals
from .suite import Suite
from .zygote import CHANNEL, Zygote

_WRITABLE = ("/tmp", "/dev/shm")  # of the sandbox alone
_KILLED_WITHIN_S = 2.0
_PAUSE_S = 0.002
_MOST_IMPORTS_S = 20.0


class SuiteZygote(Zygote):
    """Forks suites, one at a time."""

    def __init__(self, control: int) -> None:
        super().__init__(control)
        self._first = {path for folder in _WRITABLE for path in _on_its_device(Path(folder))}

    def clean_up(self) -> None:
        """Kill what the suite has left running, and remove its files; end, where that cannot be done."""
        deadline = time.monotonic() + _KILLED_WITHIN_S
        with suppress(ProcessLookupError):
            while time.monotonic() < deadline:
                os.kill(-1, signal.SIGKILL)
                time.sleep(_PAUSE_S)
            os._exit(1)
        try:
            for folder in _WRITABLE:
                self._empty(Path(folder), Path(folder).stat().st_dev)
        except (OSError, RecursionError):
            os._exit(1)

    def _empty(self, folder: Path, device: int) -> None:
        """Remove all but what was there first: other places that are shown here, and the folders above them."""
        for entry in folder.iterdir():
            is_folder = entry.is_dir() and not entry.is_symlink()
            if entry not in self._first:
                shutil.rmtree(entry) if is_folder else entry.unlink()
            elif is_folder and entry.stat().st_dev == device:
                self._empty(entry, device)

    def import_modules(self, names: List[str]) -> None:
        """Import what tests are known to import of installed packages; what fails here is found again by them."""
        deadline = time.monotonic() + _MOST_IMPORTS_S
        for name in names:
            if time.monotonic() > deadline:
                break
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()), suppress(BaseException):
                import_module(name)
        self.clean_up()

    def become(self) -> None:
        """Let the child look at itself, as a process of its own sandbox can."""
        hide_from_equals(hidden=False)


def _on_its_device(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder, without what is in other file systems that are mounted there."""
    device = folder.stat().st_dev
    for entry in folder.iterdir():
        yield entry
        if entry.is_dir() and not entry.is_symlink() and entry.stat().st_dev == device:
            yield from _on_its_device(entry)


def main(control: int) -> None:
    """Serve suites until the control channel closes; in each child, serve the judge on its channel."""
    sys.dont_write_bytecode = True
    zygote = SuiteZygote(control)
    hide_from_equals(hidden=True)
    if find_spec("pytest") is not None:
        _rehearse()
        zygote.clean_up()
    suite = Suite(serving.Channel(CHANNEL))
    zygote.get_ready()
    zygote.serve()
    zygote.become()
    serving.serve(suite.channel, {"suite": suite.run})


def _rehearse() -> None:
    """Run an empty test, so that pytest and its plugins are imported as it imports them."""
    pytest: Any = import_module("pytest")
    before = list(sys.path)
    file = Path(_WRITABLE[0], "test_codeens_rehearsal.py")
    file.write_text("def test_nothing(): pass\n", encoding="utf-8")
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=", "--rootdir", _WRITABLE[0]]
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()), suppress(BaseException):
        pytest.main([*arguments, str(file)])
    sys.path[:] = before
    sys.modules.pop(file.stem, None)
