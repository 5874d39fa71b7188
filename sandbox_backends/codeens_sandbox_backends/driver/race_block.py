"""One block of a race as the driver sees it: its sides, and what their samples take.

Who answers is told by the kernel (`SCM_CREDENTIALS`, unix(7)); its clocks are then read from outside. The socket has to
ask for that before anybody can write on it, else the number is 0, which stands for the reader's own clock.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic, perf_counter
from typing import Any, Literal, NamedTuple

import msgspec

from codeens_sandbox_backends.driver.answers import checked
from codeens_sandbox_backends.driver.launcher import DirectWorker, ExitStatus, Instant, Launcher, SideClocks
from codeens_sandbox_backends.driver.live import not_live
from codeens_sandbox_backends.driver.session import Conversation, UsageTotals, WorkerLost, WorkerSession, death
from codeens_sandbox_backends.driver.wire import SampleAnswer
from codeens_sandbox_backends.host.pidfd import own_starved_s
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.programs import CallInput, Died, Outcome, Program, TimedOut
from codeens_sandbox_backends.races import PassArguments

_CREDENTIALS = struct.Struct("3i")
_MUCH = 1.1
_MUCH_S = 1e-4
"""By what factor and how much the group's time must exceed the process's before other processes are seen in it."""


class SideLost(Exception):
    """A side does not run any more."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Cost(NamedTuple):
    """Seconds that something took: of processor time, and of wall without waiting for a processor."""

    cpu_s: float
    busy_s: float


class _Moment(NamedTuple):
    wall_s: float
    """Where other clocks can be read, less what this thread has waited for a processor."""
    instant: Instant | None


def _between(start: _Moment, end: _Moment) -> Cost:
    wall_s = end.wall_s - start.wall_s
    if start.instant is None or end.instant is None:
        return Cost(wall_s, wall_s)
    cpu_s = end.instant.cpu_s - start.instant.cpu_s
    if start.instant.group_s is not None and end.instant.group_s is not None:
        group_s = end.instant.group_s - start.instant.group_s
        if group_s > _MUCH * cpu_s + _MUCH_S:
            cpu_s = group_s
    return Cost(cpu_s, max(cpu_s, wall_s - (end.instant.delay_s - start.instant.delay_s)))


class _SideConversation(Conversation):
    """Notes which process an answer came from."""

    pid = 0

    def _read(self, size: int) -> bytes:
        self._channel.settimeout(self._time_left())
        data, extra, _, _ = self._channel.recvmsg(size, socket.CMSG_SPACE(_CREDENTIALS.size))
        for level, kind, payload in extra:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                self.pid = _CREDENTIALS.unpack_from(payload)[0]
        return data


class RaceSide:
    """A program loaded in a process of its own, of which series of samples are forked."""

    def __init__(
        self,
        conversation: Conversation,
        inputs: Sequence[CallInput],
        limits: Limits,
        session: WorkerSession,
        clocks: SideClocks | None = None,
    ) -> None:
        """Take over the channel to a process that waits for its program; `session` is that of its block."""
        self._conversation = conversation
        self._inputs = inputs
        self._limits = limits
        self._session = session
        self._clocks = clocks
        self._parent = self._pid
        self._begun = self._asked = self._started = _Moment(0.0, None)
        self.load = Cost(0.0, 0.0)
        self.has_program = False
        self._in_series = False
        self._group = (0, 0)

    def take(self, program: Program) -> None:
        """Have a program loaded; `load` is what it took.

        Raises:
            SideLost: It cannot be loaded.
        """
        with self._losses():
            deadline = self._deadline()
            self._begun = self._moment()
            self._conversation.send({"program": program}, deadline)
            answer = self._received(deadline)
            if answer.failed is not None:
                raise SideLost(answer.failed)
            if answer.loaded is None:
                raise WorkerLost("protocol", "loading neither failed nor succeeded")
            if other := not_live(program, answer.loaded):
                raise SideLost(other)
            self.load = _between(self._begun, self._moment())
            self.has_program = True

    def sample(
        self, group: tuple[int, int], inner: int, arguments: PassArguments = "same", *, idle: bool = False
    ) -> Cost:
        """Take a sample in the series that runs or is begun by it; of passes with their own arguments, in a new one.

        Args:
            group: the inputs, from the first to before the last.
            inner: how many passes.
            arguments: what they get.
            idle: in which nothing is called.

        Raises:
            SideLost: It did not come to its end.
        """
        if arguments == "own" and not idle:
            return self.fresh_sample(group, inner, group)
        shared: PassArguments = "same" if arguments == "own" else arguments
        return self._sample(group, inner, (0, len(self._inputs)), shared, idle=idle)

    def fresh_sample(self, group: tuple[int, int], inner: int, rehearsed: tuple[int, int]) -> Cost:
        """Take the first sample of a series, of passes that each have arguments of their own.

        Args:
            group: the inputs, from the first to before the last.
            inner: how many passes.
            rehearsed: inputs that are run once before the clock does.

        Raises:
            SideLost: It did not come to its end.
        """
        self.end()
        return self._sample(group, inner, rehearsed, "own")

    def _sample(
        self,
        group: tuple[int, int],
        inner: int,
        rehearsed: tuple[int, int],
        arguments: PassArguments,
        *,
        idle: bool = False,
    ) -> Cost:
        with self._losses():
            deadline = self._deadline()
            if not self._in_series:
                self._asked = self._moment(self._parent)
            self._in_series = True
            self._group = group
            self._conversation.send(
                {
                    "first": group[0],
                    "last": group[1],
                    "inner": inner,
                    "rehearse": rehearsed,
                    "arguments": arguments,
                    "idle": idle,
                },
                deadline,
            )
            self._expect("ready", deadline)
            self._started = self._moment()
            self._conversation.send({}, deadline)
            self._expect("done", deadline, self._pid)
            return _between(self._started, self._moment())

    def digests(self) -> tuple[str | None, ...]:
        """Return digests of the answers of the last pass; `answers` must be asked for next.

        Raises:
            SideLost: They were not given.
        """
        with self._losses():
            deadline = self._deadline()
            self._conversation.send({"audit": True}, deadline)
            digests = self._received(deadline).digests
            if digests is None or len(digests) != self._group[1] - self._group[0]:
                raise WorkerLost("protocol", "the digests of a pass were not given when they had to be")
            return digests

    def since_started(self) -> Cost:
        """Return what the sample has taken since its clock was started: with its digests, where they were given.

        Raises:
            SideLost: Its process has ended.
        """
        with self._losses():
            return _between(self._started, self._moment())

    def end(self) -> None:
        """Let the series end that runs, if any.

        Raises:
            SideLost: It has ended already.
        """
        if self._in_series:
            self._in_series = False
            with self._losses():
                self._conversation.send({"end": True}, self._deadline())

    def lived(self) -> Cost:
        """Return what the side has taken from before its program was loaded until now, in its first sample.

        Where there are no groups, that is the side's own process, whatever thread of it, and the sample's.

        Raises:
            SideLost: One of them has ended.
        """
        with self._losses():
            sample, side = self._moment(), self._moment(self._parent).instant
            if side is None or sample.instant is None or self._begun.instant is None:
                return _between(self._begun, sample)
            wall_s = sample.wall_s - self._asked.wall_s
            cpu_s = side.cpu_s - self._begun.instant.cpu_s + sample.instant.cpu_s
            if side.group_s is not None and self._begun.instant.group_s is not None:
                cpu_s = side.group_s - self._begun.instant.group_s
            return Cost(cpu_s, max(cpu_s, self.load.busy_s + wall_s - sample.instant.delay_s))

    def answers(self, wanted: Sequence[int]) -> list[Outcome]:
        """Return answers of the last pass, of which digests were just given, by their numbers among all inputs.

        Raises:
            SideLost: They were not given.
        """
        with self._losses():
            deadline = self._deadline()
            first = self._group[0]
            for numbers in (wanted, ()) if wanted else ((),):
                self._conversation.send({"answers": [number - first for number in numbers]}, deadline)
            return [self._answer(number, number - first, deadline) for number in wanted]

    def _answer(self, number: int, index: int, deadline: float) -> Outcome:
        answer = self._received(deadline)
        if answer.index != index or answer.outcome is None:
            raise WorkerLost("protocol", f"the output of input {number} was not given when it had to be")
        return checked(answer.outcome, self._inputs[number], same=answer.same)

    def _expect(self, what: Literal["ready", "done"], deadline: float, pid: int | None = None) -> None:
        if getattr(self._received(deadline), what) is not True or (pid is not None and self._pid != pid):
            raise WorkerLost("protocol", f"a sample was not {what} when it had to be")

    def _received(self, deadline: float) -> SampleAnswer:
        answer = self._conversation.receive(SampleAnswer, deadline)
        if answer.died is not None:
            ending = ExitStatus(exit_code=answer.died.exit, signal=answer.died.signal)
            raise SideLost(death(ending, self._limits))
        return answer

    @property
    def _pid(self) -> int:
        return self._conversation.pid if isinstance(self._conversation, _SideConversation) else 0

    def _moment(self, pid: int | None = None) -> _Moment:
        """Read the clocks of a process, by default of the one that answered last."""
        if self._clocks is None:
            return _Moment(perf_counter(), None)
        pid = self._pid if pid is None else pid
        if pid <= 0:
            raise WorkerLost("protocol", "an answer came from no process that is known here")
        try:
            return _Moment(perf_counter() - own_starved_s(), self._clocks.read(pid))
        except OSError:
            raise WorkerLost("gone") from None

    @contextmanager
    def _losses(self) -> Generator[None]:
        try:
            yield
        except WorkerLost as lost:
            raise SideLost(self._meaning(lost)) from lost

    def _meaning(self, lost: WorkerLost) -> Outcome:
        """End the whole block, whose other sides may be disturbed, and say what happened to this one."""
        if lost.how == "gone" and self._clocks is not None:
            self._session.end(0.0)
            return Died(reason="exit", detail="its process ended")
        return self._session.explain(lost, TimedOut(limit="wall", seconds=self._limits.wall_s))

    def _deadline(self) -> float:
        return monotonic() + self._limits.wall_s


class RaceBlock:
    """A worker that holds the decoded inputs."""

    def __init__(
        self,
        launcher: Launcher,
        limits: Limits,
        inputs: Sequence[CallInput],
        raw: msgspec.Raw,
        copies: int,
        *,
        late: bool = False,
    ) -> None:
        """Start it; use it as a context manager, which ends it and all its sides.

        Args:
            launcher: Starts the worker.
            limits: Of the worker; `wall_s` is for each exchange with it.
            inputs: Of one pass.
            raw: The same as JSON.
            copies: How often they are decoded; one copy is for rehearsals.
            late: By each side, when its program is loaded: it brings their classes along.

        Raises:
            SideLost: The arguments cannot be made there, which is the fault of no side.
        """
        self._limits = limits
        self._inputs = inputs
        self._held = ExitStack()
        self._session = WorkerSession(launcher, "race", limits, UsageTotals(limits))
        self._held.callback(self._session.end, 0.0)
        with self._ended_on_failure():
            nonce = self._session.nonce
            self._ask({"op": "inputs", "nonce": nonce, "inputs": raw, "copies": copies, "late": late})

    def __enter__(self) -> RaceBlock:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._session.process.kill()  # before the groups of its sides are removed
        self._held.close()

    @property
    def shared(self) -> bool:
        """Whether several sides can be forked of it; else it becomes its only one."""
        return isinstance(self._session.process, DirectWorker)

    def side(self) -> RaceSide:
        """Return a side that has no program yet.

        Raises:
            SideLost: The block does not answer.
        """
        worker = self._session.process
        if not isinstance(worker, DirectWorker):
            self._ask({"op": "become"})
            return RaceSide(self._session, self._inputs, self._limits, self._session)
        ours, theirs = socket.socketpair()
        self._held.callback(ours.close)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        with theirs:
            self._ask({"op": "spawn"}, theirs)
        conversation = _SideConversation(ours, self._limits, self._session.nonce)
        with self._losses():
            conversation.receive(SampleAnswer, monotonic() + self._limits.wall_s)
            if conversation.pid <= 0:
                raise WorkerLost("protocol", "a side came from no process that is known here")
        clocks = worker.clocks(conversation.pid)
        self._held.callback(clocks.close)
        return RaceSide(conversation, self._inputs, self._limits, self._session, clocks)

    def _ask(self, request: dict[str, Any], descriptor: socket.socket | None = None) -> None:
        with self._losses():
            deadline = monotonic() + self._limits.wall_s
            self._session.send(request, deadline)
            if descriptor is not None:
                socket.send_fds(self._session.process.channel, [b"d"], [descriptor.fileno()])
            answer = self._session.receive(SampleAnswer, deadline)
        if answer.unready is not None:
            raise SideLost(answer.unready)

    @contextmanager
    def _losses(self) -> Generator[None]:
        try:
            yield
        except (WorkerLost, OSError) as error:
            lost = error if isinstance(error, WorkerLost) else WorkerLost("gone")
            late = TimedOut(limit="wall", seconds=self._limits.wall_s)
            raise SideLost(self._session.explain(lost, late)) from error

    @contextmanager
    def _ended_on_failure(self) -> Generator[None]:
        try:
            yield
        except BaseException:
            self._held.close()
            raise
