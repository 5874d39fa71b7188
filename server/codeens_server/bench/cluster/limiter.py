"""A provider's limits per minute, held for all benchmarks of a cluster together by one actor."""

from __future__ import annotations

from typing import Any

import anyio

from codeens_sandbox_backends.ray.cluster import RayCluster
from codeens_server.config.settings import ModelSettings
from codeens_server.generation.models.client import RateLimiter

_NAME = "codeens-limiter"
_WAITING_AT_MOST = 100_000


class LimiterActor:
    """The actor. It outlives who started it: what was asked within the last minute counts for who comes next."""

    def __init__(self) -> None:
        self._known: dict[str, RateLimiter] = {}

    async def wait(self, model: str, rpm: int | None, tpm: int | None, tokens: int) -> None:
        """Wait until a request may begin; where benchmarks name different limits of a model, the lowest hold."""
        limiter = self._known.setdefault(model, RateLimiter(rpm=rpm, tpm=tpm))
        limiter.tighten(rpm=rpm, tpm=tpm)
        await limiter.wait(tokens)


class ClusterLimiter:
    """The limits of one model."""

    def __init__(self, ray: Any, actor: Any, model: ModelSettings) -> None:
        self._ray = ray
        self._actor = actor
        self._model = model
        # Whose limits they are: the provider's, for a key and a model.
        self._key = f"{model.api_base or ''} {model.api_key_env or ''} {model.model or model.name}"

    async def wait(self, tokens: int) -> None:
        """Wait until one more request of about so many tokens may begin."""
        if self._model.rpm is not None or self._model.tpm is not None:
            reference = self._actor.wait.remote(self._key, self._model.rpm, self._model.tpm, tokens)
            try:
                await reference
            except anyio.get_cancelled_exc_class():
                self._ray.cancel(reference)
                raise


def limiter_of(cluster: RayCluster) -> Any:
    """Return the cluster's limiter, started where there is none."""
    options = {
        "name": _NAME,
        "get_if_exists": True,
        "lifetime": "detached",
        "num_cpus": 0,
        "max_concurrency": _WAITING_AT_MOST,
    }
    return cluster.ray.remote(LimiterActor).options(**options).remote()
