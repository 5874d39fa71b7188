"""Real messages of workers, spoilt; and a worker on a real socket that answers with them."""

from __future__ import annotations

import json
import random
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from codeens_sandbox_backends.driver.launcher import ExitStatus, WorkerKind
from codeens_sandbox_backends.driver.sandbox import run_job
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, CheckJob, Limits, SuiteJob, SuiteResult
from codeens_sandbox_backends.programs import CallInput, Outcome, Raised, Returned, Unencodable
from codeens_sandbox_backends.values.check import well_formed_input, well_formed_outcome
from codeens_sandbox_backends.worker.frames import pack
from tests.sandbox_backends.programs import program

Mutate = Callable[[bytes], bytes]
"""From the bytes of frames to others."""

LIMITS = Limits(call_s=0.05, wall_s=0.5, answer_bytes=1 << 20)
_LENGTH = struct.Struct(">I")
_SCALARS: list[Any] = [None, True, False, 0, 1, -1, 1.0, -0.0, 1 << 53, 1 << 80, "", "x", "nan", "more", [], {}, [[]]]
_TAGS = ["list", "dict", "int", "float", "str", "set", "object", "ndarray", "pandas", "enum", "more", "iter", "bytes"]
_CALL = CallInput(args=(1,))
JOBS: dict[WorkerKind, CallsJob | CheckJob | SuiteJob] = {
    "calls": CallsJob(program=program(""), inputs=(_CALL, _CALL)),
    "check": CheckJob(program=program(""), tests="f(1)", name="f"),
    "suite": SuiteJob(kind="pytest", root="/nowhere", program=program(""), record=True),
}


class _Answering(socket.socket):
    """The judge's end of a socket pair. What the judge sends is answered at once, into the socket."""

    def answer_with(self, peer: socket.socket, replies: Sequence[Any], mutate: Mutate) -> None:
        """Each request gets the next of these lists of messages; after the last the peer hangs up."""
        self._peer, self._replies, self._mutate, self._nonce = peer, list(replies), mutate, ""

    def sendall(self, data: Any, flags: int = 0) -> None:
        for request in _requests(bytes(data)):
            self._nonce = request.get("nonce", self._nonce)
            if self._replies:
                self._say(self._replies.pop(0))
        if not self._replies:
            self._peer.close()

    def _say(self, messages: Sequence[Any]) -> None:
        frames = b"".join(pack(json.dumps(_with_nonce(message, self._nonce)).encode()) for message in messages)
        said = self._mutate(frames)
        self._peer.settimeout(0)
        try:
            self._peer.sendall(said)
        except OSError:
            self._replies = []
        if said != frames:  # nobody waits for the rest of what was spoilt
            self._replies = []

    def close(self) -> None:
        self._peer.close()
        super().close()


def _requests(data: bytes) -> Iterator[dict[str, Any]]:
    while data:
        (length,) = _LENGTH.unpack_from(data)
        yield json.loads(data[_LENGTH.size : _LENGTH.size + length])
        data = data[_LENGTH.size + length :]


def _with_nonce(message: Any, nonce: str) -> Any:
    return {"nonce": nonce, **cast("dict[str, Any]", message)} if isinstance(message, dict) else message


@dataclass
class _Worker:
    channel: socket.socket

    def kill(self) -> None:
        self.channel.close()

    def wait(self, timeout: float) -> ExitStatus:
        self.channel.close()
        return ExitStatus(exit_code=0)


@dataclass
class HostileLauncher:
    """Workers of the kind in question say what they are told to; the others what is right."""

    kind: WorkerKind
    replies: Sequence[Any]
    mutate: Mutate = bytes
    launched: int = field(default=0)

    def launch(self, kind: WorkerKind, limits: Limits) -> _Worker:
        ours, theirs = socket.socketpair()
        channel = _Answering(fileno=ours.detach())
        hostile = kind == self.kind
        channel.answer_with(theirs, self.replies if hostile else RIGHT[kind], self.mutate if hostile else bytes)
        theirs.sendall(pack(b'{"nonce":"","up":"3.11"}'))
        self.launched += 1
        return _Worker(channel)


def _answer(index: int, value: Any) -> dict[str, Any]:
    return {"index": index, "outcome": {"kind": "returned", "value": value, "args": [1]}}


_RAISED = {"kind": "raised", "type": "ValueError", "message": "m", "traceback": "t", "args": [1]}
PLACE = {"path": "", "line": 0, "python": "3.11"}
_TEST = {"test": {"id": "a::b", "outcome": "passed", "entered": 1, "seconds": 0.5}}
_RECORDED = {"test": "a::b", "input": {"args": [1]}, "outcome": _RAISED}
RIGHT: dict[WorkerKind, list[list[Any]]] = {
    "calls": [[{"loaded": PLACE}], [_answer(0, 5), {"index": 1, "outcome": _RAISED}]],
    "check": [[{"call": {"args": [1], "kwargs": {}}, "used": 0}], [{"verdict": None, "used": 0}]],
    "suite": [[_TEST, {"recorded": _RECORDED}, {"end": {"dropped": 0, "unencodable": ["m:C"], "failure": None}}]],
}
"""What a worker of each kind says to each request."""


def spoilt(node: Any, rng: random.Random) -> Any:
    """The JSON with one thing in it changed."""
    if not isinstance(node, (list, dict)) or not node or rng.random() < 0.2:
        return _other(node, rng)
    entries = cast("dict[Any, Any]", node).items() if isinstance(node, dict) else enumerate(cast("list[Any]", node))
    inside = list(entries)
    place, child = rng.choice(inside)
    changed: dict[Any, Any] = dict(inside)
    action = rng.random()
    if action < 0.15:
        del changed[place]
    elif action < 0.25 and isinstance(node, list):
        return [*node[:place], child, *node[place:]]
    else:
        changed[place] = spoilt(child, rng)
    return changed if isinstance(node, dict) else list(changed.values())


def _other(node: Any, rng: random.Random) -> Any:
    if isinstance(node, str) and node and rng.random() < 0.6:
        place = rng.randrange(len(node))
        return node[:place] + rng.choice(["", "0", "z", "-", ":", "\ud800", "é", node[place] * 2]) + node[place + 1 :]
    if isinstance(node, int) and rng.random() < 0.5:
        return node + rng.choice([-1, 1, 1 << 53, -(1 << 60)])
    return rng.choice([[rng.choice(_TAGS), node], [rng.choice(_TAGS)], rng.choice(_SCALARS)])


def spoilt_bytes(data: bytes, rng: random.Random) -> bytes:
    """The bytes with a few of them changed, left out, repeated or cut off."""
    for _ in range(rng.randrange(1, 4)):
        if not data:
            break
        start = rng.randrange(len(data))
        end = min(len(data), start + rng.choice([1, 1, 4, 50]))
        data = rng.choice(
            [
                data[:start] + bytes(rng.randrange(256) for _ in range(end - start)) + data[end:],
                data[:start] + data[end:],
                data[:end] + data[start:],
                data[:start],
            ]
        )
    return data


def judged(kind: WorkerKind, replies: Sequence[Any], mutate: Mutate = bytes) -> object:
    """What the judge makes of a worker of this kind that sends these replies.

    Raises:
        AssertionError: of something that is no outcome.
    """
    result = run_job(HostileLauncher(kind, replies, mutate), JOBS[kind], LIMITS)
    for outcome in _outcomes(result):
        assert isinstance(outcome, Outcome)
        assert not isinstance(outcome, (Returned, Raised, Unencodable)) or well_formed_outcome(outcome)
    if isinstance(result, SuiteResult):
        assert all(well_formed_input(call.input) for call in result.recorded)
    return result


def _outcomes(result: object) -> list[Outcome]:
    if isinstance(result, CallsResult):
        assert len(result.outcomes) == 2
        return list(result.outcomes)
    if isinstance(result, SuiteResult):
        return [call.outcome for call in result.recorded]
    failure: Outcome | None = getattr(result, "failure", None)
    return [failure] if failure is not None else []
