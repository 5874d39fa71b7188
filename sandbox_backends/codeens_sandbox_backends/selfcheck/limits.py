"""Attempts to use more than a job may."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from anyio import to_thread

from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Limits
from codeens_sandbox_backends.programs import (
    CallInput,
    Died,
    ModuleSource,
    Outcome,
    Program,
    Raised,
    Returned,
    TimedOut,
    Unencodable,
)
from codeens_sandbox_backends.selfcheck.checks import CheckContext, SelfCheck
from codeens_sandbox_backends.selfcheck.outside import new_secret, processes_with

_MIB = 1 << 20
_SLACK_S = 10.0
"""Beyond a time limit, for starting and for the end."""
_SLACK = 2.0
"""How much over a bound still counts as bounded: a block more, an interpreter's own needs."""

Judge = Callable[[CallsResult], str]


def _limit(name: str, source: str, limits: Limits, judge: Judge) -> SelfCheck:
    """Return a check of an `f` that does not stop by itself; `judge` says why its bound did not hold."""

    async def run(context: CheckContext) -> str:
        program = Program(module="greedy", qualname="f", modules=(ModuleSource(name="greedy", source=source),))
        started = monotonic()
        result = await context.sandbox.run(CallsJob(program=program, inputs=(CallInput(),), limits=limits))
        seconds = monotonic() - started
        if seconds > limits.wall_s + _SLACK_S:
            return f"it ran for {seconds:.1f} seconds, {limits.wall_s:g} were allowed"
        return judge(result)

    return SelfCheck(name=name, kind="escape", run=run)


def _ended(*expected: type[Outcome]) -> Judge:
    """Expect one of these outcomes."""

    def judge(result: CallsResult) -> str:
        outcome = result.outcomes[0]
        return "" if isinstance(outcome, expected) else f"it was not stopped: {outcome}"

    return judge


def _out_of_memory(result: CallsResult) -> str:
    """Expect that the call was refused memory, or ended for it."""
    outcome = result.outcomes[0]
    refused = isinstance(outcome, Raised) and outcome.type == "MemoryError"
    return "" if refused or (isinstance(outcome, Died) and outcome.reason == "memory") else f"it came to {outcome}"


def _at_most(bound: float, *, least: float = 0) -> Judge:
    """Expect that the call was stopped, or returned a number from `least` to the bound."""

    def judge(result: CallsResult) -> str:
        outcome = result.outcomes[0]
        value = outcome.value if isinstance(outcome, Returned) else least
        held = isinstance(value, (int, float)) and least <= value <= bound
        return "" if held else f"it had {value}, from {least:g} to {bound:g} were allowed"

    return judge


def _output(bound: int) -> Judge:
    def judge(result: CallsResult) -> str:
        kept = max(len(result.stdout), len(result.stderr))
        told = isinstance(result.outcomes[0], Returned) and "x" in result.stdout
        return "" if told and kept <= bound + 200 else f"{kept} characters of output were kept, {bound} were allowed"

    return judge


_HOARD = """
def f():
    kept = []
    while True:
        kept.append(bytearray(100_000))
"""
_HOARD_TOGETHER = """
import os, time
def f():
    children = []
    reading, writing = os.pipe()
    for _ in range(16):
        child = os.fork()
        if not child:
            try:
                kept = bytearray(os.urandom(1) * (48 << 20))
                os.write(writing, b"x")
                time.sleep(60)
            finally:
                os._exit(1)
        children.append(child)
    os.close(writing)
    held = 0
    deadline = time.monotonic() + 5
    os.set_blocking(reading, False)
    while time.monotonic() < deadline and len(children) * 48 > held:
        try:
            held += 48 * len(os.read(reading, 64))
        except BlockingIOError:
            time.sleep(0.05)
    alive = sum(os.waitpid(child, os.WNOHANG) == (0, 0) for child in children)
    return 48 * alive
"""
_SPIN = """
import signal
def f():
    for number in (signal.SIGXCPU, signal.SIGTERM, signal.SIGALRM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass
"""
_SPIN_TOGETHER = """
import os
def f():
    for _ in range(3):
        os.fork()
    while True:
        pass
"""
_SLEEP = """
import signal, time
def f():
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except OSError:
            continue
    while True:
        time.sleep(1)
"""
_LOAD = "import time\nwhile True:\n    time.sleep(1)\n"
_FORK = """
import os, time
def f():
    count = 0
    for _ in range(500):
        try:
            if not os.fork():
                time.sleep(60)
                os._exit(0)
        except OSError:
            break
        count += 1
    return count
"""
_BOMB = """
import os, time
def f():
    deadline = time.monotonic() + 60
    for _ in range(12):  # 4096 of them, where nothing stops it
        try:
            os.fork()
        except OSError:
            continue
    while time.monotonic() < deadline:
        pass
"""
_PRINT = """
import os, sys
def f():
    for _ in range(200):
        os.write(1, b"x" * (1 << 18))
        os.write(2, b"x" * (1 << 18))
"""
_ANSWER = "def f():\n    return ['x' * (1 << 20)] * 24\n"
_FLOOD = """
import os
def f():
    while True:
        for number in range(3, 64):
            try:
                os.write(number, b"\\x00\\x10\\x00\\x00" + b" " * (1 << 20))
            except OSError:
                continue
"""
_FILES = """
import os, tempfile
def f():
    folders = {os.path.realpath(place) for place in (tempfile.gettempdir(), os.getcwd(), "/var/tmp", "/dev/shm")}
    for folder in folders:
        for number in range(12):
            try:
                with open(os.path.join(folder, "codeens-fill-%d" % number), "wb", 0) as file:
                    file.write(bytes(4 << 20))
            except OSError:
                continue
    total = 0
    for folder in folders:
        for number in range(12):
            place = os.path.join(folder, "codeens-fill-%d" % number)
            if os.path.exists(place):
                total += os.stat(place).st_blocks * 512
                os.unlink(place)
    return total
"""
_GIANT = """
import os, tempfile
def f():
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(256):
            try:
                file.write(bytes(1 << 20))
            except OSError:
                break
        return os.fstat(file.fileno()).st_blocks * 512
"""
_SPARSE = """
import os, tempfile
def f():
    with tempfile.TemporaryFile() as file:
        try:
            file.truncate(1 << 40)
        except OSError:
            return 0
        return os.fstat(file.fileno()).st_size
"""
_DESCRIPTORS = """
import os
def f():
    count = 0
    try:
        while count < 100000:
            os.dup(0)
            count += 1
    except OSError:
        pass
    return count
"""
_DEEP = "def f():\n    kept = []\n    for _ in range(100000):\n        kept = [kept]\n    return kept\n"

_SHELL_BOMB = """
import os
def f():
    os.execv("/bin/sh", ["sh", "-c", ": MARKER; b() { b | b & }; b; sleep 600"])
"""


async def _shell_bomb(context: CheckContext) -> str:
    """Expect that the processes of a bomb are gone with its job."""
    marker = new_secret()
    source = _SHELL_BOMB.replace("MARKER", marker)
    limits = Limits(processes=24, wall_s=2, cpu_s=2)
    why = await _limit("", source, limits, _ended(Died, TimedOut)).run(context)
    left = await to_thread.run_sync(processes_with, marker)
    return why or (f"{len(left)} processes outlived the job" if left else "")


LIMITS: tuple[SelfCheck, ...] = (
    SelfCheck(name="a fork bomb in the shell", kind="escape", run=_shell_bomb),
    _limit(
        "more memory in one process",
        _HOARD,
        Limits(memory_bytes=128 * _MIB, wall_s=20, call_s=20),
        _out_of_memory,
    ),
    _limit(
        "more memory in many processes",
        _HOARD_TOGETHER,
        Limits(memory_bytes=128 * _MIB, wall_s=30, call_s=30),
        _at_most(128 * _SLACK),
    ),
    _limit("more processor time", _SPIN, Limits(cpu_s=1, wall_s=20, call_s=20), _ended(TimedOut, Died)),
    _limit(
        "more processor time in many processes",
        _SPIN_TOGETHER,
        Limits(cpu_s=1, wall_s=8, call_s=8),
        _ended(TimedOut, Died),
    ),
    _limit("more time for a call", _SLEEP, Limits(call_s=0.5, wall_s=10), _ended(TimedOut)),
    _limit("more time for loading", _LOAD, Limits(wall_s=1), _ended(TimedOut)),
    _limit("more processes", _FORK, Limits(processes=32), _at_most(32, least=1)),
    _limit("a fork bomb", _BOMB, Limits(processes=32, wall_s=3, call_s=3, cpu_s=3), _ended(TimedOut, Died)),
    _limit("more output", _PRINT, Limits(output_bytes=10_000), _output(10_000)),
    _limit("a larger answer", _ANSWER, Limits(answer_bytes=_MIB), _ended(Died, Unencodable)),
    _limit("a flood of answers", _FLOOD, Limits(answer_bytes=_MIB, wall_s=5, call_s=5), _ended(Died, TimedOut)),
    _limit("more files", _FILES, Limits(disk_bytes=8 * _MIB), _at_most(8 * _MIB * _SLACK)),
    _limit("one giant file", _GIANT, Limits(disk_bytes=8 * _MIB), _at_most(8 * _MIB)),
    _limit("a giant file with holes", _SPARSE, Limits(disk_bytes=8 * _MIB), _at_most(8 * _MIB)),
    _limit("more descriptors", _DESCRIPTORS, Limits(), _at_most(65_536)),
    _limit("a bottomless value", _DEEP, Limits(wall_s=20), _ended(Unencodable, Raised, Died)),
)
