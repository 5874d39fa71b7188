"""Asynchronous generators and context managers, read like others: in an event loop of their own, step by step."""

from __future__ import annotations

from types import AsyncGeneratorType
from typing import Any, Callable

from .values.objects import type_name

_type_of: Callable[[Any], Any] = type


def is_async_context_manager(kind: Any) -> bool:
    """Whether instances are what functions under `contextlib.asynccontextmanager` return."""
    return type_name(kind) == "contextlib:_AsyncGeneratorContextManager"


def in_step(value: Any) -> Any:
    """Return what stands for an asynchronous generator or context manager where others are used; else the value."""
    kind = _type_of(value)
    if kind is AsyncGeneratorType:
        return AwaitedItems(value)
    return AwaitedManager(value) if is_async_context_manager(kind) else value


class _Loop:
    """An event loop that is closed once what runs in it has ended."""

    def __init__(self) -> None:
        import asyncio

        self._loop = asyncio.new_event_loop()

    def result(self, awaitable: Any) -> Any:
        async def wait() -> Any:
            return await awaitable

        return self._loop.run_until_complete(wait())

    def end(self) -> None:
        if not self._loop.is_closed():
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


class AwaitedItems:
    """Iterates over an asynchronous generator."""

    def __init__(self, generator: Any) -> None:
        self._generator = generator
        self._loop = _Loop()

    def __iter__(self) -> AwaitedItems:
        return self

    def __next__(self) -> Any:
        """Return the next item."""
        try:
            return self._loop.result(self._generator.__anext__())
        except StopAsyncIteration:
            self._loop.end()
        except BaseException:
            self._loop.end()
            raise
        raise StopIteration

    def close(self) -> None:
        """End the generator where it stands."""
        self._loop.result(self._generator.aclose())
        self._loop.end()


class AwaitedManager:
    """Enters and leaves an asynchronous context manager."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._loop = _Loop()

    def __enter__(self) -> Any:
        """Enter it."""
        return self._loop.result(self._manager.__aenter__())

    def __exit__(self, *error: Any) -> Any:
        """Leave it."""
        try:
            return self._loop.result(self._manager.__aexit__(*error))
        finally:
            self._loop.end()
