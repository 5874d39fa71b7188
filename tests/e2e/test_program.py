"""The installed program with models, from outside, as a newcomer has it."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread
import pytest

from tests.e2e.ensemble import SECONDS, by_model, entry, files_with
from tests.e2e.program import empty_workspace
from tests.e2e.test_models import RIGHT, STUB
from tests.loopback.server import ModelServer
from tests.sandbox_backends.machine import why_not

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(2 * SECONDS),
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]


async def test_the_program_asks_the_configured_models_and_keeps_the_key_to_itself(tmp_path: Path) -> None:
    workspace = empty_workspace(tmp_path)
    module = workspace.folder / "sums.py"
    module.write_text(STUB, encoding="utf-8")
    async with ModelServer(answer=by_model({"good": RIGHT}), script={"bad": ["401"]}) as server:
        workspace.configure(entry("good", server.url) + entry("bad", server.url))
        arguments = ("run", "sums.py::digits", "--variant", "baseline", "--apply")
        done = await anyio.to_thread.run_sync(lambda: workspace.codeens(*arguments))
        key = workspace.environment()["LOOPBACK_KEY"]
        assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {key}"}
    assert done.returncode == 0, done.stderr
    assert "good · baseline" in done.stdout
    assert "bad · baseline: the key was refused: set LOOPBACK_KEY" in done.stdout
    assert "Warning" not in done.stderr
    assert "return sum(map(int, str(abs(number))))" in module.read_text(encoding="utf-8")
    assert files_with(RIGHT, tmp_path)
    assert not files_with(key, tmp_path)
    assert key not in done.stdout + done.stderr
