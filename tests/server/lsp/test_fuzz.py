"""A small part of the fuzz, of which `python -m bench.lsp_fuzz` makes all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.lsp.firing import fire

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("seed", [1, 2])
async def test_between_mutated_messages_the_document_stays_the_clients(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    left = await fire(seed, messages=1500, edits=300)
    assert left.diverged == 0
    assert left.text == left.storm.text
    assert left.version == left.storm.version
    assert "end" in [each.get("id") for each in left.sent]
    errors = [each["error"] for each in left.sent if "error" in each]
    assert len(errors) > 300
    assert not [error for error in errors if error["code"] == -32603], "a fault of codeens"
    assert not (tmp_path / "codeens" / "codeens.log").exists()
