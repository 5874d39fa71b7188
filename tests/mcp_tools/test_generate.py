"""`generate_variants`: prompts for the caller, or candidates of models that answer on loopback."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from tests.e2e.ensemble import entry, fenced
from tests.loopback.server import ChatRequest, ModelServer
from tests.mcp_tools.calling import ADD, Caller
from tests.mcp_tools.conftest import SUMS, isolated

pytestmark = [pytest.mark.anyio, isolated]


def configure(home: Path, server: ModelServer, *names: str) -> None:
    """The user's settings: these models of the server."""
    path = home / ".config" / "codeens" / "codeens.toml"
    path.parent.mkdir(parents=True)
    text = "".join(entry(name, server.url) for name in names)
    path.write_text(f'rewrites = "never"\n{text}', encoding="utf-8")


@pytest.fixture
def key(environ: dict[str, str]) -> None:
    environ["LOOPBACK_KEY"] = "sk-loopback-0123456789abcdef"


async def test_prompts_are_given_without_any_model(caller: Caller) -> None:
    answered = await caller.call("generate_variants", code=SUMS, prompts_only=True, variants=["performance"])

    (prompt,) = answered.document["prompts"]
    assert prompt["variant"] == "performance"
    assert [message["role"] for message in prompt["messages"]] == ["system", "user"]
    assert "def unique(items: list[int])" in prompt["messages"][1]["content"]
    assert prompt["messages"][1]["content"] in answered.text
    assert answered.document["mode"] == "improve"


async def test_prompts_for_a_task_ask_for_its_function(caller: Caller) -> None:
    prose = {**ADD, "prompt": "Add two things."}

    call = await caller.call("generate_variants", task=prose, prompts_only=True, variants=["baseline"])

    assert call.document["mode"] == "implement"
    assert "def add(argument_1, argument_2)" in call.text
    assert "Add two things." in call.text


async def test_without_a_model_a_working_function_is_rewritten_offline(caller: Caller) -> None:
    answered = await caller.call("generate_variants", target="sums.py::unique")

    assert {item["model"] for item in answered.document["candidates"]} == {"offline"}
    assert answered.document["cost_usd"] == 0


async def test_without_a_model_a_missing_function_is_left_to_the_caller(caller: Caller) -> None:
    said = await caller.refused("generate_variants", task=ADD)

    assert "prompts_only=true" in said


@pytest.mark.usefixtures("key")
async def test_candidates_of_models_have_their_origin_and_cost_and_can_be_scored_by_id(
    caller: Caller, home: Path
) -> None:
    def answer(request: ChatRequest) -> str:
        return fenced(f"def add(a, b):\n    return a {'+' if request.model == 'good' else '-'} b\n")

    async with ModelServer(answer=answer) as server:
        configure(home, server, "good", "bad")
        generated = await caller.call("generate_variants", task=ADD, variants=["baseline", "performance"])
        scored = await caller.call(
            "score", task=ADD, candidates=[item["id"] for item in generated.document["candidates"]]
        )

    items = generated.document["candidates"]
    assert {(item["model"], item["variant"]) for item in items} == {
        (model, variant) for model in ("good", "bad") for variant in ("baseline", "performance")
    }
    assert sum(item["same_as"] is not None for item in items) == 2
    assert generated.document["cost_usd"] > 0
    assert generated.progress[-1].message == "asking models: 4 of 4"
    ranks = {row["candidate"]["model"]: row["rank"] for row in scored.document["results"]}
    assert ranks == {"good": 1, "bad": None}


@pytest.mark.usefixtures("key")
async def test_a_call_can_lower_the_users_budget_but_not_raise_it(caller: Caller, home: Path) -> None:
    async with ModelServer(answer=lambda _: fenced("def add(a, b):\n    return a + b\n")) as server:
        configure(home, server, "good")
        path = home / ".config" / "codeens" / "codeens.toml"
        path.write_text(f"budget_usd = 1e-6\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
        said = await caller.refused("generate_variants", task=ADD, budget_usd=100, variants=["baseline"])

    assert "budget" in said
    assert server.requests == []


@pytest.mark.usefixtures("key")
async def test_no_agent_asks_more_often_than_the_user_allows(caller: Caller, home: Path) -> None:
    async with ModelServer(answer=lambda _: fenced("def add(a, b):\n    return a + b\n")) as server:
        configure(home, server, "good")
        path = home / ".config" / "codeens" / "codeens.toml"
        path.write_text(f"budget_calls = 1\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
        await caller.call("generate_variants", task=ADD, samples=3, variants=["baseline"])
        asked = len(server.requests)

    assert asked == 1


@pytest.mark.usefixtures("key")
async def test_cancelling_a_call_ends_its_model_calls(caller: Caller, home: Path) -> None:
    async with ModelServer(answer=lambda _: "", script={"*": ["hang"]}) as server:
        configure(home, server, "slow")
        async with anyio.create_task_group() as group:
            group.start_soon(
                lambda: caller.client.call_tool("generate_variants", {"task": ADD, "variants": ["baseline"]})
            )
            with anyio.fail_after(60):
                await server.until_asked()
            group.cancel_scope.cancel()
        with anyio.fail_after(60):
            await server.until_left()
