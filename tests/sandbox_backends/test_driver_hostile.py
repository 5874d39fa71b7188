"""Whatever a worker sends, the judge neither crashes nor hangs, and believes nothing that is not an answer."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeens_sandbox_backends.driver.launcher import ExitStatus, WorkerKind
from codeens_sandbox_backends.driver.sandbox import run_job
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Limits
from codeens_sandbox_backends.programs import Died, Outcome, Returned, TimedOut
from codeens_sandbox_backends.values.check import well_formed_outcome
from codeens_sandbox_backends.worker.frames import FrameReader, pack
from tests.sandbox_backends.programs import call, program, run_calls
from tests.sandbox_backends.values import CHARACTERS

Reply = Callable[[str], bytes]
"""From the job's nonce to bytes on the wire."""


@dataclass
class ScriptedWorker:
    """Starts like a worker, then answers each request with the next of the prepared replies, and hangs up."""

    channel: socket.socket

    def kill(self) -> None:
        pass

    def wait(self, timeout: float) -> ExitStatus:
        self.channel.close()
        return ExitStatus(exit_code=0)


@dataclass
class ScriptedLauncher:
    replies: tuple[Reply, ...]
    start: bytes = pack(b'{"nonce":"","up":"3.11"}')

    def launch(self, kind: WorkerKind, limits: Limits) -> ScriptedWorker:
        ours, theirs = socket.socketpair()
        threading.Thread(target=self._talk, args=(theirs,), daemon=True).start()
        return ScriptedWorker(ours)

    def _talk(self, channel: socket.socket) -> None:
        frames = FrameReader(channel.recv)
        nonce = ""
        try:
            with channel:
                channel.sendall(self.start)
                for reply in self.replies:
                    nonce = json.loads(frames.next(1 << 30)).get("nonce", nonce)
                    channel.sendall(reply(nonce))
                frames.next(1 << 30)
        except (EOFError, OSError):
            return


def message(**fields: Any) -> Reply:
    return lambda nonce: pack(json.dumps({"nonce": nonce, **fields}).encode())


PLACE = {"path": "", "line": 0, "python": "3.11"}
LOADED = message(loaded=PLACE)


def outcome_of(*replies: Reply, limits: Limits | None = None) -> Outcome:
    """Of one call, when a worker gives these replies to the requests `load` and `calls`."""
    job = CallsJob(program=program(""), inputs=(call(1),))
    result = run_job(ScriptedLauncher(replies), job, limits or Limits(call_s=0.3, wall_s=30.0))
    assert isinstance(result, CallsResult)
    (outcome,) = result.outcomes
    return outcome


def answer(outcome: object, **fields: object) -> Reply:
    return message(**{"index": 0, "outcome": outcome, **fields})


def returned(tree: object) -> Reply:
    return answer({"kind": "returned", "value": tree, "args": [1]})


def announced(length: int, sent: bytes = b"") -> Reply:
    return lambda _: struct.pack(">I", length) + sent


def raw(payload: bytes) -> Reply:
    return lambda nonce: pack(payload.replace(b"NONCE", nonce.encode()))


def test_an_answer_in_order_is_believed() -> None:
    assert outcome_of(LOADED, returned(5)) == Returned(value=5, args=(1,))


BROKEN: list[Reply] = [
    answer({"kind": "returned", "value": 5}, index=1),
    answer({"kind": "returned", "value": 5}, index="0"),
    answer({"kind": "returned", "value": 5}, extra=1),
    answer({"kind": "timeout", "limit": "call", "seconds": 1.0}),
    answer({"kind": "died", "reason": "exit"}),
    answer({"kind": "raised", "type": 5}),
    answer({"kind": "raised", "type": "E", "args": [["nope"]]}),
    answer(None),
    returned({"a": 1}),
    returned(["list", ["dict", 1]]),
    returned(1 << 60),
    message(index=0),
    message(done=True),
    lambda _: pack(b'{"nonce":"guessed","index":0,"outcome":{"kind":"returned","value":5}}'),
    raw(b""),
    raw(b"null"),
    raw(b"[" * 100_000),
    raw(b'{"a":' * 50_000),
    raw(b'{"nonce":"NONCE","index":0,"outcome":{"kind":"returned","value":NaN}}'),
    raw(b'{"nonce":"NONCE","index":0,"outcome":{"kind":"returned","value":1e999}}'),
    raw(b'{"nonce":"NONCE","index":0,"outcome":{"kind":"returned","value":' + b"9" * 10_000 + b"}}"),
    raw(b'{"nonce":"NONCE","index":' + b"9" * 10_000 + b',"outcome":{"kind":"returned","value":1}}'),
    raw(b'{"nonce":"NONCE","index":0,"outcome":{"kind":"returned","value":"\xff"}}'),
    raw(b'{"nonce":"NONCE","index":0,"outcome":{"kind":"returned","value":"\\ud800"}}'),
    raw(b'{"nonce":"NONCE","index":0,"outcome":{"kind":"returned","value":' + b"[" * 900 + b"]" * 900 + b"}}"),
]


@pytest.mark.parametrize("reply", BROKEN)
def test_a_malformed_answer_breaks_the_protocol(reply: Reply) -> None:
    outcome = outcome_of(LOADED, reply)
    assert isinstance(outcome, Died)
    assert outcome.reason == "protocol"


@pytest.mark.parametrize(
    "reply", [message(), message(loaded=True), message(loaded=PLACE, failed={"kind": "raised", "type": "E"})]
)
def test_loading_is_not_believed_in_half(reply: Reply) -> None:
    outcome = outcome_of(reply)
    assert isinstance(outcome, Died)
    assert outcome.reason == "protocol"


def test_a_frame_that_is_announced_and_does_not_come_is_waited_for_only_so_long() -> None:
    assert outcome_of(LOADED, announced(1000, b"{")) == TimedOut(limit="call", seconds=0.3)


def test_a_worker_may_not_send_more_than_its_share() -> None:
    limits = Limits(answer_bytes=1000, call_s=5.0)
    for reply in (returned("x" * 1000), announced(1 << 31)):
        outcome = outcome_of(LOADED, reply, limits=limits)
        assert isinstance(outcome, Died)
        assert outcome.reason == "answers"


@pytest.mark.parametrize("item", [b"[]", b'["list"]', b'{"":1}'])
def test_an_answer_that_would_fill_the_memory_of_the_judge_is_not_read(item: bytes) -> None:
    payload = (
        b'{"nonce":"NONCE","index":0,"outcome":{"kind":"returned","value":[' + b",".join([item] * 2_100_000) + b"]}}"
    )
    outcome = outcome_of(LOADED, raw(payload), limits=Limits(call_s=30.0, wall_s=30.0))
    assert isinstance(outcome, Died)
    assert (outcome.reason, "values" in outcome.detail) == ("answers", True)


@given(st.binary(max_size=200), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_bytes_make_the_judge_fail(noise: bytes, framed: bool) -> None:
    outcome = outcome_of(LOADED, (lambda _: pack(noise)) if framed else (lambda _: noise), limits=Limits(call_s=0.05))
    assert isinstance(outcome, (Died, TimedOut))


Json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(CHARACTERS, max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(CHARACTERS, max_size=3), inner, max_size=3)
        | st.tuples(st.sampled_from(["list", "dict", "int", "object", "deque", "iter"]), inner)
    ),
    max_leaves=10,
)
Fields: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["value", "args", "kwargs", "type", "where", "message"]), Json, max_size=5
)


@given(Fields, st.sampled_from(["returned", "raised", "unencodable", "died"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_as_an_answer_is_taken_for_an_outcome_or_refused(fields: dict[str, Any], kind: str) -> None:
    outcome = outcome_of(LOADED, answer({**fields, "kind": kind}))
    assert well_formed_outcome(outcome) or isinstance(outcome, Died)


def test_a_worker_that_does_not_start_is_the_sandbox_failing() -> None:
    job = CallsJob(program=program(""), inputs=(call(1),))
    with pytest.raises(SandboxBroken, match="did not start"):
        run_job(ScriptedLauncher((), start=pack(b"Segmentation fault")), job, Limits())


FORGED = """
import os, struct, sys
def say(text):
    frame = struct.pack(">I", len(text)) + text
    for fd in range(3, 50):
        try: os.write(fd, frame)
        except OSError: pass
def f(x):
    {statement}
    return x
"""


@pytest.mark.parametrize(
    "statement",
    [
        """say(b'{"nonce":"","index":0,"outcome":{"kind":"returned","value":5}}')""",
        "say(b'x')",
        "os.closerange(3, 50)",
    ],
)
def test_code_that_finds_the_channel_gains_nothing_by_it(statement: str) -> None:
    result = run_calls(FORGED.format(statement=statement), call(1))
    (outcome,) = result.outcomes
    assert isinstance(outcome, Died)


def test_a_call_that_forks_is_answered_once() -> None:
    result = run_calls("import os\ndef f(x):\n    child = os.fork()\n    return x", call(1), call(2))
    assert [getattr(outcome, "value", None) for outcome in result.outcomes] == [1, 2]


def test_code_does_not_inherit_the_channel_to_programs_it_starts() -> None:
    result = run_calls(
        """
        import os, subprocess, sys
        def f():
            code = "import os; print(sorted(fd for fd in range(3, 50) if os.path.exists(f'/proc/self/fd/{fd}')))"
            return subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, close_fds=False).stdout
        """,
        call(),
    )
    (outcome,) = result.outcomes
    assert outcome == Returned(value=["bytes", "W10K"])  # "[]"
