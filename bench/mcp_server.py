"""What the MCP door costs beside a minimal server of the same SDK: start-up, a trivial call, and a score of five.

Run from the repository: `python bench/mcp_server.py [--repetitions N] [--json]`.
Start-up is from starting the process to the answer of `initialize`; the two servers are started in turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SERVER = str(Path(sys.executable).parent / "codeens-server")
MINIMAL = """
from mcp.server import MCPServer

server = MCPServer("minimal", version="1", log_level="ERROR")

@server.tool()
def add(a: int, b: int) -> int:
    return a + b

server.run()
"""
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "0"},
}
PROMPT = '''from typing import List


def has_close_elements(numbers: List[float], threshold: float) -> bool:
    """Whether any two numbers are closer to each other than the threshold."""
'''
TESTS = """
def check(candidate):
    assert candidate([1.0, 2.0, 3.9, 4.0, 5.0, 2.2], 0.3) == True
    assert candidate([1.0, 2.0, 3.9, 4.0, 5.0, 2.2], 0.05) == False
    assert candidate([1.0, 2.0, 5.9, 4.0, 5.0], 0.95) == True
    assert candidate([1.0, 2.0, 5.9, 4.0, 5.0], 0.8) == False
    assert candidate([1.1, 2.2, 3.1, 4.1, 5.1], 1.0) == True
"""
TASK = {"id": "close", "prompt": PROMPT, "entry_point": "has_close_elements", "tests": TESTS}
BODY = "    s = sorted(numbers)\n    return any(b - a < threshold for a, b in zip(s, s[1:]))  # {}\n"
FIVE = [{"id": f"c{number}", "source": PROMPT + BODY.format(number)} for number in range(5)]


class Peer:
    """A server over stdio, and a client as plain as can be: what is measured is the server."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._asked = 0

    def request(self, method: str, **params: Any) -> Any:
        """Ask, and wait for the answer."""
        self._asked += 1
        self._send({"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params})
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            answer = json.loads(line)
            if answer.get("id") == self._asked:
                return answer["result"]
        raise EOFError("the server ended")

    def begin(self) -> None:
        """Say hello."""
        self.request("initialize", **INITIALIZE)
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def call(self, name: str, **arguments: Any) -> Any:
        """Call a tool, which must succeed."""
        result = self.request("tools/call", name=name, arguments=arguments)
        assert not result.get("isError"), result
        return result

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def peer(command: list[str]) -> Generator[Peer]:
    """A server that has said hello."""
    server = Peer(command)
    try:
        server.begin()
        yield server
    finally:
        server.close()


def startup_s(command: list[str]) -> float:
    """Seconds until `initialize` is answered."""
    begun = time.perf_counter()
    with peer(command):
        return time.perf_counter() - begun


def call_s(server: Peer, repetitions: int, name: str, **arguments: Any) -> list[float]:
    """Seconds of each call; the first ones, which warm up, are left out."""
    times: list[float] = []
    for _ in range(repetitions + 3):
        begun = time.perf_counter()
        server.call(name, **arguments)
        times.append(time.perf_counter() - begun)
    return times[3:]


def measure(repetitions: int) -> dict[str, float]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        minimal_file = Path(folder) / "minimal.py"
        minimal_file.write_text(MINIMAL, encoding="utf-8")
        minimal = [sys.executable, str(minimal_file)]
        ours = [SERVER, "--mcp", "stdio", "--root", folder]
        starts = [(startup_s(minimal), startup_s(ours)) for _ in range(repetitions)]
        with peer(minimal) as server:
            trivial_minimal = call_s(server, 200, "add", a=1, b=2)
        with peer(ours) as server:
            server.request("tools/list")
            trivial = call_s(server, 200, "list_variants")
            scores = call_s(server, 20, "score", task=TASK, candidates=FIVE)
    median = statistics.median
    return {
        "startup_minimal_s": median(pair[0] for pair in starts),
        "startup_s": median(pair[1] for pair in starts),
        "startup_ratio": median(pair[1] / pair[0] for pair in starts),
        "trivial_minimal_p50_ms": 1000 * median(trivial_minimal),
        "trivial_p50_ms": 1000 * median(trivial),
        "trivial_ratio": median(trivial) / median(trivial_minimal),
        "score_of_five_p50_ms": 1000 * median(scores),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures = measure(asked.repetitions)
    if asked.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<26}{value:10.3f}")


if __name__ == "__main__":
    main()
