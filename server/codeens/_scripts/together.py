"""Several doors in one process, until one that belongs to the parent process ends, or a signal comes."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import anyio

_THREADS_LEFT_AFTER_S = 2.0


class Door(NamedTuple):
    """One of them."""

    serve: Callable[[], Awaitable[object]]
    """Raises `OSError` where it cannot be opened."""
    ends_all: bool
    """Its end is the end of the process: who started it is gone."""


def run(doors: Sequence[Door]) -> int:
    """Serve; return the exit code."""
    failure: BaseException | None = None
    try:
        anyio.run(_serve, doors)
    except* OSError as group:
        failure = group.exceptions[0]
        sys.stderr.write(f"codeens-server: error: {failure}\n")
    code = 0 if failure is None else 1
    _end_without_threads(code)
    return code


def _end_without_threads(code: int) -> None:
    """End the process soon, though a thread may still import something or wait for a file; all else has ended."""
    clock = threading.Timer(_THREADS_LEFT_AFTER_S, os._exit, (code,))
    clock.daemon = True
    clock.start()


async def _serve(doors: Sequence[Door]) -> None:
    async with _until_signalled() as scope, anyio.create_task_group() as group:
        for door in doors:
            group.start_soon(_ending, door, scope)


@asynccontextmanager
async def _until_signalled() -> AsyncGenerator[anyio.CancelScope]:
    """A block that SIGTERM and SIGINT end, like the end of the client does, with everything that it started."""
    async with anyio.create_task_group() as group:

        async def listen() -> None:
            with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for _ in signals:
                    group.cancel_scope.cancel()

        group.start_soon(listen)
        yield group.cancel_scope
        group.cancel_scope.cancel()


async def _ending(door: Door, scope: anyio.CancelScope) -> None:
    await door.serve()
    if door.ends_all:
        scope.cancel()
