"""`run_in_sandbox`: what code did, and how it was kept apart."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_tools.calling import Caller
from tests.mcp_tools.conftest import isolated

pytestmark = [pytest.mark.anyio, isolated]


async def test_each_call_is_answered_by_what_it_did(caller: Caller) -> None:
    code = "def half(n):\n    print('half of', n)\n    return n / 2, {n}\n"

    answered = await caller.call("run_in_sandbox", code=code, calls=["half(4)", "half('x')", "half(n=3)"])

    calls = answered.document["calls"]
    assert [call["kind"] for call in calls] == ["returned", "raised", "returned"]
    assert calls[0]["shown"] == "(2.0, {4})"
    assert calls[0]["value"] == ["tuple", 2.0, ["set", 4]]
    assert "TypeError" in calls[1]["shown"]
    assert "half of 4" in answered.document["stdout"]
    assert answered.document["isolation"]["network"]
    assert answered.document["usage"]["wall_s"] > 0


async def test_a_call_that_hangs_ends_at_its_limit(caller: Caller) -> None:
    code = "def f(n):\n    while n:\n        pass\n"

    answered = await caller.call("run_in_sandbox", code=code, calls=["f(1)", "f(0)"], limits={"call_s": 0.3})

    assert [call["kind"] for call in answered.document["calls"]] == ["timeout", "returned"]


async def test_a_script_gets_its_input_and_arguments(caller: Caller) -> None:
    code = "import sys\nprint(input().upper(), sys.argv[1])\nsys.exit(len(sys.argv[1]) - 1)\n"

    answered = await caller.call("run_in_sandbox", code=code, stdin=["a", "b"], argv=["k"])

    assert [run["stdout"] for run in answered.document["scripts"]] == ["A k\n", "B k\n"]
    assert all(run["ending"] is None for run in answered.document["scripts"])


async def test_long_output_is_cut_and_said_to_be(caller: Caller) -> None:
    answered = await caller.call("run_in_sandbox", code="print('x' * 100_000)")

    assert answered.document["cut"]
    assert len(answered.text) < 10_000


async def test_tests_pass_or_say_how_they_fail(caller: Caller) -> None:
    code = "def double(n):\n    return 2 * n\n"

    good = await caller.call("run_in_sandbox", code=code, tests="assert double(2) == 4", function="double")
    bad = await caller.call("run_in_sandbox", code=code, tests="assert double(2) == 5", function="double")

    assert good.document["tests"]["passed"]
    assert not bad.document["tests"]["passed"]
    assert "double(2) == 5" in bad.text


async def test_code_reaches_neither_files_of_the_machine_nor_its_ports(caller: Caller, workspace: Path) -> None:
    code = (
        "import socket\n"
        "def read(path):\n    return open(path).read()\n"
        "def ask(port):\n    return socket.create_connection(('127.0.0.1', port), 1)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        call = await caller.call("run_in_sandbox", code=code, calls=[f"ask({port})"])
    read = await caller.call("run_in_sandbox", code=code, calls=[f"read({str(workspace / 'sums.py')!r})"])

    assert [call["kind"] for call in call.document["calls"]] == ["raised"]
    assert read.document["calls"][0]["shown"].startswith("raises FileNotFoundError")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"code": "", "calls": ["f(x)"]}, "no call with literal arguments"),
        ({"code": "", "calls": ["f(**{'a': 1})"]}, "no call with literal arguments"),
        ({"code": "", "calls": ["f(1)", "g(1)"]}, "calls must be of one function"),
        ({"code": "", "calls": ["f(1)"], "stdin": ""}, "one way at a time"),
        ({"code": "", "tests": "assert 1"}, "go together"),
        ({"code": "", "limits": {"wall_s": 1e9}}, "<= 120"),
        ({"calls": ["f(1)"]}, "give `code`"),
    ],
)
async def test_a_wrong_call_is_told_what_to_change(caller: Caller, arguments: dict[str, Any], said: str) -> None:
    assert said in await caller.refused("run_in_sandbox", **arguments)


async def test_a_script_finds_files_and_modules_of_the_workspace(caller: Caller) -> None:
    code = "import sums, pkg.more\nprint(sums.unique([1, 1]), pkg.more.TWO, open('data.txt').read())\n"
    files = {"pkg/more.py": "TWO = 2\n", "data.txt": "text"}

    answered = await caller.call("run_in_sandbox", code=code, files=files, workspace=True)
    outside = await caller.refused("run_in_sandbox", code=code, files={"../x.py": ""})

    assert answered.document["scripts"][0]["stdout"] == "[1] 2 text\n"
    assert "'../x.py' cannot be the name" in outside


async def test_test_files_are_run_by_pytest(caller: Caller) -> None:
    tests = (
        "from sums import unique\n\ndef test_it():\n    assert unique([1, 1]) == [1]\n\ndef test_no():\n    assert 0\n"
    )

    answered = await caller.call("run_in_sandbox", files={"test_own.py": tests}, pytest=["test_own.py"], workspace=True)
    missing = await caller.refused("run_in_sandbox", pytest=["test_there_is_none.py"])

    assert "1 failed, 1 passed" in answered.document["scripts"][0]["stdout"]
    assert "no test file 'test_there_is_none.py'" in missing


async def test_the_value_of_the_last_expression_is_told(caller: Caller) -> None:
    answered = await caller.call("run_in_sandbox", code="print('first')\n{2 + 2: 'four'}\n")
    printed = await caller.call("run_in_sandbox", code="print('only')\n")
    wrong = await caller.call("run_in_sandbox", code="def f():\n    return 1 / 0\nf()\n")

    assert answered.document["values"] == ["{4: 'four'}"]
    assert answered.document["scripts"][0]["stdout"] == "first\n"
    assert "value: {4: 'four'}" in answered.text
    assert "value:" not in printed.text
    assert "return 1 / 0" in wrong.document["scripts"][0]["stderr"]
    assert "_codeens" not in wrong.document["scripts"][0]["stderr"]


async def test_a_session_goes_on_from_its_earlier_scripts(caller: Caller) -> None:
    await caller.call("run_in_sandbox", code="print('once')\nx = 20\n", session="s", files={"m.py": "Y = 1\n"})
    await caller.call("run_in_sandbox", code="x = 0\nraise ValueError\n", session="s")
    later = await caller.call("run_in_sandbox", code="from m import Y\nx + Y\n", session="s")
    other = await caller.call("run_in_sandbox", code="x\n", session="t")

    assert later.document["values"] == ["21"]
    assert later.document["scripts"][0]["stdout"] == ""
    assert "NameError" in other.text


async def test_where_a_package_is_missing_it_is_told_which_are_there(caller: Caller) -> None:
    missing = await caller.call("run_in_sandbox", code="import no_such_package\n")
    asked = await caller.call("run_in_sandbox", installed=True)

    told: list[str] = missing.document["installed"]
    listed: list[str] = asked.document["installed"]
    assert any(package.startswith("litellm ") for package in told)
    assert any(package.startswith("anyio ") for package in listed)
    # Long lists are cut, each to what its answer has room for.
    assert all(one == other for one, other in zip(told, listed, strict=False))
    assert "Installed (nothing else can be imported" in missing.text
