"""One worker seen from the judge: requests, checked answers, deadlines, and why it was lost."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Sequence
from time import monotonic
from typing import Any, Literal, TypeVar

import msgspec

from codeens_sandbox_backends.base import Died, Limits, Outcome, Raised, TimedOut, Usage
from codeens_sandbox_backends.driver.launcher import ExitStatus, Launcher, WarmWorker, WorkerKind, WorkerProcess
from codeens_sandbox_backends.driver.wire import LoadReply, Up, WorkerMessage
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.reading import decoded
from codeens_sandbox_backends.worker.frames import FrameReader, FrameTooLong, pack

_START_S = 30.0
"""An interpreter starts in a tenth of a second; a machine that swaps takes seconds."""
_LONGEST_HANDSHAKE = 1000
"""Bytes; it holds a version number."""
_END_S = 2.0
_SHORTEST_WAIT_S = 0.001
_MOST_NODES = 4_000_000
"""Of all answers of a worker. In memory each takes up to 100 bytes, which may be 50 times what it has on the wire."""
_REST_S = 0.02
"""How long a worker is left alone with its last request. To read answers one by one as they come costs more."""
M = TypeVar("M", bound=WorkerMessage)


class WorkerLost(Exception):
    """A worker does not answer any more, or not as it should."""

    def __init__(self, how: Literal["silent", "gone", "protocol", "answers"], detail: str = "") -> None:
        super().__init__(f"{how}: {detail}")
        self.how = how
        self.detail = detail


def await_handshake(process: WorkerProcess) -> None:
    """Wait until a process that is kept for several jobs says that it is up.

    Raises:
        SandboxBroken: it does not; the process is ended, and the message holds what it said.
    """
    process.channel.settimeout(_START_S)
    try:
        decoded(FrameReader(process.channel.recv).next(_LONGEST_HANDSHAKE), Up)
    except (EOFError, OSError, FrameTooLong, msgspec.MsgspecError) as error:
        process.kill()
        raise SandboxBroken(f"a process that is kept did not start. It said: {_last_words(process.wait(0))}") from error


def _last_words(ending: ExitStatus) -> str:
    return ending.stderr.decode("utf-8", "replace")[-2000:].strip() or "nothing"


class UsageTotals:
    """What all workers of one job used and printed."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._started = monotonic()
        self._endings: list[ExitStatus] = []

    def add(self, ending: ExitStatus) -> None:
        """Book how a worker ended."""
        self._endings.append(ending)

    @property
    def usage(self) -> Usage:
        """Sums over all workers; the peak is that of the largest."""
        cpu = [ending.cpu_s for ending in self._endings if ending.cpu_s is not None]
        peaks = [ending.peak_rss_bytes for ending in self._endings if ending.peak_rss_bytes is not None]
        return Usage(
            wall_s=monotonic() - self._started,
            cpu_s=sum(cpu) if cpu else None,
            peak_rss_bytes=max(peaks, default=None),
        )

    @property
    def stdout(self) -> str:
        return self._text(b"".join(ending.stdout for ending in self._endings))

    @property
    def stderr(self) -> str:
        """Ends with a note when output was dropped."""
        text = self._text(b"".join(ending.stderr for ending in self._endings))
        dropped = sum(ending.dropped_bytes for ending in self._endings)
        return f"{text}\n[{dropped} bytes of output were dropped]\n" if dropped else text

    def _text(self, output: bytes) -> str:
        return output[: self._limits.output_bytes].decode("utf-8", "replace")


class WorkerSession:
    """A running worker.

    Raises:
        SandboxBroken: The worker did not start.
    """

    def __init__(self, launcher: Launcher, kind: WorkerKind, limits: Limits, totals: UsageTotals) -> None:
        self._limits = limits
        self._totals = totals
        self._process = launcher.launch(kind, limits)
        self._left = limits.answer_bytes
        self._left_nodes = _MOST_NODES
        self._deadline = 0.0
        self._frames = FrameReader(self._read)
        self._ended: ExitStatus | None = None
        self.said = b""
        """Reply bytes, without the nonce, of a warm worker that ended with its last request; else empty."""
        self._warm = self._process if isinstance(self._process, WarmWorker) else None
        self.nonce = ""
        if self._warm is None:
            self._shake_hands()
        self.nonce = secrets.token_hex(8)

    def _shake_hands(self) -> None:
        try:
            self.receive(Up, monotonic() + _START_S)
        except WorkerLost as lost:
            ending = self.end(0.0 if lost.how == "silent" else _END_S)
            raise SandboxBroken(f"the worker did not start ({lost.how}). It said: {_last_words(ending)}") from lost

    def send(self, message: dict[str, Any], deadline: float) -> None:
        """Send a request; see `send_all`."""
        self.send_all((message,), deadline)

    def send_all(self, messages: Sequence[dict[str, Any]], deadline: float) -> None:
        """Send requests. Where the worker ends with the last of them (`last`), its answers are waited for all at once.

        Raises:
            WorkerLost: They were not taken before the deadline (seconds of `monotonic`).
        """
        frames = b"".join(pack(msgspec.json.encode(message)) for message in messages)
        channel = self._process.channel
        try:
            channel.settimeout(max(_SHORTEST_WAIT_S, deadline - monotonic()))
            channel.sendall(frames)
        except TimeoutError:
            raise WorkerLost("silent") from None
        except OSError:
            raise WorkerLost("gone") from None
        if self._warm is not None and messages[-1].get("last"):
            self._deadline = deadline
            if self._warm.rest(min(_REST_S, deadline - monotonic())):
                self.said = self._all_said()

    def _all_said(self) -> bytes:
        try:
            return self._frames.ahead(self._left).replace(self.nonce.encode(), b"")
        except OSError:
            return b""

    def receive(self, kind: type[M], deadline: float) -> M:
        """Return the next message, which must be of that kind.

        Raises:
            WorkerLost: There is none before the deadline, or something else came.
        """
        self._deadline = deadline
        try:
            payload = self._frames.next(self._left)
            self._left -= len(payload)
            self._left_nodes -= payload.count(b",") + payload.count(b"[") + payload.count(b"{")
            if self._left_nodes < 0:
                raise WorkerLost("answers", f"more than {_MOST_NODES} values in its answers")
            message = decoded(payload, kind)
        except TimeoutError:
            raise WorkerLost("silent") from None
        except (EOFError, OSError):
            raise WorkerLost("gone") from None
        except FrameTooLong as long:
            raise WorkerLost("answers", str(long)) from None
        except (msgspec.MsgspecError, ValueError, RecursionError) as broken:
            raise WorkerLost("protocol", f"an answer cannot be read: {broken}"[:500]) from None
        if message.nonce != self.nonce:
            raise WorkerLost("protocol", "an answer is not of this job")
        return message

    def load(self, request: dict[str, Any], deadline: float, then: Sequence[dict[str, Any]] = ()) -> Raised | None:
        """Have a program loaded; what it raised when it failed. `then` is requested at once for when it has not.

        Raises:
            WorkerLost: The worker did not survive it.
        """
        self.send_all(({"op": "load", "nonce": self.nonce, "watch": "", **request}, *then), deadline)
        answer = self.receive(LoadReply, deadline)
        if (answer.loaded is None) == (answer.failed is None):
            raise WorkerLost("protocol", "loading neither failed nor succeeded")
        return answer.failed

    def explain(self, lost: WorkerLost, late: TimedOut) -> Outcome:
        """End the worker and say what its loss means for the code; `late` where it was only silent."""
        if lost.how == "gone":
            gone = monotonic()
            ending = self.end(_END_S)
            if monotonic() - gone >= _END_S:  # it lives on and was ended by us
                return Died(reason="protocol", detail="it closed its channel")
            return death(ending, self._limits)
        self.end(0.0)
        if lost.how == "silent":
            return late
        return Died(reason="answers" if lost.how == "answers" else "protocol", detail=lost.detail)

    def end(self, wait_s: float = _END_S) -> ExitStatus:
        """Close the channel and wait for the worker's end; safe to call again."""
        if self._ended is None:
            if wait_s <= 0:
                self._process.kill()
            self._ended = self._process.wait(wait_s)
            self._totals.add(self._ended)
        return self._ended

    @property
    def ended(self) -> bool:
        """Whether the worker has ended."""
        return self._ended is not None

    def wait(self, seconds: float) -> ExitStatus:
        """Give a worker that needs its channel no more that long to end by itself."""
        return self.end(max(seconds, _SHORTEST_WAIT_S))

    def _read(self, size: int) -> bytes:
        channel = self._process.channel
        channel.settimeout(max(_SHORTEST_WAIT_S, self._deadline - monotonic()))
        return channel.recv(size)


def death(ending: ExitStatus, limits: Limits) -> Outcome:
    """Return what it means for the code that its worker ended when it should have gone on."""
    used_up = ending.cpu_s is not None and ending.cpu_s >= limits.cpu_s
    if ending.limit == "memory":
        return Died(reason="memory", detail=f"it used more than {limits.memory_bytes} bytes")
    if ending.limit == "cpu" or ending.signal == signal.SIGXCPU or (ending.signal == signal.SIGKILL and used_up):
        return TimedOut(limit="cpu", seconds=limits.cpu_s)
    over = f" (over the limit of {ending.limit})" if ending.limit else ""
    if ending.signal is not None:
        return Died(reason="signal", detail=_signal_name(ending.signal) + over)
    return Died(reason="exit", detail=f"exit code {ending.exit_code}{over}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
