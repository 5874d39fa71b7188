"""Keeps to a provider's limits per minute by waiting.

LiteLLM's Router refuses a request that is over a limit (with a 429 of its own) instead of letting it wait, which would
turn the burst that an ensemble is into failures. So the waiting is done here, before the Router is asked.
"""

from __future__ import annotations

from collections import deque

import anyio

MINUTE_S = 60.0


class Pace:
    """Requests and tokens begun within the last minute, against what may be."""

    def __init__(self, *, rpm: int | None, tpm: int | None) -> None:
        self._rpm = rpm
        self._tpm = tpm
        self._begun: deque[tuple[float, int]] = deque()
        self._turn = anyio.Lock()

    async def wait(self, tokens: int) -> None:
        """Wait until one more request of about so many tokens may begin; first come, first served."""
        if self._rpm is None and self._tpm is None:
            return
        async with self._turn:
            await anyio.sleep_until(self._free_at(tokens))
            self._begun.append((anyio.current_time(), tokens))

    def _free_at(self, tokens: int) -> float:
        """When enough of what was begun is a minute old; a request that alone is over the limit waits for all of it."""
        free_at = now = anyio.current_time()
        while self._begun and self._begun[0][0] <= now - MINUTE_S:
            self._begun.popleft()
        count, used = len(self._begun), sum(size for _, size in self._begun)
        for begun, size in self._begun:
            if self._fits(count + 1, used + tokens):
                break
            free_at = begun + MINUTE_S
            count, used = count - 1, used - size
        return free_at

    def _fits(self, requests: int, tokens: int) -> bool:
        return (self._rpm is None or requests <= self._rpm) and (self._tpm is None or tokens <= self._tpm)
