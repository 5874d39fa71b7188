"""Requests are answered in the order of their coming, and the end waits for nothing that nobody needs any more."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.server.lsp.wire import SECONDS, Wire, wire

pytestmark = pytest.mark.anyio

URI = "untitled:one.py"
ITEM = {"uri": URI, "languageId": "python", "version": 1, "text": "def f():\n    return 1\n"}
HELD = """
import importlib.machinery, sys

class Held:
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == "codeens._session" else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        open({here!r}, "w").close()
        open({there!r}).close()

sys.meta_path.insert(0, Held())
"""
"""The import of the library tells that it has begun, and goes on when somebody lets it."""


async def send(opened: Wire, message_id: int, method: str, params: object) -> None:
    """Send a request, and wait for nothing."""
    message = {"jsonrpc": "2.0", "id": message_id, "method": method, "params": params}
    await opened.body(json.dumps(message).encode())


async def run(opened: Wire, message_id: int, **place: object) -> None:
    argument = {"uri": URI, **place}
    await send(opened, message_id, "workspace/executeCommand", {"command": "codeens.run", "arguments": [argument]})


async def test_of_two_runs_of_a_function_the_one_that_was_asked_for_first_begins(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.codeens]\nrewrites = 'never'\n", encoding="utf-8")
    async with wire(tmp_path) as opened:
        await opened.initialize(tmp_path, capabilities={"workspace": {"configuration": True}})
        await opened.notify("textDocument/didOpen", {"textDocument": ITEM})
        await run(opened, 10, function="f")
        asked = await opened.message()
        assert asked["method"] == "workspace/configuration"
        # Its settings are not known yet.
        await run(opened, 11, line=1)
        refused = await opened.message()
        assert refused["id"] == 11
        assert "is under way; cancel it first" in refused["error"]["message"]
        await opened.body(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": [None]}).encode())
        first = await opened.answer(10)
        assert "is under way" not in json.dumps(first)


async def test_the_end_does_not_wait_for_an_import(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    os.mkfifo(here)
    os.mkfifo(there)
    source = HELD.format(here=str(here), there=str(there))
    (tmp_path / "sitecustomize.py").write_text(source, encoding="utf-8")
    async with wire(tmp_path, environment={"PYTHONPATH": str(tmp_path)}) as opened:
        await opened.initialize(tmp_path)
        await opened.notify("textDocument/didOpen", {"textDocument": ITEM})
        await run(opened, 10, function="f")
        await anyio.to_thread.run_sync(here.read_text)
        await send(opened, 11, "shutdown", None)
        answers: dict[object, Any] = {}
        while 11 not in answers:
            message = await opened.message()
            answers[message.get("id")] = message
        assert answers[11]["result"] is None
        await opened.notify("exit", None)
        with anyio.fail_after(SECONDS):
            assert await opened.process.wait() == 0


@pytest.mark.parametrize("asks", ["a run", "a look for earlier runs"])
async def test_the_end_waits_for_no_answer_of_the_client_and_leaves_as_it_should(tmp_path: Path, asks: str) -> None:
    async with wire(tmp_path) as opened:
        await opened.initialize(tmp_path, capabilities={"workspace": {"configuration": True}})
        if asks == "a run":
            await opened.notify("textDocument/didOpen", {"textDocument": ITEM})
            await run(opened, 10, function="f")
        else:
            in_a_file = {**ITEM, "uri": (tmp_path / "m.py").as_uri()}
            await opened.notify("textDocument/didOpen", {"textDocument": in_a_file})
        while (await opened.message()).get("method") != "workspace/configuration":
            pass
        await send(opened, 11, "shutdown", None)
        assert (await opened.answer(11))["result"] is None
        await opened.notify("exit", None)
        with anyio.fail_after(SECONDS):
            assert await opened.process.wait() == 0
