"""Fires mutated messages at the language server, between the edits of a document, and looks at what is left.

    python -m bench.lsp_fuzz [messages] [edits] [seed]

By default 20,000 messages and 2,000 edits, twice: at a session inside of this process, whose document must be the
client's character for character, and at a process, which must answer after every hundred messages and end in order.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from functools import partial
from io import BufferedReader
from pathlib import Path
from queue import Empty, Queue
from subprocess import PIPE, Popen
from typing import IO, Any, cast

import anyio
from tests.server.lsp.firing import fire
from tests.server.lsp.mutations import message
from tests.server.lsp.storm import KEPT, Storm

from codeens_server.lsp.transport.channels import BadFrame, Frames, framed

SERVER = str(Path(sys.executable).parent / "codeens-server")
BATCH = 100
ANSWERED_WITHIN_S = 30.0


class Server:
    """The process, and what it sent."""

    def __init__(self, folder: str) -> None:
        self.process = Popen([SERVER, "--stdio"], stdin=PIPE, stdout=PIPE, cwd=folder, env={"HOME": folder})
        self.codes: Counter[int] = Counter()
        self.faults: list[str] = []
        self.answers = 0
        self._messages: Queue[dict[str, Any] | None] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        stdin = cast("IO[bytes]", self.process.stdin)
        stdin.write(data)
        stdin.flush()

    def ask(self, method: str, params: object, name: str) -> dict[str, Any]:
        """Send a right request until it is answered: a wrong frame before it may have taken it for its own."""
        deadline = time.monotonic() + ANSWERED_WITHIN_S
        while time.monotonic() < deadline:
            request = {"jsonrpc": "2.0", "id": name, "method": method, "params": params}
            self.send(b"\r\n\r\n" + framed(json.dumps(request).encode()))
            if (answer := self._answer(name)) is not None:
                return answer
        sys.exit(f"the server did not answer {name}")

    def _answer(self, name: str) -> dict[str, Any] | None:
        while True:
            try:
                found = self._messages.get(timeout=1.0)
            except Empty:
                return None
            if found is None:
                sys.exit(f"the server ended with {self.process.wait()}")
            if "method" in found:
                continue
            self.answers += 1
            if "error" in found:
                self.codes[found["error"]["code"]] += 1
                if found["error"]["code"] == -32603:
                    self.faults.append(found["error"]["message"])
            if found.get("id") == name:
                return found

    def _read(self) -> None:
        frames = Frames()
        stdout = cast("BufferedReader", self.process.stdout)
        while data := stdout.read1(1 << 16):
            for body in frames.feed(data):
                if isinstance(body, BadFrame):
                    self.faults.append(f"the server sent what is no message: {body.why}")
                else:
                    self._messages.put(json.loads(body))
        self._messages.put(None)


def main(messages: int = 20_000, edits: int = 2_000, seed: int = 1) -> None:
    """Fire at a session in this process, then at a process; print what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder
        left = anyio.run(partial(fire, seed, messages=messages, edits=edits))
    codes = Counter(each["error"]["code"] for each in left.sent if "error" in each)
    print(f"in this process: {len(left.sent)} sent, errors by code {dict(codes)}, differed {left.diverged} times")
    if left.diverged or left.text != left.storm.text or left.version != left.storm.version:
        sys.exit(f"FAILED: the documents differed after {left.diverged} edits")
    if codes[-32603]:
        sys.exit(f"FAILED: {next(each for each in left.sent if 'error' in each and each['error']['code'] == -32603)}")
    _fire_at_process(messages, edits, seed)


def _fire_at_process(messages: int, edits: int, seed: int) -> None:
    chance = random.Random(seed)
    storm = Storm(chance)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        params = {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": {"trusted": False}}
        server.ask("initialize", params, "start")
        server.send(framed(json.dumps(storm.opening()).encode()))
        hover = {"textDocument": {"uri": KEPT}, "position": {"line": 0, "character": 0}}
        for batch in range(messages // BATCH):
            for number in range(BATCH):
                server.send(message(chance, batch * BATCH + number))
            server.ask("textDocument/hover", hover, f"probe {batch}")
            for _ in range(edits * BATCH // messages):
                server.send(framed(json.dumps(storm.edit()).encode()))
        server.ask("shutdown", None, "shutdown")
        server.send(framed(b'{"jsonrpc": "2.0", "method": "exit"}'))
        code = server.process.wait(30)
    told = f"{messages} messages, {storm.version - 1} edits, {server.answers} answers"
    print(f"in a process: {told}, errors by code {dict(server.codes)}, exit code {code}")
    if server.faults or code != 0:
        sys.exit("\n".join(["FAILED", *sorted(set(server.faults))]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
