"""Runs one worker and passes on what it and the judge say to each other. Its standard input and output are lines.

| the judge writes             | meaning                                                                           |
|------------------------------|-----------------------------------------------------------------------------------|
| `NUMBER order BASE64`        | the first one: start the worker (JSON of `order.Order`)                           |
| `NUMBER data BASE64`         | for the worker's channel                                                          |
| `NUMBER close`               | nothing more for the channel                                                      |
| `NUMBER kill`                | end every process of the worker                                                   |
| `NUMBER alive`               | so that this goes on                                                              |

Numbers begin with 1 and go up by one; a line whose number was had is dropped, so that a line may be sent again.

| it writes                    | meaning                                                                           |
|------------------------------|-----------------------------------------------------------------------------------|
| `codeens-relay BASE64`       | before anything else (JSON of `order.Greeting`)                                   |
| `NONCE data BASE64`          | from the worker's channel                                                         |
| `NONCE closed`               | the worker has closed its channel                                                 |
| `NONCE stdout BASE64`, `…err`| the worker's output, up to `output_bytes` of each                                 |
| `NONCE end BASE64`           | the last: every process of the worker is gone, and how it ended (`order.Report`)  |

The nonce comes with the order and is in this process only, which the worker can neither see nor reach: it is in
namespaces of its own, under another user, and has none of this one's descriptors. When the standard input ends, or is
silent for too long, everything ends.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from ...host.inside import kernel
from .worker import ConfinedWorker, why_no_walls

_PIECE = 1 << 16
_LOOK_EVERY_S = 5.0
_WAIT_FOR_ORDER_S = 3600.0
_OOM_FILES = ("/proc/vmstat", "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def main() -> NoReturn:
    """Serve one order, then end."""
    kernel.be_unreadable()
    _go_last()
    _say("codeens-relay", _packed(_handshake()))
    nothing = os.open(os.devnull, os.O_WRONLY)  # from here on the output is lines, and errors would go between them
    os.dup2(nothing, 2)
    os.close(nothing)
    hearing = Hearing(_WAIT_FOR_ORDER_S)
    lines = hearing.lines()
    for words in lines:
        order = json.loads(base64.b64decode(words[1]))
        hearing.silence_s = order["silence_s"]
        Relay(order).serve(lines)
    os._exit(1)


def _handshake() -> dict[str, Any]:
    return {
        "machine": os.uname().machine,
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "executable": sys.executable,
        "refusal": why_no_walls(),
    }


def _go_last() -> None:
    """When memory is short, the worker is ended first. Needs a right that this process may not have."""
    try:
        Path("/proc/self/oom_score_adj").write_text("-1000", encoding="ascii")
    except OSError:
        return


_saying = threading.Lock()


def _say(*words: str) -> None:
    with _saying:
        rest = memoryview((" ".join(words) + "\n").encode("ascii"))
        while rest:
            rest = rest[os.write(1, rest) :]


def _packed(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode("utf-8")).decode("ascii")


class Hearing:
    """What the judge says."""

    def __init__(self, silence_s: float) -> None:
        self.silence_s = silence_s
        """It ends when nothing was said for that long."""

    def lines(self) -> Iterator[list[str]]:
        """Words of each new line, until the end. A line that is missing is the end too."""
        buffer = bytearray()
        expected = 1
        for piece in self._pieces():
            buffer += piece
            *lines, rest = buffer.split(b"\n")
            buffer = bytearray(rest)
            for line in lines:
                number, *words = line.decode("ascii").split(" ")
                if int(number) > expected:
                    return
                if int(number) == expected:
                    expected += 1
                    yield words

    def _pieces(self) -> Iterator[bytes]:
        heard = time.monotonic()
        while time.monotonic() - heard < self.silence_s:
            if select.select([0], [], [], min(_LOOK_EVERY_S, self.silence_s))[0]:
                piece = os.read(0, _PIECE)
                if not piece:
                    return
                heard = time.monotonic()
                yield piece


class Relay:
    """One worker, from its start to its end."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._nonce: str = order["nonce"]
        self._output_bytes: int = order["output_bytes"]
        self._dropped = {"stdout": 0, "stderr": 0}
        self._killed = False
        self._oom_kills = _oom_kills()
        order["python"] = sys.executable
        try:
            self._worker = ConfinedWorker(order)
        except OSError as error:
            self._end({"failed": str(error)})
        self._for_channel: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def serve(self, lines: Iterator[list[str]]) -> NoReturn:
        """Pass everything on. Ends this process when the worker has ended and all that it said is passed on."""
        threading.Thread(target=self._feed_channel, daemon=True).start()
        threading.Thread(target=self._await_end, args=(self._listeners(),), daemon=True).start()
        for words in lines:
            if words[0] == "data":
                self._for_channel.put(base64.b64decode(words[1]))
            elif words[0] == "close":
                self._for_channel.put(None)
            elif words[0] == "kill":
                self._killed = True
                self._worker.stop()
        self._killed = True
        self._worker.kill()
        while True:
            time.sleep(_LOOK_EVERY_S)

    def _feed_channel(self) -> None:
        channel = self._worker.channel
        try:
            for data in iter(self._for_channel.get, None):
                channel.sendall(data)
            channel.shutdown(socket.SHUT_WR)
        except OSError:  # the worker is gone
            return

    def _listeners(self) -> list[threading.Thread]:
        worker = self._worker
        threads = [
            threading.Thread(target=self._hear_channel, daemon=True),
            threading.Thread(target=self._hear_output, args=("stdout", worker.stdout), daemon=True),
            threading.Thread(target=self._hear_output, args=("stderr", worker.stderr), daemon=True),
        ]
        for thread in threads:
            thread.start()
        return threads

    def _hear_channel(self) -> None:
        try:
            for data in iter(lambda: self._worker.channel.recv(_PIECE), b""):
                _say(self._nonce, "data", base64.b64encode(data).decode("ascii"))
        except ConnectionError:  # the worker ended with something unread
            pass
        _say(self._nonce, "closed")

    def _hear_output(self, name: str, descriptor: int) -> None:
        room = self._output_bytes
        for data in iter(lambda: os.read(descriptor, _PIECE), b""):
            if room:
                _say(self._nonce, name, base64.b64encode(data[:room]).decode("ascii"))
            self._dropped[name] += max(0, len(data) - room)
            room = max(0, room - len(data))

    def _await_end(self, listeners: list[threading.Thread]) -> None:
        with os.fdopen(self._worker.report, "rb") as file:
            text = file.read()
        over_memory = self._worker.await_end()
        for thread in listeners:
            thread.join()
        report = json.loads(text) if text else {"status": 9, "cpu_s": None, "peak_rss_bytes": None}
        over_memory = over_memory or (not self._killed and _oom_kills() > self._oom_kills)
        if not (text or self._killed or over_memory):
            self._end({"failed": "its first process was ended from outside"})
        self._end({**report, "over_memory": over_memory, "dropped_bytes": sum(self._dropped.values())})

    def _end(self, report: dict[str, Any]) -> NoReturn:
        _say(self._nonce, "end", _packed(report))
        os._exit(0)


def _oom_kills() -> int:
    """Count the processes that the kernel has killed for memory, as far as it tells."""
    count = 0
    for name in _OOM_FILES:
        try:
            lines = Path(name).read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        count += sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return count
