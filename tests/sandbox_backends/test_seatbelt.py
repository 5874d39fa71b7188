"""Rules for macOS as text, and all around them with a stand-in for sandbox-exec that confines nothing."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.driver.sandbox import WorkerSandbox
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import CallInput, Returned, TimedOut
from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.seatbelt.backend import ISOLATION_LEVEL, SeatbeltLauncher
from codeens_sandbox_backends.seatbelt.profile import profile
from codeens_sandbox_backends.selfcheck.outside import processes_with
from tests.sandbox_backends.programs import program

_STAND_IN = """#!/bin/sh
[ "$1" = -p ] || exit 64
printf '%s' "$2" > "$HOME/../rules"
shift 2
exec "$@"
"""


def rules(**changed: object) -> str:
    wanted: dict[str, object] = {
        "readable": ["/Users/ada/shop"],
        "runnable": ["/opt/python"],
        "hidden": ["/Users/ada/shop/.git"],
        "writable": "/private/tmp/own",
    }
    return profile(**{**wanted, **changed})  # pyright: ignore[reportArgumentType]


def rule(text: str, start: str) -> list[str]:
    """The filters of the only rule that starts so."""
    (found,) = re.findall(rf"^\({re.escape(start)}((?:\n  .*)*)\)$", text, re.MULTILINE)
    return found.split("\n  ")[1:]


def test_what_is_not_named_is_denied() -> None:
    lines = rules().splitlines()
    assert lines[:2] == ["(version 1)", "(deny default)"]
    assert not any("network" in line or "mach" in line or "(allow default" in line for line in lines)


def test_only_the_own_folder_can_be_written_to() -> None:
    assert rule(rules(), "allow file-write*") == ['(subpath "/private/tmp/own")']
    assert rule(rules(), "allow file-write-data") == ['(literal "/dev/null")', '(literal "/dev/zero")']


def test_a_home_folder_is_passed_through_and_not_read() -> None:
    text = rules()
    assert '(literal "/Users/ada")' in rule(text, "allow file-read-metadata")
    assert [path for path in rule(text, "allow file-read*") if "/Users" in path] == ['(subpath "/Users/ada/shop")']


def test_what_is_hidden_is_denied_last_since_the_last_rule_holds() -> None:
    assert rules().endswith('(deny file-read*\n  (subpath "/Users/ada/shop/.git"))\n')
    assert "deny file-read*" not in rules(hidden=[])


def test_programs_run_from_the_system_and_the_interpreter_alone() -> None:
    assert rule(rules(), "allow process-exec") == [
        '(subpath "/usr/bin")',
        '(subpath "/bin")',
        '(subpath "/opt/python")',
    ]


def test_a_path_can_not_end_its_rule() -> None:
    text = rules(readable=['/a"))(allow default)("', "/b\\"])
    assert r'(subpath "/a\"))(allow default)(\"")' in text
    assert r'(subpath "/b\\")' in text
    with pytest.raises(ValueError, match="control character"):
        rules(readable=["/a\n(allow default)"])


@pytest.fixture
def tool(tmp_path: Path) -> str:
    place = tmp_path / "sandbox-exec"
    place.write_text(_STAND_IN, encoding="utf-8")
    place.chmod(0o755)
    return str(place)


def opened(tool: str, workspace: Path) -> WorkerSandbox:
    spec = SandboxSpec(python=sys.executable, readable=(str(workspace),), hidden=(str(workspace / "secret.py"),))
    launcher = SeatbeltLauncher(spec, tool)
    return WorkerSandbox(launcher, isolation=ISOLATION_LEVEL, limits=spec.limits)


@pytest.mark.anyio
async def test_a_function_is_called_under_rules_that_name_the_workspace(tool: str, tmp_path: Path) -> None:
    sandbox = opened(tool, tmp_path)
    source = """
def f(name):
    import os
    with open(os.path.join(os.environ["HOME"], "..", "rules")) as file:
        return [line.strip() for line in file if name in line]
"""
    try:
        result = await sandbox.run(
            CallsJob(program=program(source), inputs=(CallInput(args=(str(tmp_path),)),), limits=Limits(wall_s=20.0))
        )
    finally:
        await sandbox.aclose()
    outcome = result.outcomes[0]
    assert isinstance(outcome, Returned)
    assert f'(subpath "{tmp_path}")' in str(outcome.value)
    assert f'(subpath "{tmp_path}/secret.py"))' in str(outcome.value)
    assert result.usage.cpu_s


@pytest.mark.anyio
async def test_what_does_not_end_is_ended_with_its_children(tool: str, tmp_path: Path) -> None:
    sandbox = opened(tool, tmp_path)
    mark = f"left-{tmp_path.name}-{os.getpid()}"
    source = f"""
import subprocess, sys
def f(n):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "{mark}"])
    while True:
        pass
"""
    limits = Limits(wall_s=20.0, call_s=1.0)
    try:
        job = CallsJob(program=program(source), inputs=(CallInput(args=(1,)),), limits=limits)
        result = await sandbox.run(job)
    finally:
        await sandbox.aclose()
    assert isinstance(result.outcomes[0], TimedOut)
    assert processes_with(mark) == []


@pytest.mark.anyio
@pytest.mark.skipif(sys.platform == "darwin", reason="here it can be used")
async def test_elsewhere_than_on_macos_it_says_what_to_use() -> None:
    with pytest.raises(SandboxUnavailable, match="the sandbox `local` on Linux"):
        await get_backend("seatbelt").open(SandboxSpec(python=sys.executable))


@pytest.mark.anyio
@pytest.mark.skipif(sys.platform != "darwin", reason="not run: this is no macOS")
async def test_on_macos_it_keeps_its_promises() -> None:
    readiness = await get_backend("seatbelt").probe()
    assert readiness.usable, readiness.why
