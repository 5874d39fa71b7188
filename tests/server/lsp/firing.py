"""Mutated messages fired at a session inside of this process, where its document can be looked at."""

from __future__ import annotations

import json
import logging
import random
from typing import Any, NamedTuple

import anyio
import anyio.lowlevel

from codeens_server.lsp.session import EditorSession
from codeens_server.lsp.transport.channels import BadFrame, Frames, framed
from codeens_server.lsp.transport.errors import parse_error
from tests.server.lsp.mutations import message
from tests.server.lsp.storm import KEPT, Storm


class Outcome(NamedTuple):
    """What is left."""

    sent: list[dict[str, Any]]
    """All that the server sent; the last is the answer to a request that was made at the end."""
    text: str
    """The server's."""
    version: int | None
    diverged: int
    """After how many edits the two texts were not the same."""
    storm: Storm


class _Sent:
    """Where the server writes."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        self.messages.append(json.loads(data))

    def close(self) -> None: ...


async def fire(seed: int, *, messages: int, edits: int) -> Outcome:
    """Fire messages between the edits of a document."""
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    chance = random.Random(seed)
    sent, frames, storm = _Sent(), Frames(), Storm(chance)
    params = {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": {"trusted": False}}
    diverged = 0
    tasks = anyio.create_task_group()
    session = EditorSession(tasks, None)
    async with tasks:
        session.protocol.set_writer(sent, include_headers=False)
        start = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        for first in (start, storm.opening()):
            _take(session, frames, framed(json.dumps(first).encode()))
        for number in range(messages):
            # In a stream of its own: what is not whole would take a part of the next edit for itself.
            _take(session, Frames(), message(chance, number))
            await anyio.lowlevel.checkpoint()
            for _ in range((number + 1) * edits // messages - number * edits // messages):
                _take(session, frames, framed(json.dumps(storm.edit()).encode()))
                diverged += _text(session) != storm.text
        _take(session, frames, framed(b'{"jsonrpc": "2.0", "id": "end", "method": "no/such"}'))
        tasks.cancel_scope.cancel()
    document = session.protocol.documents().opened(KEPT)
    assert document is not None
    return Outcome(sent.messages, document.source, document.version, diverged, storm)


def _text(session: EditorSession) -> str | None:
    document = session.protocol.documents().opened(KEPT)
    return document and document.source


def _take(session: EditorSession, frames: Frames, data: bytes) -> None:
    for received in frames.feed(data):
        if isinstance(received, BadFrame):
            session.protocol.refuse(None, parse_error(received.why))
        else:
            session.protocol.accept(received)
