"""Warm players: what code can tell of earlier jobs, how it is kept in, and what sends a job to a sandbox of its own."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from codeens_sandbox_backends.base import (
    CheckJob,
    CheckResult,
    Died,
    Limits,
    ModuleSource,
    Program,
    Raised,
    Returned,
    Sandbox,
    SandboxSpec,
    TimedOut,
)
from codeens_sandbox_backends.conduct.launch import PlayerProcess, Role
from codeens_sandbox_backends.conduct.session import Session
from codeens_sandbox_backends.local.backend import LocalBackend
from codeens_sandbox_backends.local.bwrap import BwrapLauncher
from codeens_sandbox_backends.local.warm import Zygote
from codeens_sandbox_backends.local.warm_channel import DrainingSocket
from codeens_sandbox_backends.local.warm_launcher import WarmLauncher
from tests.sandbox_backends import conformance
from tests.sandbox_backends.conformance import answer, call
from tests.sandbox_backends.machine import why_not

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(bool(why_not("local")), reason=why_not("local") or "bubblewrap works"),
]

WITH_LIBC = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    return libc.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments))
"""


@asynccontextmanager
async def opened(*, warm: bool = True) -> AsyncGenerator[Sandbox]:
    sandbox = await LocalBackend(warm=warm).open(SandboxSpec(python=sys.executable))
    try:
        yield sandbox
    finally:
        await sandbox.aclose()


class Launches:
    """Counts players by the path that they were started on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.warm = 0
        self.cold: list[Role] = []
        warm, cold = WarmLauncher.launch, BwrapLauncher.launch

        def launch_warm(launcher: WarmLauncher, role: Role, limits: Limits) -> PlayerProcess:
            self.warm += role == "play"
            return warm(launcher, role, limits)

        def launch_cold(launcher: BwrapLauncher, role: Role, limits: Limits) -> PlayerProcess:
            self.cold.append(role)
            return cold(launcher, role, limits)

        monkeypatch.setattr(WarmLauncher, "launch", launch_warm)
        monkeypatch.setattr(BwrapLauncher, "launch", launch_cold)


@pytest.fixture
async def launches(monkeypatch: pytest.MonkeyPatch) -> Launches:
    return Launches(monkeypatch)


def check_job(source: str, tests: str, limits: Limits | None = None) -> CheckJob:
    program = Program(module="subject", qualname="f", modules=(ModuleSource(name="subject", source=source),))
    return CheckJob(program=program, tests=tests, name="f", limits=limits)


async def test_plain_code_runs_warm_and_only_warm(launches: Launches) -> None:
    async with opened() as sandbox:
        launches.cold.clear()
        assert await answer(sandbox, "def f(n):\n    return n + 1\n", 1) == 2
        assert await answer(sandbox, "def f(n):\n    return n + 1\n", 2) == 3
    assert launches.cold == []


@pytest.mark.parametrize(
    "body",
    [
        "os.fork() or os._exit(0)",
        "os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)",
        "subprocess.run(['/bin/true'])",
        "open('/tmp/x', 'w').close()",
        "open(os.devnull, 'w').close()",
        "os.mkdir('/tmp/d')",
        "os.symlink('a', '/tmp/s')",
        "os.memfd_create('m')",
        "mmap.mmap(-1, 4096)",
        "os.kill(os.getpid(), 0)",
        "os.nice(1)",
        "os.open('/dev/shm/x', os.O_CREAT | os.O_RDWR)",
        "resource.prlimit(os.getpid(), resource.RLIMIT_CORE)",
    ],
)
async def test_what_only_a_sandbox_of_its_own_allows_is_run_again_in_one(launches: Launches, body: str) -> None:
    source = f"""
import mmap, os, resource, subprocess
def f():
    try:
        {body}
    except BaseException as error:
        return repr(error)
    return "done"
"""
    async with opened() as sandbox:
        launches.cold.clear()
        assert await answer(sandbox, source) == "done"
    assert launches.cold == ["play"]


async def test_an_error_of_the_system_is_found_out_about_in_a_sandbox_of_its_own(launches: Launches) -> None:
    source = "def f(*path):\n    with open('/'.join(path)) as file:\n        return file.read(4)\n"
    async with opened() as sandbox:
        assert await answer(sandbox, source, "", "proc", "self", "comm") == "pyth"
    assert "play" in launches.cold


@pytest.mark.parametrize(
    ("why", "number", "arguments"),
    [
        ("kill the zygote", 62, (2, 9)),
        ("signal all", 62, (-1, 9)),
        ("prlimit of the zygote", 302, (2, 0, 0, 0)),
        ("own a descriptor's signals", 72, (1, 8, 2)),
        ("pidfd of the zygote", 434, (2, 0)),
        ("slow the zygote down", 141, (0, 2, 19)),
        ("message queue", 68, (0, 0o1666)),
        ("shared memory", 29, (0, 4096, 0o1666)),
        ("clone without a thread", 56, (17, 0, 0, 0, 0)),
        ("a queue with a name", 240, (0, 0, 0, 0)),
    ],
)
async def test_reaching_for_the_process_before_ends_the_player(
    why: str, number: int, arguments: tuple[int, ...]
) -> None:
    if "x86_64" not in sys.implementation._multiarch:
        pytest.skip("numbers of another machine")
    source = f"{WITH_LIBC}\ndef f():\n    return call({', '.join(map(str, (number, *arguments)))})\n"
    async with opened() as sandbox:
        fell_short = await _fell_short(sandbox, source)
        assert await answer(sandbox, "def f():\n    return 1\n") == 1
    assert fell_short, why


async def _fell_short(sandbox: Sandbox, source: str) -> bool:
    """Whether the job was run again, told by the peak of its process numbers: a warm one is never seen here."""
    seen: list[bool] = []
    settled = WarmLauncher.fell_short.fget
    assert settled is not None

    def watched(launcher: WarmLauncher) -> bool:
        seen.append(settled(launcher))
        return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WarmLauncher, "fell_short", property(watched))
        await call(sandbox, source)
    return any(seen)


async def test_nothing_of_one_job_is_there_for_the_next() -> None:
    leave = """
import builtins, gc, os, random, sys
def f():
    builtins.left = sys.left = random.left = "here"
    os.environ["LEFT"] = "here"
    os.chdir("/usr")
    sys.setrecursionlimit(5000)
    return "left"
"""
    look = """
import builtins, gc, os, random, sys
def f():
    kept = [x for x in gc.get_objects() if isinstance(x, dict) and ("LEFT" in x or "left" in x)]
    where = [hasattr(module, "left") for module in (builtins, sys, random)]
    return [any(where), "LEFT" in os.environ, os.getcwd(), sys.getrecursionlimit(), len(kept)]
"""
    async with opened() as sandbox:
        assert await answer(sandbox, leave) == "left"
        assert await answer(sandbox, look) == ["list", False, False, "/tmp", 1000, 0]


async def test_random_numbers_are_drawn_anew_in_each_job() -> None:
    source = "import random\ndef f():\n    return random.getrandbits(64)\n"
    async with opened() as sandbox:
        assert len({str(await answer(sandbox, source)) for _ in range(4)}) == 4


async def test_only_the_channel_is_open() -> None:
    source = """
import os
def f():
    found = []
    for number in range(256):
        try:
            found.append([number, os.fstat(number).st_mode >> 12])
        except OSError:
            continue
    return found
"""
    async with opened() as sandbox:
        kinds = {0: 2, 1: 1, 2: 1, 3: 12}  # a device, two pipes, a socket
        assert await answer(sandbox, source) == ["list", *(["list", *pair] for pair in kinds.items())]


async def test_threads_work() -> None:
    source = """
import threading
def f():
    found = []
    threads = [threading.Thread(target=found.append, args=(n,)) for n in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return sorted(found)
"""
    async with opened() as sandbox:
        assert await answer(sandbox, source) == ["list", *range(8)]


async def test_a_fraction_of_a_second_of_processor_time_is_a_limit() -> None:
    limits = Limits(cpu_s=0.1, call_s=60, wall_s=60)
    async with opened() as sandbox:
        outcome = (await call(sandbox, "def f():\n    while True:\n        pass\n", limits=limits)).outcomes[0]
    assert outcome == TimedOut(limit="cpu", seconds=0.1)


async def test_recursion_goes_as_deep_as_in_a_sandbox_of_its_own() -> None:
    source = "def f(n=0):\n    try:\n        return f(n + 1)\n    except RecursionError:\n        return n\n"
    depths: list[object] = []
    for warm in (True, False):
        async with opened(warm=warm) as sandbox:
            depths.append(await answer(sandbox, source))
    assert depths[0] == depths[1]


async def test_output_that_nobody_reads_yet_does_not_stop_the_player() -> None:
    source = "def f(n):\n    print('x' * n, flush=True)\n    return 'said'\n"
    async with opened() as sandbox:
        result = await call(sandbox, source, (1 << 20,), (1 << 20,), limits=Limits(output_bytes=1000))
    assert [outcome.value for outcome in result.outcomes if isinstance(outcome, Returned)] == ["said", "said"]
    assert result.stdout.count("x") == 1000


async def test_a_player_that_dies_with_its_zygote_is_run_again_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as sandbox:
        assert await answer(sandbox, "def f():\n    return 1\n") == 1
        ended = Zygote.ended

        def killed(zygote: Zygote, channel: DrainingSocket, deadline: float) -> object:
            zygote.process.kill()
            return ended(zygote, channel, deadline)

        with monkeypatch.context() as patch:
            patch.setattr(Zygote, "ended", killed)
            assert await answer(sandbox, "def f():\n    return 2\n") == 2
        assert await answer(sandbox, "def f():\n    return 3\n") == 3


async def test_more_jobs_than_players_take_turns() -> None:
    found: list[object] = []

    async def one(sandbox: Sandbox, number: int) -> None:
        found.append(await answer(sandbox, "def f(n):\n    return n * n\n", number))

    async with opened() as sandbox, anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(one, sandbox, number)
        await conformance.until(lambda: len(found) == 20)
    assert sorted(map(int, map(str, found))) == [number * number for number in range(20)]


# Tests -----------------------------------------------------------------------------------------------------------

COUNTS = "calls = []\ndef f(n):\n    calls.append(n)\n    return len(calls)\n"


async def _checked(sandbox: Sandbox, source: str, tests: str, limits: Limits | None = None) -> CheckResult:
    return await sandbox.run(check_job(source, tests, limits))


async def test_a_check_gives_the_same_answer_whether_or_not_its_calls_were_foreseen() -> None:
    tests = "def check(c):\n    assert c(1) == 2\n    assert c(2) == 3\n    assert c(3) == 4\n"
    right, wrong = "def f(n):\n    return n + 1\n", "def f(n):\n    return n + 1 if n < 3 else 0\n"
    late = "def f(n):\n    return 0 if n == 1 else [][n]\n"
    async with opened() as sandbox:
        for _ in range(2):
            assert (await _checked(sandbox, right, tests)).passed
            failed = await _checked(sandbox, wrong, tests)
            assert (failed.passed, failed.calls) == (False, 3)
            assert isinstance(failed.failure, Raised)
            assert failed.failure.type == "AssertionError"
            first = (await _checked(sandbox, late, tests)).failure
            assert isinstance(first, Raised)
            assert first.type == "AssertionError"


async def test_tests_that_go_by_what_comes_back_are_not_led_astray() -> None:
    tests = "def check(c):\n    n = c(5)\n    for _ in range(3):\n        n = c(n)\n    assert n == 4, n\n"
    async with opened() as sandbox:
        assert (await _checked(sandbox, COUNTS, tests)).passed
        other = await _checked(sandbox, "def f(n):\n    return n - 1\n", tests)
        again = await _checked(sandbox, COUNTS, tests)
    assert (other.passed, again.passed) == (False, True)


async def test_a_call_that_hangs_after_the_failure_does_not_change_it() -> None:
    tests = "def check(c):\n    assert c(1) == 1\n    assert c(2) == 2\n"
    source = "def f(n):\n    while n == 2:\n        pass\n    return 0\n"
    async with opened() as sandbox:
        assert (await _checked(sandbox, "def f(n):\n    return n\n", tests)).passed
        failure = (await _checked(sandbox, source, tests, Limits(cpu_s=0.2))).failure
    assert isinstance(failure, Raised)
    assert failure.type == "AssertionError"


async def test_a_call_that_dies_fails_the_check_with_its_death() -> None:
    tests = "def check(c):\n    assert c(1) == 1\n    assert c(2) == 2\n"
    source = "import os\ndef f(n):\n    return n if n == 1 else os._exit(4)\n"
    async with opened() as sandbox:
        for _ in range(2):
            result = await _checked(sandbox, source, tests)
            assert result.failure == Died(reason="exit", detail="exit code 4")
            assert (await _checked(sandbox, "def f(n):\n    return n\n", tests)).passed


async def test_calls_are_guessed_before_the_first_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    tests = """
def check(c):
    assert abs(c(1) - 2) < 1e-6 and c([2], k=3) != 0
    assert [c(4)] == [5]
    for n in range(3):
        assert c(n) >= n
"""
    source = "def f(n, k=None):\n    return 1 if k else n + 1\n"
    asked: list[object] = []
    send = Session.send

    def noted(session: Session, message: dict[str, object], deadline: float) -> None:
        asked.append(message.get("op", "outcome"))
        send(session, message, deadline)

    monkeypatch.setattr(Session, "send", noted)
    async with opened() as sandbox:
        asked.clear()
        result = await _checked(sandbox, source, tests)
    assert (result.passed, result.calls) == (True, 6)
    assert asked == ["foresee", "load", "calls", "check"]


async def test_tests_that_never_end_where_all_is_liked_are_run_as_they_are() -> None:
    tests = "def check(c):\n    n = 0\n    while c(n) == n:\n        n += 1\n    assert n == 4\n"
    endless = "def check(c):\n    while c(1) == 1:\n        pass\n"
    async with opened() as sandbox:
        assert (await _checked(sandbox, "def f(n):\n    return min(n, 3)\n", tests)).passed
        assert (await _checked(sandbox, "def f(n):\n    return 0\n", endless)).passed


async def test_tests_do_not_see_what_the_tests_before_them_left() -> None:
    dirty = "import random\nseen = 1\ndef check(c):\n    random.seed(1)\n    assert c(1) == 1\n"
    clean = "import random\ndef check(c):\n    assert 'seen' not in globals()\n    assert c(random.random()) >= 0\n"
    async with opened() as sandbox:
        for tests in (dirty, clean, dirty, clean):
            assert (await _checked(sandbox, "def f(n):\n    return n\n", tests)).passed


async def test_tests_that_hang_end_with_their_time_and_the_next_ones_run() -> None:
    hang = "def check(c):\n    c(1)\n    while True:\n        pass\n"
    fine = "def check(c):\n    assert c(1) == 1\n"
    source = "def f(n):\n    return n\n"
    async with opened() as sandbox:
        result = await _checked(sandbox, source, hang, Limits(wall_s=0.5))
        assert isinstance(result.failure, TimedOut)
        assert (await _checked(sandbox, source, fine)).passed


# The same as everywhere ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", [*conformance.EVERY, *conformance.ISOLATED], ids=lambda check: check.__name__)
async def test_the_local_backend_without_warm_players(check: conformance.Check) -> None:
    async with opened(warm=False) as sandbox:
        await check(sandbox)


@pytest.mark.parametrize("check", conformance.ISOLATED_FROM_FILES, ids=lambda check: check.__name__)
async def test_files_without_warm_players(check: Callable[[Sandbox, Path], object], tmp_path: Path) -> None:
    async with opened(warm=False) as sandbox:
        await conformance.ISOLATED_FROM_FILES[conformance.ISOLATED_FROM_FILES.index(check)](sandbox, tmp_path)
