"""What an agent is offered: tools with schemas, resources with completions, prompts; and what it makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import MCPError
from mcp_types import PromptReference, ResourceTemplateReference, TextContent

from codeens_mcp_tools.resources.serving import ARTIFACT, RUN, VARIANT
from tests.mcp_tools.calling import ADD, RIGHT, SORTED, Caller
from tests.mcp_tools.conftest import SUMS, isolated
from tests.mcp_tools.counting import encoding
from tests.mcp_tools.vendor_rules import VENDORS, Refused, check_name, nodes, openai_strict

pytestmark = pytest.mark.anyio
IS_SCHEMA: Any = jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA)
STARTED = "id of the run that was started first"
REQUESTS: dict[str, list[tuple[str, dict[str, Any], str]]] = {
    "Make `unique` in sums.py faster.": [
        ("start_ensemble", {"target": "sums.py::unique", "goal": "speed"}, "running"),
        ("get_run", {"id": STARTED, "wait_seconds": 50}, "finished"),
        ("apply_candidate", {"id": STARTED, "rank": 1}, "+    found_set = set()"),
    ],
    "Here are two versions of my function: do they always give the same?": [
        ("compare_candidates", {"code": SUMS, "a": "original", "b": SORTED}, "differ on unique([")
    ],
    "Does this snippet print what I think?": [("run_in_sandbox", {"code": "print(sum(range(4)))"}, "6")],
    "Which of these solutions passes the examples?": [
        ("score", {"task": ADD, "candidates": [RIGHT]}, "1 of 1 candidates pass")
    ],
    "I have no API key. Improve this function all the same.": [
        ("generate_variants", {"code": SUMS, "prompts_only": True}, "Write one candidate for each"),
        ("score", {"original": SUMS, "candidates": [SORTED]}, "rejected sorted"),
    ],
    "Does my rewrite behave the same?": [
        ("score", {"target": "sums.py::unique", "candidates": [SORTED]}, "none of 1 candidate")
    ],
    "How far is the run? Stop it, I have seen enough.": [
        ("get_run", {"id": STARTED}, "finished"),
        ("cancel_run", {"id": STARTED}, "finished"),
        ("list_runs", {}, "sums.py::unique: finished"),
    ],
    "What is slow here?": [("find_slow", {"path": "sums.py"}, "s of processor time")],
    "Put the first one into the file.": [
        ("apply_candidate", {"id": STARTED, "rank": 1, "write_to": "sums.py"}, "written into")
    ],
    "What does unique(3) raise?": [("run_in_sandbox", {"code": SUMS, "calls": ["unique(3)"]}, "raises TypeError")],
    "Which models, ways of asking and sandboxes can you use?": [
        ("list_models", {}, "No model can be reached"),
        ("list_variants", {}, "performance"),
        ("list_backends", {}, "local (default)"),
    ],
}
"""Requests, and the calls that the tool list alone leads to, with what the answers must say."""


@isolated
@pytest.mark.scene
async def test_requests_are_answered_by_calls_that_the_tool_list_describes(caller: Caller, workspace: Path) -> None:
    listed = {tool.name: tool for tool in (await caller.client.list_tools()).tools}
    started = ""

    assert len(REQUESTS) == 11
    assert {name for calls in REQUESTS.values() for name, _, _ in calls} == set(listed)
    for calls in REQUESTS.values():
        for name, given, said in calls:
            arguments = {key: started if value == STARTED else value for key, value in given.items()}
            jsonschema.validate(arguments, listed[name].input_schema)
            answered = await (caller.finished(started) if name == "get_run" else caller.call(name, **arguments))
            assert said in answered.text, name
            started = started or answered.document["run_id"]
    assert "found_set" in (workspace / "sums.py").read_text(encoding="utf-8")


async def test_every_tool_describes_itself_its_arguments_its_answer_and_what_it_does(caller: Caller) -> None:
    for tool in (await caller.client.list_tools()).tools:
        assert tool.title
        assert len(tool.description or "") > 40
        assert tool.input_schema["type"] == "object"
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema is not None
        for schema in (tool.input_schema, tool.output_schema):
            assert list(IS_SCHEMA.iter_errors(schema)) == []
        assert tool.output_schema["type"] == "object"
        assert tool.annotations is not None
        assert tool.annotations.destructive_hint is (tool.name == "apply_candidate")
        for name, argument in tool.input_schema.get("properties", {}).items():
            assert "description" in json.dumps(argument) or "$ref" in json.dumps(argument), (tool.name, name)


async def test_what_an_agent_reads_of_the_tools_is_at_most_4500_tokens(caller: Caller) -> None:
    counted = encoding()
    tools = (await caller.client.list_tools()).tools
    texts = [f"{tool.name}{tool.description}{json.dumps(tool.input_schema, separators=(',', ':'))}" for tool in tools]

    assert sum(len(counted.encode(text)) for text in texts) <= 4500


OPEN_OBJECTS = {"run_in_sandbox", "score"}
"""Tools that take values of any shape, or files by name: they cannot be strict."""


async def test_no_vendor_refuses_a_tool(caller: Caller) -> None:
    for tool in (await caller.client.list_tools()).tools:
        check_name(tool.name, tool.description or "")
        for vendor, convert in VENDORS.items():
            assert convert(tool.input_schema)["type"] == "object", (vendor, tool.name)
        for place, node in nodes(tool.input_schema):
            assert not node.keys() & {"$ref", "$defs", "exclusiveMinimum", "exclusiveMaximum"}, (tool.name, place)
            assert not isinstance(node.get("type"), list), (tool.name, place)


async def test_all_tools_without_open_objects_can_be_strict(caller: Caller) -> None:
    for tool in (await caller.client.list_tools()).tools:
        if tool.name in OPEN_OBJECTS:
            with pytest.raises(Refused, match="additionalProperties must be false"):
                openai_strict(tool.input_schema)
        else:
            assert openai_strict(tool.input_schema)["required"] == [*tool.input_schema.get("properties", {})]


@pytest.mark.parametrize(
    ("vendor", "schema"),
    [
        ("OpenAI", {"type": "object", "properties": {"a": {"type": "array"}}}),
        ("VS Code", {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}),
        ("Anthropic", {"type": "object", "anyOf": []}),
        ("Gemini", {"type": "object", "properties": {"a": {"type": "number", "exclusiveMinimum": 0}}}),
        ("Gemini", {"type": "object", "properties": {"a": {"enum": ["b"]}}}),
        ("Gemini", {"type": "object", "properties": {"a": {"type": "array", "items": {}}}}),
    ],
)
def test_the_rules_find_what_vendors_refuse(vendor: str, schema: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        VENDORS[vendor](schema)


async def test_variants_are_resources_and_their_names_are_completed(caller: Caller) -> None:
    completed = await caller.client.complete(
        ResourceTemplateReference(uri=VARIANT), argument={"name": "name", "value": "p"}
    )

    assert completed.completion.values == ["performance"]
    assert json.loads(await caller.resource("variant://performance"))["goal"] == "speed"
    with pytest.raises(MCPError, match="Did you mean 'performance'"):
        await caller.resource("variant://performanc")


@isolated
async def test_runs_their_candidates_and_artifacts_are_completed(caller: Caller) -> None:
    run_id = (await caller.call("score", original=SUMS, candidates=[SORTED])).document["run_id"]
    of_run = ResourceTemplateReference(uri=RUN)
    of_artifact = ResourceTemplateReference(uri=ARTIFACT)

    ids = await caller.client.complete(of_run, argument={"name": "id", "value": run_id[:4]})
    candidates = await caller.client.complete(
        of_artifact, argument={"name": "candidate", "value": ""}, context_arguments={"id": run_id}
    )
    artifacts = await caller.client.complete(of_artifact, argument={"name": "artifact", "value": "p"})

    assert ids.completion.values == [run_id]
    assert candidates.completion.values == ["original", "sorted"]
    assert artifacts.completion.values == ["prompt", "payload"]
    assert await caller.resource(f"run://{run_id}/original/solution") == SUMS.partition("\n\n\n")[2]
    for uri in (f"run://{run_id}/nobody/solution", f"run://{run_id}/sorted/nothing", "run://20200101-abcdef"):
        with pytest.raises(MCPError):
            await caller.resource(uri)


async def test_prompts_name_the_tools_to_call_in_their_order(caller: Caller) -> None:
    listed = {prompt.name for prompt in (await caller.client.list_prompts()).prompts}
    optimize = await _prompt(caller, "optimize_function", target="a.py::f", goal="memory")
    repair = await _prompt(caller, "repair_function", target="a.py::f", tests="test_a.py")
    write = await _prompt(caller, "write_candidates", task="Add.", function="add")
    goals = await caller.client.complete(
        PromptReference(name="optimize_function"), argument={"name": "goal", "value": "s"}
    )

    assert listed == {"optimize_function", "repair_function", "write_candidates"}
    assert "start_ensemble(target='a.py::f', goal='memory')" in optimize
    assert "mode='repair', tests=['test_a.py']" in repair
    assert write.index("score(") < write.index("compare_candidates")
    assert goals.completion.values == ["speed"]


async def _prompt(caller: Caller, name: str, **arguments: str) -> str:
    content = (await caller.client.get_prompt(name, arguments)).messages[0].content
    assert isinstance(content, TextContent)
    return content.text
