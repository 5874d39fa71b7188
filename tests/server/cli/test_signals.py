from __future__ import annotations

import os
import signal

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
