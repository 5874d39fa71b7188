"""How a program calls a function is written down, and taken as evidence."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from codeens import Session
from codeens_server.config.settings import Settings
from codeens_server.evidence.given_calls import given_calls
from codeens_server.programs.command import read_command
from codeens_server.programs.recording import read_calls, recorded_calls
from tests.sandbox_backends.machine import why_not

pytestmark = pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}")
APP = """\
import threading

def scaled(items, factor=2, *more, sign=1, **named):
    return [factor * sign * item for item in items]

def work():
    for size in range(100):
        scaled(list(range(size)), 3, 4, sign=-1, other="x")

thread = threading.Thread(target=work)
thread.start()
thread.join()
scaled([float("inf")])
scaled([object()][:0], {"a": (1, None)} and 1)
try:
    scaled([object()])
except TypeError:
    pass
"""


def test_calls_with_literals_are_recorded_in_all_sizes_and_can_be_given_to_a_run(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")

    async def recorded() -> tuple[str, ...]:
        async with Session(tmp_path, settings=Settings(results=str(tmp_path / "results")), environ={}) as session:
            target = await session.target("app.py::scaled")
            calls = (await recorded_calls(session, tmp_path, read_command("app.py", tmp_path), target)).calls
            (tmp_path / "calls").write_text("# of app.py\n" + "\n".join(calls), encoding="utf-8")
            assert len(given_calls(read_calls(tmp_path / "calls"), target)) == len(calls)
        return calls

    calls = anyio.run(recorded)

    assert len(calls) == 40
    assert calls[0] == "scaled([], 1, sign=1)"
    assert calls[-1] == f"scaled({list(range(99))}, 3, 4, sign=-1, other='x')"
    assert not any("object" in call or "inf" in call for call in calls)
