from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from codeens_server.cli.session import interruptible

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_signal_stops_the_work_and_the_second_ends_everything(number: signal.Signals) -> None:
    stopped = anyio.Event()
    async with interruptible() as interruption:
        interruption.at_first(stopped.set)
        os.kill(os.getpid(), number)
        await stopped.wait()
        os.kill(os.getpid(), number)
        await anyio.sleep_forever()
    assert interruption.happened


async def test_before_there_is_anything_to_keep_the_first_signal_ends_everything() -> None:
    async with interruptible() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        await anyio.sleep_forever()
    assert interruption.happened


async def test_a_block_that_ends_by_itself_gives_the_signals_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with interruptible() as interruption:
        pass
    assert not interruption.happened
    assert signal.getsignal(signal.SIGTERM) == before


_STUCK = """
import os, sys, anyio, anyio.to_thread
from codeens_server.cli import session

session._AT_LAST_S = 0.1

async def main():
    async with session.interruptible():
        print("ready", flush=True)
        await anyio.to_thread.run_sync(open, sys.argv[1])

anyio.run(main)
"""


def test_what_can_not_be_cancelled_ends_with_the_process(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    command = [sys.executable, "-c", _STUCK, str(tmp_path / "fifo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.wait(timeout=60) == 1
