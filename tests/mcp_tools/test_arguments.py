"""Arguments as agents write them: mended where their meaning is clear, else refused with what would be right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.mcp_tools.calling import ADD, RIGHT, Caller
from tests.mcp_tools.conftest import isolated

pytestmark = pytest.mark.anyio
SOURCE = RIGHT["source"]


MEANT_THE_SAME: list[dict[str, Any]] = [
    {"task": json.dumps(ADD), "candidates": json.dumps([RIGHT])},
    {"task": {**ADD, "test_cases": json.dumps(ADD["test_cases"])}, "candidates": [json.dumps(RIGHT)]},
    {"task": ADD, "candidates": RIGHT},
    {"task": ADD, "candidates": [SOURCE]},
    {"task": ADD, "candidates": SOURCE},
    {"task": ADD, "candidates": [{"source": SOURCE}], "target": None, "goal": None},
    {"task": ADD, "candidates": [f"```python\n{SOURCE}\n```"]},
    {"task": ADD, "candidates": [RIGHT], "goal": "Speed"},
]


@isolated
async def test_what_means_the_same_is_taken(caller: Caller) -> None:
    for arguments in MEANT_THE_SAME:
        answered = await caller.call("score", **arguments)
        assert "1 of 1 candidates pass" in answered.text, arguments


@isolated
async def test_a_text_that_looks_like_json_stays_a_text_where_a_text_is_due(caller: Caller) -> None:
    case = {"args": ["[1]"], "expected_output": "[1]"}
    task = {"id": "t", "prompt": "Give it back.", "entry_point": "same", "test_cases": [case]}

    answered = await caller.call("score", task=task, candidates=["def same(x):\n    return x if x == '[1]' else 0"])
    assert "1 of 1 candidates pass" in answered.text
    values = [None, 1, 2.0, "3", [1, ["4"]], {"a": [5, None]}]
    cases = [{"args": [value], "kwargs": {"y": value}, "expected_output": [value, value]} for value in values]
    kept = [repr(value) for value in values]
    source = f"def same(x, y):\n    assert repr(x) in {kept} and repr(y) == repr(x)\n    return [x, y]"
    same = await caller.call("score", task={**task, "test_cases": cases}, candidates=[source])
    assert "1 of 1 candidates pass" in same.text, same.text
    printed = await caller.call("run_in_sandbox", code="print(1)", argv="one")
    assert "1" in printed.text
    numbers = await caller.call("run_in_sandbox", code="def f(): return 3", calls=["f()"], limits={"wall_s": "5"})
    assert "3" in numbers.text


WRONG: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("score", {"candidates": [RIGHT], "task": ADD, "goal": "fast"}, ("goal", "balanced", "speed")),
    (
        "score",
        {"candidates": [RIGHT], "task": {**ADD, "input": 1}},
        ("task", "`input`", "test_cases", "entry_point"),
    ),
    (
        "score",
        {"candidates": [RIGHT], "task": {**ADD, "test_cases": [{"input": [1], "output": 1}]}},
        ("test_cases[0]", "args", "expected_output (needed)"),
    ),
    ("score", {"candidates": [RIGHT], "task": "Add two numbers."}, ("task", "id (needed)", "entry_point (needed)")),
    ("score", {"candidates": [{"code": SOURCE}], "task": ADD}, ("candidates", "source (needed)")),
    ("score", {"candidates": 7, "task": ADD}, ("candidates", "{id, source}")),
    ("score", {"task": ADD}, ("candidates (needed)",)),
    ("start_ensemble", {"target": "sums.py::unique", "samples": 50}, ("samples", "20")),
    ("start_ensemble", {"target": "sums.py::unique", "speed": True}, ("`speed`", "goal", "variants")),
    ("start_ensemble", {"target": "sums.py::unique", "mode": "optimise"}, ("mode", "improve", "implement")),
    ("run_in_sandbox", {"code": "x", "limits": {"seconds": 3}}, ("limits", "wall_s", "memory_mb")),
    (
        "score",
        {"code": SOURCE, "candidates": [RIGHT], "environments": ["/bin/sh"]},
        ("environments", "^3"),
    ),
    ("get_run", {"run": "x"}, ("`run`", "id (needed)")),
]


async def test_a_wrong_shape_is_refused_with_what_would_be_right(caller: Caller) -> None:
    for tool, arguments, words in WRONG:
        said = await caller.refused(tool, **arguments)
        assert all(word in said for word in words), (arguments, said)
