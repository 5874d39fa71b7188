"""Warm workers: what code can tell of earlier jobs, how it is kept in, and what sends a job to a sandbox of its own."""

from __future__ import annotations

import os
import select
import sys

import anyio
import pytest
from msgspec import structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Limits
from codeens_sandbox_backends.local.warm.channel import DrainingSocket
from codeens_sandbox_backends.local.warm.launcher import WarmLauncher
from codeens_sandbox_backends.local.warm.zygote import ForkRequest, ZygoteProcess
from codeens_sandbox_backends.programs import CallInput, Died, ModuleSource, Program, Returned, TimedOut
from codeens_sandbox_backends.selfcheck.contract import call
from tests.sandbox_backends.tools import answer, until
from tests.sandbox_backends.warm import MARKS, Launches, opened

_IMPORTS = """\
import asyncio, calendar, codecs, copyreg, csv, decimal, faulthandler, gc, io, locale, logging, mimetypes, numbers, os
import random, resource, shutil, signal, socket, sqlite3, ssl, sys, threading, urllib.request, warnings
import xml.etree.ElementTree
"""
pytestmark = MARKS

WITH_LIBC = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    return libc.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments))
"""


@pytest.fixture
async def launches(monkeypatch: pytest.MonkeyPatch) -> Launches:
    return Launches(monkeypatch)


async def test_plain_code_runs_warm_and_only_warm(launches: Launches) -> None:
    async with opened() as sandbox:
        launches.cold.clear()
        assert await answer(sandbox, "def f(n):\n    return n + 1\n", 1) == 2
        assert await answer(sandbox, "def f(n):\n    return n + 1\n", 2) == 3
    assert launches.cold == []


async def test_to_watch_what_calls_leave_takes_no_sandbox_of_its_own(launches: Launches) -> None:
    source = "import logging, random, socket, tempfile, threading\n\n\ndef f(n):\n    return n + 1\n"
    program = Program(module="m", qualname="f", modules=(ModuleSource(name="m", source=source),))
    job = CallsJob(program=program, inputs=(CallInput(args=(1,)),))
    async with opened() as sandbox:
        launches.cold.clear()
        watched = [
            await sandbox.run(structs.replace(job, effects=True)),
            await sandbox.run(structs.replace(job, loading=True)),
            await sandbox.run(structs.replace(job, coverage=True, counts=True)),
        ]
    assert [outcome for result in watched for outcome in result.outcomes] == [Returned(value=2, args=(1,))] * 3
    assert (watched[2].lines_hit, watched[2].line_counts) == ((5,), ((5, 1),))
    assert launches.cold == []


async def test_what_loading_leaves_is_told_alike_by_warm_and_other_workers(launches: Launches) -> None:
    told: list[dict[str, str]] = []
    async with opened() as sandbox:
        for fatal in ("", "os.nice(0)\n"):
            source = f"{_IMPORTS}{fatal}\n\ndef f(n):\n    return n + 1\n"
            program = Program(module="m", qualname="f", modules=(ModuleSource(name="m", source=source),))
            launches.cold.clear()
            result = await sandbox.run(CallsJob(program=program, inputs=(CallInput(args=(1,)),), loading=True))
            assert bool(launches.cold) is bool(fatal)
            told.append(result.loading)
    assert len(told[0]) > 30
    assert told[0] == told[1]


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
    assert launches.cold == ["calls"]


async def test_an_error_of_the_system_is_found_out_about_in_a_sandbox_of_its_own(launches: Launches) -> None:
    source = "def f(*path):\n    with open('/'.join(path)) as file:\n        return file.read(4)\n"
    async with opened() as sandbox:
        assert await answer(sandbox, source, "", "proc", "self", "comm") == "pyth"
    assert "calls" in launches.cold


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
async def test_reaching_for_the_process_before_ends_the_worker(
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
    settles = WarmLauncher.settles

    def watched(launcher: WarmLauncher, result: object) -> bool:
        assert isinstance(result, CallsResult)
        seen.append(result.outcomes == (Died(reason="signal", detail="SIGSYS"),))
        return settles(launcher, result)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WarmLauncher, "settles", watched)
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


async def test_output_that_nobody_reads_yet_does_not_stop_the_worker() -> None:
    source = "def f(n):\n    print('x' * n, flush=True)\n    return 'said'\n"
    async with opened() as sandbox:
        result = await call(sandbox, source, (1 << 20,), (1 << 20,), limits=Limits(output_bytes=1000))
    assert [outcome.value for outcome in result.outcomes if isinstance(outcome, Returned)] == ["said", "said"]
    assert result.stdout.count("x") == 1000


async def test_a_worker_that_dies_with_its_zygote_is_run_again_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as sandbox:
        assert await answer(sandbox, "def f():\n    return 1\n") == 1
        ended = ZygoteProcess.ended

        def killed(zygote: ZygoteProcess, channel: DrainingSocket, deadline: float) -> object:
            zygote.process.kill()
            return ended(zygote, channel, deadline)

        with monkeypatch.context() as patch:
            patch.setattr(ZygoteProcess, "ended", killed)
            assert await answer(sandbox, "def f():\n    return 2\n") == 2
        assert await answer(sandbox, "def f():\n    return 3\n") == 3


async def test_a_worker_that_died_while_it_waited_for_a_job_is_held_against_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ahead = ZygoteProcess.fork_ahead
    waited: list[bool] = []

    def and_kill(zygote: ZygoteProcess, kind: ForkRequest) -> None:
        ahead(zygote, kind)
        zygote.kill_child()
        waited.append(bool(select.select([zygote.process.channel], [], [], 100.0)[0]))

    monkeypatch.setattr(ZygoteProcess, "fork_ahead", and_kill)
    async with opened() as sandbox:
        for n in range(6):
            assert await answer(sandbox, "def f(n):\n    return n\n", n) == n
    assert waited == [True] * 6


async def test_a_worker_that_waits_does_not_bring_the_limits_of_the_job_before(launches: Launches) -> None:
    spin = "def f():\n    while True:\n        pass\n"
    talk = "def f():\n    print('x' * 50)\n"
    async with opened() as sandbox:
        launches.cold.clear()
        assert await answer(sandbox, "def f():\n    return 1\n") == 1
        short = Limits(cpu_s=0.1, call_s=60, wall_s=60)
        assert (await call(sandbox, spin, limits=short)).outcomes == (TimedOut(limit="cpu", seconds=0.1),)
        assert (await call(sandbox, talk, limits=Limits(output_bytes=10))).stdout == "x" * 10
        assert (await call(sandbox, talk)).stdout == "x" * 50 + "\n"
    assert launches.cold == []


async def test_more_jobs_than_workers_take_turns() -> None:
    found: list[object] = []

    async def one(sandbox: Sandbox, number: int) -> None:
        found.append(await answer(sandbox, "def f(n):\n    return n * n\n", number))

    async with opened() as sandbox, anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(one, sandbox, number)
        await until(lambda: len(found) == 20)
    assert sorted(map(int, map(str, found))) == [number * number for number in range(20)]


_MARKS = """
import fcntl
def f(mark):
    seen = [fcntl.fcntl(number, fcntl.F_GETFL) for number in (0, 1, 2)]
    try:
        fcntl.flock(0, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except PermissionError:
        seen.append("no lock")
    for number in (0, 1, 2):
        fcntl.fcntl(number, fcntl.F_SETFL, seen[number] | mark)
    return seen
"""


async def test_no_job_sees_flags_or_locks_of_an_earlier_one(launches: Launches) -> None:
    async with opened() as sandbox:
        launches.cold.clear()
        first = await answer(sandbox, _MARKS, os.O_APPEND | os.O_NONBLOCK)
        second = await answer(sandbox, _MARKS, 0)
    assert first == second
    assert first[-1] == "no lock"
    assert launches.cold == []
