"""What models lack, and what they will cost, is said before anything is asked."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from codeens_sandbox_backends.extras import installing
from codeens_server.config.settings import ModelSettings
from codeens_server.domain.systems import PastRuns, Share, SystemRecord
from codeens_server.generation.announcing import announcement
from codeens_server.generation.budget import Budget, CostBound
from codeens_server.generation.generate import calls_of, request_of
from codeens_server.generation.models import reach
from codeens_server.generation.models.exchange import Message, Reply, Sampling, request_key
from tests.server.generation.makers import MemoryCache, ask, model

pytestmark = pytest.mark.anyio


def named(name: str, **more: object) -> ModelSettings:
    return replace(ModelSettings(name=name, model=name), **more)


@pytest.mark.parametrize(
    ("model", "environ", "said"),
    [
        (named("openai/gpt", api_key_env="OPENAI_API_KEY"), {}, "openai/gpt needs OPENAI_API_KEY, which is not set"),
        (named("openai/gpt", api_key_env="MINE"), {"OPENAI_API_KEY": "k"}, "needs MINE, which is not set"),
        (named("azure/x", api_base="https://x.openai.azure.com"), {}, "AZURE_API_KEY or AZURE_AD_TOKEN"),
        (named("bedrock/x"), {"AWS_ACCESS_KEY_ID": "k"}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE"),
        (named("gemini/x", api_key_env="GEMINI_API_KEY"), {"GOOGLE_API_KEY": "k"}, ""),
        (named("openai/x", api_base="http://127.0.0.1:1/v1", api_key_env="K"), {}, ""),
        (named("bedrock/x"), {"AWS_PROFILE": "me"}, ""),
        (named("unknown_one/x"), {}, ""),
    ],
)
def test_a_missing_key_is_named(model: ModelSettings, environ: dict[str, str], said: str) -> None:
    found = reach.missing(model, environ)

    assert said in found
    assert bool(found) == bool(said)


def test_a_missing_package_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reach.NEEDS, "vertex_ai", replace(reach.NEEDS["vertex_ai"], module="no_such.module"))

    assert f"needs the package google-auth: {installing('google-auth')}, then" in reach.missing(
        named("vertex_ai/gemini"), {}
    )


async def test_a_server_that_is_not_there_is_named_with_its_address_and_the_cause() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        with socket.create_server(("127.0.0.1", 0)) as other:
            gone = f"http://127.0.0.1:{other.getsockname()[1]}/v1"
        models = [model("there", there), model("gone", gone), model("nowhere", "http://no-such-host.invalid/v1")]
        found = await reach.unreachable(models, {})

    assert found.keys() == {"gone", "nowhere"}
    assert found["gone"] == f"{gone} of model gone cannot be reached: nothing listens there"
    assert found["nowhere"].endswith("there is no host of that name")


class Prices:
    """One price for each model."""

    def __init__(self, usd: dict[str, float | None]) -> None:
        self._usd = usd

    async def estimate(self, name: str, messages: Sequence[Message], sampling: Sampling) -> CostBound:
        return CostBound(tokens=1, usd=self._usd[name])


async def test_models_calls_highest_cost_and_cap_are_announced() -> None:
    asked = ask(model("a", None), model("b", None), samples=2)

    known = await announcement(asked, Prices({"a": 0.1, "b": 0.2}), MemoryCache(), Budget(usd=1.0))
    free = await announcement(asked, Prices({"a": 0.1, "b": None}), MemoryCache(), Budget(usd=1.0))
    none = await announcement(asked, Prices({"a": None, "b": None}), MemoryCache(), Budget())

    assert known == "asking 2 of a, 2 of b: 4 calls, at most $0.6000, cap $1.00"
    assert free.endswith("the price of b is not known, so that the cap does not hold for it")
    assert none == "asking 2 of a, 2 of b: 4 calls, at a price that is not known, no cap"


async def test_what_answers_cost_before_and_how_earlier_runs_went_is_announced() -> None:
    asked = ask(model("a", None), model("b", None))
    records = [SystemRecord(model=name, variant="baseline", tries=9, wins=1, usd=0.02) for name in "ab"]
    past = PastRuns(won=Share.of(7, 12), seconds=(60.2, 89.8))
    prices = Prices({"a": 0.1, "b": 0.2})

    known = await announcement(asked, prices, MemoryCache(), Budget(), records, past)
    unknown = await announcement(asked, prices, MemoryCache(), Budget(), records[:1])

    assert known == (
        "asking 1 of a, 1 of b: 2 calls, about $0.0400, at most $0.3000, no cap; "
        "like 12 earlier runs: 60 to 90 s, 58% [32%, 81%] chance of a proven win"
    )
    assert unknown == "asking 1 of a, 1 of b: 2 calls, at most $0.3000, no cap"


async def test_what_is_kept_is_not_announced() -> None:
    asked, cache = ask(model("a", None)), MemoryCache()
    (call,) = calls_of(asked)
    messages, sampling = request_of(asked, call)
    reply = Reply(text="x", model="a", tokens_in=1, tokens_out=1, cost_usd=0.0)
    await cache.put(request_key(call.model, messages, sampling, call.sample), reply)

    assert await announcement(asked, Prices({"a": 0.1}), cache, Budget()) == ""
