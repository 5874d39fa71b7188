"""`find_slow`: which functions and lines of a program cost time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mcp_tools.calling import Caller
from tests.mcp_tools.conftest import isolated

pytestmark = [pytest.mark.anyio, isolated]
BENCH = """\
import sys
from sums import unique

def quick():
    return sum(range(100))

def main(count):
    for _ in range(count):
        quick()
        sum(range(500))
        unique(list(range(100)))
    print("counted", count)

if __name__ == "__main__":
    main(int(sys.argv[1]))
"""


async def test_the_function_and_the_line_that_cost_are_named(caller: Caller, workspace: Path) -> None:
    (workspace / "bench.py").write_text(BENCH, encoding="utf-8")

    answered = await caller.call("find_slow", command="python bench.py 6000")

    first, line = answered.document["functions"][0], answered.document["lines"][0]
    assert first["target"] == "sums.py::unique"
    assert first["own_percent"] > 50
    assert line["source"] == "if item not in found:"
    assert answered.document["stdout"] == "counted 6000\n"
    assert "start_ensemble(target='sums.py::unique'" in answered.text


async def test_tests_are_programs_too_and_what_is_not_there_is_told(caller: Caller, workspace: Path) -> None:
    tests = "from sums import unique\n\ndef test_it():\n    assert unique(list(range(3000)))\n"
    (workspace / "test_sums.py").write_text(tests, encoding="utf-8")

    answered = await caller.call("find_slow", path="test_sums.py")

    assert answered.document["functions"][0]["target"] == "sums.py::unique"
    assert "no file 'none.py'" in await caller.refused("find_slow", path="none.py")
    assert "either `path`" in await caller.refused("find_slow")
    assert "outside" in await caller.refused("find_slow", path="../other.py")
