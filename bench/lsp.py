"""How long an editor waits for the language server, against a pygls server that does nothing, in the same run.

    python -m bench.lsp [rounds]

`initialize` is timed from the start of the process to its answer. Answers about a document are timed on lsprotocol's
types.py (14,000 lines) with a small function behind it, of which an ensemble was run, so that results are offered.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO, Any, NamedTuple, cast

import lsprotocol.types
from tests.e2e.program import alive, descendants

HERE = Path(sys.executable).parent
OURS = [str(HERE / "codeens-server"), "--stdio"]
LEAST = [
    sys.executable,
    "-I",
    "-c",
    """
from lsprotocol import types
from pygls.lsp.server import LanguageServer
server = LanguageServer("least", "1")
@server.feature(types.TEXT_DOCUMENT_CODE_ACTION)
def actions(params: types.CodeActionParams):
    return []
server.start_io()
""",
]
SMALL = """


def double(number: int) -> int:
    result = 0
    for _ in range(2):
        result = result + number
    return result
"""
RIGHT = "```python\ndef double(number: int) -> int:\n    return number * 2\n```"
ENDLESS = "```python\ndef double(number: int) -> int:\n    while True:\n        pass\n```"
SETTINGS = 'max_inputs = 10\nvariants = ["baseline"]\nrewrites = "never"\n'
CAPABILITIES = {
    "textDocument": {
        "codeAction": {"disabledSupport": True, "dataSupport": True, "resolveSupport": {"properties": ["edit"]}}
    },
    "window": {"workDoneProgress": True},
    "experimental": {"codeens": {"generate": True, "runs": True}},
}
REPEATED = 200


class Client:
    """A client without delays of its own."""

    def __init__(self, command: list[str], folder: str) -> None:
        self.process = Popen(
            command, stdin=PIPE, stdout=PIPE, cwd=folder, env={"HOME": folder, "PATH": "/usr/bin:/bin"}
        )
        self.reply = RIGHT
        self.has_candidates = False
        self._last = 0

    def notify(self, method: str, params: object) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: object) -> Any:
        return self.wait(self.ask(method, params))

    def ask(self, method: str, params: object) -> int:
        self._last += 1
        self._send({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        return self._last

    def wait(self, number: int) -> Any:
        """The answer to a request."""
        while True:
            message = self.read()
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    sys.exit(str(message["error"]))
                return message["result"]

    def read(self) -> dict[str, Any]:
        """The next message; what the server asks is answered."""
        stdout = cast("IO[bytes]", self.process.stdout)
        length = 0
        while (line := stdout.readline()).strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        message = json.loads(stdout.read(length))
        method = message.get("method")
        if method == "codeens/didChangeRun":
            self.has_candidates = bool(message["params"]["view"]["rows"])
        if method and "id" in message:
            result = {"text": self.reply} if method == "codeens/generate" else None
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": result})
        return message

    def close(self) -> None:
        self.request("shutdown", None)
        self.notify("exit", None)
        self.process.wait(30)

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        stdin = cast("IO[bytes]", self.process.stdin)
        stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        stdin.flush()


class Times(NamedTuple):
    """Milliseconds of many requests of one kind."""

    p50: float
    p95: float
    most: float

    @classmethod
    def of(cls, seconds: list[float]) -> Times:
        ordered = sorted(1000 * each for each in seconds)
        return cls(statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))], ordered[-1])

    def __str__(self) -> str:
        return f"p50 {self.p50:.2f} ms, p95 {self.p95:.2f} ms, most {self.most:.2f} ms"


@contextmanager
def started(command: list[str], folder: str) -> Generator[tuple[Client, float]]:
    """A client of a new server, and the seconds until `initialize` was answered."""
    begun = time.perf_counter()
    client = Client(command, folder)
    client.request("initialize", {"processId": None, "rootUri": Path(folder).as_uri(), "capabilities": CAPABILITIES})
    seconds = time.perf_counter() - begun
    client.notify("initialized", {})
    yield client, seconds
    client.close()


def initialize(folder: str, rounds: int) -> None:
    """Time the first answer of both servers in turn."""
    ours, least = list[float](), list[float]()
    for number in range(rounds + 1):
        for command, times in ((OURS, ours), (LEAST, least)):
            with started(command, folder) as (_, seconds):
                if number:
                    times.append(seconds)
    pair = statistics.median(a / b for a, b in zip(ours, least, strict=True))
    print(
        f"initialize: ours {1000 * statistics.median(ours):.0f} ms, least {1000 * statistics.median(least):.0f} ms, "
        f"ratio {pair:.2f} (bar: 1.15)"
    )


class Document:
    """The large document of a client."""

    def __init__(self, client: Client, folder: str) -> None:
        self._client = client
        self.lines = Path(lsprotocol.types.__file__).read_text(encoding="utf-8").count("\n")
        self.uri = (Path(folder) / "large.py").as_uri()
        self.text = Path(folder, "large.py").read_text(encoding="utf-8")
        self.line = self.text[: self.text.index("def double")].count("\n")
        self._version = 1
        item = {"uri": self.uri, "languageId": "python", "version": 1, "text": self.text}
        client.notify("textDocument/didOpen", {"textDocument": item})

    def edit(self, line: int) -> None:
        """Type a character at the end of a comment line that is put there."""
        self._version += 1
        place = {"line": line, "character": 0}
        change = {"range": {"start": place, "end": place}, "text": "# typed\n" if self._version % 2 else "#\n"}
        document = {"uri": self.uri, "version": self._version}
        self._client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        self.line += line <= self.line

    def actions(self) -> float:
        place = {"line": self.line + 1, "character": 4}
        context: dict[str, list[object]] = {"diagnostics": []}
        asked = {"textDocument": {"uri": self.uri}, "range": {"start": place, "end": place}, "context": context}
        return self._timed("textDocument/codeAction", asked)

    def lenses(self) -> float:
        return self._timed("textDocument/codeLens", {"textDocument": {"uri": self.uri}})

    def _timed(self, method: str, params: object) -> float:
        begun = time.perf_counter()
        found = self._client.request(method, params)
        seconds = time.perf_counter() - begun
        assert found is not None
        return seconds


def answers(folder: str) -> None:
    """Time what is asked while a person types, with a run done and with one under way."""
    with started(OURS, folder) as (client, _):
        document = Document(client, folder)
        print(f"a document of {document.lines} lines")
        print(f"  first code action after opening: {1000 * document.actions():.1f} ms")
        target = {"uri": document.uri, "function": "double"}
        run = {"command": "codeens.run", "arguments": [target], "workDoneToken": "first"}
        client.request("workspace/executeCommand", run)
        for name, ask, bar in (("code actions", document.actions, 5), ("lenses", document.lenses, 10)):
            still = Times.of([ask() for _ in range(REPEATED)])
            print(f"  {name}, nothing typed: {still} (bar: p95 {bar} ms)")
            typed: list[float] = []
            for number in range(REPEATED):
                document.edit((number * 61) % 13_000)
                typed.append(ask())
            print(f"  {name}, each right after a line was typed: {Times.of(typed)} (bar: p95 {bar} ms)")
        client.reply = ENDLESS
        client.has_candidates = False
        rerun = {"command": "codeens.rerun", "arguments": [{"fresh": True}], "workDoneToken": "second"}
        number = client.ask("workspace/executeCommand", rerun)
        during: list[float] = []
        while not client.has_candidates:
            during.append(document.actions())
        print(f"  code actions while a run gathers its evidence: {Times.of(during)}")
        _cancelled(client, number)


def _cancelled(client: Client, run: int) -> None:
    below = descendants(client.process.pid)
    begun = time.perf_counter()
    client.notify("window/workDoneProgress/cancel", {"token": "second"})
    while alive(below):
        time.sleep(0.005)
    gone = time.perf_counter() - begun
    client.wait(run)
    print(f"  from the cancel button to none of {len(below)} processes left: {gone:.2f} s (bar: 2 s)")


def main(rounds: int = 15) -> None:
    """Measure all of it."""
    with tempfile.TemporaryDirectory() as folder:
        text = Path(lsprotocol.types.__file__).read_text(encoding="utf-8")
        text = text.replace("from . import validators", "from lsprotocol import validators")
        Path(folder, "large.py").write_text(text + SMALL, encoding="utf-8")
        Path(folder, "pyproject.toml").write_text("", encoding="utf-8")
        settings = Path(folder, ".config", "codeens", "codeens.toml")
        settings.parent.mkdir(parents=True)
        settings.write_text(SETTINGS, encoding="utf-8")
        if shutil.which("bwrap") is None:
            print("bubblewrap is not installed: only `initialize` is measured")
        initialize(folder, rounds)
        if shutil.which("bwrap"):
            answers(folder)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
