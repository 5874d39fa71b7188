"""One worker seen from the judge: requests, checked answers, deadlines, and why it was lost."""

from __future__ import annotations

import secrets
import signal
import socket
from collections.abc import Sequence
from time import monotonic, sleep
from typing import Any, Literal, TypeVar

import msgspec

from codeens_sandbox_backends.driver.launcher import (
    ExitStatus,
    Launcher,
    TellsStarvation,
    WarmWorker,
    WorkerKind,
    WorkerProcess,
)
from codeens_sandbox_backends.driver.live import not_live
from codeens_sandbox_backends.driver.wire import LivePlace, LoadReply, Up, WorkerMessage
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.host.pidfd import own_starved_s
from codeens_sandbox_backends.jobs import Limits, Usage
from codeens_sandbox_backends.programs import Died, Outcome, Program, Raised, TimedOut
from codeens_sandbox_backends.reading import decoded
from codeens_sandbox_backends.worker.frames import FrameReader, FrameTooLong, pack

_START_S = 30.0
"""An interpreter starts in a tenth of a second; a machine that swaps takes seconds."""
_LONGEST_HANDSHAKE = 1000
"""Bytes; it holds a version number."""
_END_S = 2.0
_SHORTEST_WAIT_S = 0.001
_MOST_EXCUSED_S = 600.0
_TURN_S = 0.1
"""Until a waiting process gets its turn, on a busy machine: only then does the kernel count how long it waited."""
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


def await_handshake(process: WorkerProcess, seconds: float = _START_S) -> None:
    """Wait until a process that is kept for several jobs says that it is up, for so long at the most.

    Raises:
        SandboxBroken: it does not; the process is ended, and the message holds what it said.
    """
    process.channel.settimeout(seconds)
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
        self._processes: list[TellsStarvation] = []
        self.excused_s = 0.0
        """Seconds, as far as known, in which workers were started, or they or this thread waited for a processor.

        Deadlines are put off by them: what a busy machine takes is not the code's.
        """
        self._starting_s = 0.0
        self._own_before_s = own_starved_s()

    def watch(self, process: WorkerProcess, starting_s: float) -> None:
        """Take in a worker, and how long its start took."""
        self._starting_s += starting_s
        self.excused_s += starting_s
        if isinstance(process, TellsStarvation):
            self._processes.append(process)

    def look(self) -> None:
        """Learn how long workers were kept from running, while they live."""
        turns = [process.turns() for process in self._processes]
        starved_s = self._starting_s + sum(turn.starved_s for turn in turns)
        # What this thread waits for while a worker runs or waits is no delay, and must not be counted twice.
        idle_s = monotonic() - self._started - starved_s - sum(turn.ran_s for turn in turns)
        own_s = min(own_starved_s() - self._own_before_s, max(0.0, idle_s))
        self.excused_s = max(self.excused_s, min(starved_s + own_s, _MOST_EXCUSED_S))

    def deadline(self, seconds: float) -> float:
        """Return the deadline of what may take so long from now on; it is put off by what is still to be excused."""
        return monotonic() + seconds - self.excused_s

    def is_late(self, deadline: float) -> bool:
        """Return whether a deadline has passed, after looking at what is to be excused."""
        now = monotonic()
        self.look()
        if now >= deadline + self.excused_s and self._processes:
            sleep(_TURN_S)
            self.look()
        return now >= deadline + self.excused_s

    def add(self, ending: ExitStatus) -> None:
        """Book how a worker ended."""
        self._endings.append(ending)

    def is_past(self, deadline: float) -> bool:
        """Return whether a deadline, put off by what workers were kept from running, has passed."""
        return monotonic() >= deadline + self.excused_s

    @property
    def usage(self) -> Usage:
        """Sums over all workers; the peak is that of the largest."""
        cpu = [ending.cpu_s for ending in self._endings if ending.cpu_s is not None]
        peaks = [ending.peak_rss_bytes for ending in self._endings if ending.peak_rss_bytes is not None]
        return Usage(
            wall_s=monotonic() - self._started,
            waited_s=self.excused_s,
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


class Conversation:
    """Requests and checked answers on one channel; who answers may say anything."""

    def __init__(self, channel: socket.socket, limits: Limits, nonce: str = "") -> None:
        self._channel = channel
        self._left = limits.answer_bytes
        self._left_nodes = _MOST_NODES
        self._deadline = 0.0
        self._frames = FrameReader(self._read)
        self.nonce = nonce
        self.payload = b""
        """Of the last message received."""

    def send(self, message: dict[str, Any], deadline: float) -> None:
        """Send a request.

        Raises:
            WorkerLost: It was not taken before the deadline (seconds of `monotonic`).
        """
        self.send_all((message,), deadline)

    def send_all(self, messages: Sequence[dict[str, Any]], deadline: float) -> None:
        """Send requests, as `send` does."""
        frames = b"".join(pack(msgspec.json.encode(message)) for message in messages)
        self._deadline = deadline
        try:
            self._channel.settimeout(self._time_left())
            self._channel.sendall(frames)
        except TimeoutError:
            raise WorkerLost("silent") from None
        except OSError:
            raise WorkerLost("gone") from None

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
        except _CHANNEL_FAILURES as failure:
            raise _lost(failure) from None
        except (msgspec.MsgspecError, ValueError, RecursionError) as broken:
            raise WorkerLost("protocol", f"an answer cannot be read: {broken}"[:500]) from None
        if message.nonce != self.nonce:
            raise WorkerLost("protocol", "an answer is not of this job")
        self.payload = payload
        return message

    def await_another(self, deadline: float) -> None:
        """Wait for one more message than this has waited for; `receive` returns them later.

        Raises:
            WorkerLost: There is none before the deadline.
        """
        self._deadline = deadline
        try:
            self._frames.await_another(self._left)
        except _CHANNEL_FAILURES as failure:
            raise _lost(failure) from None

    def _read(self, size: int) -> bytes:
        self._channel.settimeout(self._time_left())
        return self._channel.recv(size)

    def _time_left(self) -> float:
        return max(_SHORTEST_WAIT_S, self._deadline - monotonic())


_CHANNEL_FAILURES = (EOFError, OSError, FrameTooLong)


def _lost(failure: Exception) -> WorkerLost:
    if isinstance(failure, FrameTooLong):
        return WorkerLost("answers", str(failure))
    return WorkerLost("silent" if isinstance(failure, TimeoutError) else "gone")


class WorkerSession(Conversation):
    """A running worker.

    Raises:
        SandboxBroken: The worker did not start.
    """

    def __init__(self, launcher: Launcher, kind: WorkerKind, limits: Limits, totals: UsageTotals) -> None:
        self._limits = limits
        self._totals = totals
        begun = monotonic()
        self.process = launcher.launch(kind, limits)
        super().__init__(self.process.channel, limits)
        self._ended: ExitStatus | None = None
        self.said = b""
        """Answers to calls, without the nonce, of a warm worker that ended with its last request; else empty."""
        self._warm = self.process if isinstance(self.process, WarmWorker) else None
        if self._warm is None:
            self._shake_hands()
        totals.watch(self.process, monotonic() - begun)
        self.nonce = secrets.token_hex(8)

    def _shake_hands(self) -> None:
        try:
            self.receive(Up, monotonic() + _START_S)
        except WorkerLost as lost:
            ending = self.end(0.0 if lost.how == "silent" else _END_S)
            raise SandboxBroken(f"the worker did not start ({lost.how}). It said: {_last_words(ending)}") from lost

    def send_all(self, messages: Sequence[dict[str, Any]], deadline: float) -> None:
        """Send requests. Where the worker ends with the last of them (`last`), its answers are waited for all at once.

        Raises:
            WorkerLost: They were not taken before the deadline (seconds of `monotonic`).
        """
        super().send_all(messages, deadline)
        if self._warm is not None and messages[-1].get("last") and self._warm.rest(min(_REST_S, self._time_left())):
            self.said = self._all_said()

    def _all_said(self) -> bytes:
        try:
            return self._anonymous(self._frames.ahead(self._left))
        except OSError:
            return b""

    def as_said(self, payloads: Sequence[bytes]) -> bytes:
        """Return what `said` is of a worker that gives these answers."""
        return self._anonymous(b"".join(map(pack, payloads)))

    def _anonymous(self, frames: bytes) -> bytes:
        return frames.replace(self.nonce.encode(), b"")

    def load(
        self, program: Program, deadline: float, then: Sequence[dict[str, Any]] = (), **watching: str
    ) -> Raised | LivePlace:
        """Have a program loaded, and return what function there is, or why there is none to be called.

        Args:
            program: what to load.
            deadline: seconds of `monotonic`.
            then: requested at once, for when it is loaded.
            watching: what else the request says.

        Raises:
            WorkerLost: The worker did not survive it.
        """
        request = {"op": "load", "nonce": self.nonce, "program": program, "watch": "", **watching}
        self.send_all((request, *then), deadline)
        answer = self.receive(LoadReply, deadline)
        self.said = self._all_said() if self.said else b""
        if answer.failed is not None and answer.loaded is None:
            return answer.failed
        if answer.loaded is None or answer.failed is not None:
            raise WorkerLost("protocol", "loading neither failed nor succeeded")
        return not_live(program, answer.loaded) or answer.loaded

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
                self.process.kill()
            self._ended = self.process.wait(wait_s)
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
        while True:
            try:
                return super()._read(size)
            except TimeoutError:
                if self._totals.is_late(self._deadline):
                    raise

    def _time_left(self) -> float:
        return max(_SHORTEST_WAIT_S, self._deadline + self._totals.excused_s - monotonic())


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
