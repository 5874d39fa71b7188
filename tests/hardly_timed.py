"""A program of the package, started so that its quick runs say nothing of speed, which is most of their work.

    python -P tests/hardly_timed.py codeens-server --stdio

What looks at speed, or at how the installed program starts, starts that one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType

from msgspec.structs import replace

from codeens_sandbox_backends.local import bwrap
from codeens_server.domain.evidence import Case

WITHOUT_PLUGINS = ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
"""A variable for sandboxes: to load the plugins that are installed for these tests is most of a small suite's work."""


async def no_cases(_: object) -> tuple[Case, ...]:
    """In place of cases to time on that are drawn for the run."""
    return ()


def hurry(put: Callable[[object, str, object], None]) -> None:
    """Let quick runs race for no time at all, on the inputs that are known anyway."""
    from codeens_server.measuring.race import Patience
    from codeens_server.run import execution, probing

    quick = replace(execution.EFFORTS["quick"], patience=Patience(0.0, 0.0))
    put(execution, "EFFORTS", MappingProxyType({**execution.EFFORTS, "quick": quick}))
    put(probing.Prober, "fresh_cases", no_cases)


def main() -> None:
    (program,) = entry_points(group="console_scripts", name=sys.argv[1])
    # Messages name the program, and what others are told to start.
    sys.argv = [str(Path(sys.executable).parent / program.name), *sys.argv[2:]]
    bwrap.ENVIRONMENT.update([WITHOUT_PLUGINS])
    hurry(setattr)
    program.load()()


if __name__ == "__main__":
    main()
