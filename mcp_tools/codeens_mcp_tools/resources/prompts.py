"""What people can ask an agent for by name; each says which tools to call, in which order."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.prompts import Prompt
from pydantic import Field

_Target = Annotated[str, Field(description="The function, as path.py::function")]
_Goal = Annotated[str, Field(description="speed, memory, readability, correctness or balanced")]
_Tests = Annotated[str, Field(description="The tests that fail, as path or path::test")]
_Task = Annotated[str, Field(description="What is to be written, with examples")]
_Function = Annotated[str, Field(description="Name of the function")]


def add_prompts(server: MCPServer[Any]) -> None:
    """Give a server its prompts."""
    for function, name, title in (
        (optimize_function, "optimize_function", "Optimize a function"),
        (repair_function, "repair_function", "Repair a function"),
        (write_candidates, "write_candidates", "Write candidates for a task"),
    ):
        server.add_prompt(Prompt.from_function(function, name=name, title=title))


def optimize_function(target: _Target, goal: _Goal = "balanced") -> str:
    """Find a better implementation of a function, and prove that it behaves the same."""
    return (
        f"Find a better implementation of {target}; better means: {goal}.\n"
        f"1. Call start_ensemble(target={target!r}, goal={goal!r}), then get_run(id, wait_seconds=50) until its state "
        "is finished. Where no model can be reached, call generate_variants(target, prompts_only=true) in its place, "
        "write one candidate for each prompt, and call score(target, candidates, goal).\n"
        "2. Tell me the headline, the best row with its interval, what it rests on (tests, inputs, coverage), and what "
        "is thin about that. If the original stays best, say so and stop.\n"
        "3. Show me the patch of apply_candidate(id), and write it (write_to) only after I agree."
    )


def repair_function(target: _Target, tests: _Tests = "") -> str:
    """Repair a function that does something wrong, held to the tests that say what is right."""
    shown = f", tests=[{tests!r}]" if tests else ""
    return (
        f"Repair {target}.\n"
        f"1. Call start_ensemble(target={target!r}, mode='repair'{shown}, rounds=2), then get_run(id, wait_seconds=50) "
        "until its state is finished. Where no model can be reached, call generate_variants(target, mode='repair', "
        "prompts_only=true), write the candidates yourself, and call score(target, candidates, mode='repair').\n"
        "2. Tell me which tests failed before and pass now. Where candidates that pass differ in behaviour, show me "
        "the smallest input on which they do (the result's groups, or compare_candidates) and ask which is right.\n"
        "3. Show me the patch of apply_candidate(id), and write it (write_to) only after I agree."
    )


def write_candidates(task: _Task, function: _Function) -> str:
    """Write several candidates for a task, and keep the one that passes."""
    return (
        f"Write a Python function {function} for this task:\n\n{task}\n\n"
        "1. Turn its examples, and the edge cases that it implies, into test_cases: "
        "{args, kwargs, expected_output}.\n"
        "2. Write three candidates that go about it in different ways.\n"
        f"3. Call score(task={{id: {function!r}, prompt: the task, entry_point: {function!r}, test_cases}}, "
        "candidates=[{id, source}, …]). Mend those that fail by their reasons, and score again.\n"
        "4. Where several pass, call compare_candidates on two of them: an input on which they differ shows what the "
        "task leaves open. Then give me the one to keep, and why."
    )
