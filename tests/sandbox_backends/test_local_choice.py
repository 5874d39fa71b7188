"""The local backend takes the best mechanism that is there, says which, and refuses without one."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeens_sandbox_backends.base import IsolationLevel, Readiness, SandboxSpec
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.extras import installing_extra
from codeens_sandbox_backends.local.backend import BubblewrapBackend
from codeens_sandbox_backends.local.bwrap import namespace_fix
from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.selfcheck.probe import probe
from tests.sandbox_backends.machine import why_not
from tests.sandbox_backends.tools import answer

pytestmark = pytest.mark.anyio


@pytest.fixture
def without_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setpriv = shutil.which("setpriv")
    if setpriv:
        (tmp_path / "setpriv").symlink_to(setpriv)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def without_sandlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sandlock", None)


async def test_bubblewrap_is_preferred() -> None:
    reason = why_not("local")
    if reason:
        pytest.skip(reason)
    readiness = await get_backend("local").probe()
    assert readiness.isolation.label.startswith("bubblewrap")


@pytest.mark.usefixtures("without_bubblewrap")
async def test_sandlock_stands_in_for_bubblewrap_and_the_tier_says_so() -> None:
    reason = why_not("sandlock")
    if reason:
        pytest.skip(reason)
    backend = get_backend("local")
    readiness = await backend.probe()
    assert readiness.why.startswith("in place of bubblewrap: ")
    assert "apt-get install bubblewrap" in readiness.fix
    sandbox = await backend.open(SandboxSpec(python=sys.executable))
    try:
        assert sandbox.isolation.label.startswith("sandlock")
        assert await answer(sandbox, "def f():\n    return 1\n") == 1
    finally:
        await sandbox.aclose()


@pytest.mark.usefixtures("without_bubblewrap", "without_sandlock")
async def test_without_any_mechanism_it_refuses_and_names_the_fix() -> None:
    backend = get_backend("local")
    readiness = await backend.probe()
    assert not readiness.usable
    with pytest.raises(SandboxUnavailable) as caught:
        await backend.open(SandboxSpec(python=sys.executable))
    message = str(caught.value)
    assert "bubblewrap is not installed" in message
    assert "apt-get install bubblewrap" in message
    assert installing_extra("sandlock") in message


@pytest.fixture
def broken_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder) / "bwrap"
        broken.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n", "utf-8")
        broken.chmod(0o755)
        Path(folder).chmod(0o755)  # root's workers are started by an unprivileged user
        monkeypatch.setenv("PATH", folder + os.pathsep + os.environ["PATH"])
        yield


@pytest.mark.usefixtures("broken_bubblewrap", "without_sandlock")
async def test_bubblewrap_that_fails_is_told_in_its_own_words() -> None:
    readiness = await get_backend("local").probe()
    assert not readiness.usable
    assert "setting up uid map" in readiness.why
    assert "namespaces" in readiness.fix or "container" in readiness.fix


async def test_a_process_tries_a_program_that_isolates_once_and_each_other_one_anew(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    reason = why_not("local")
    if reason:
        pytest.skip(reason)

    async def opens() -> None:
        await (await get_backend("local").open(SandboxSpec(python=sys.executable))).aclose()

    await opens()
    tried: list[str] = []
    probe = BubblewrapBackend.probe

    async def noted(backend: BubblewrapBackend) -> Readiness:
        tried.append(backend.name)
        return await probe(backend)

    monkeypatch.setattr(BubblewrapBackend, "probe", noted)
    await opens()
    assert tried == []
    request.getfixturevalue("broken_bubblewrap")
    request.getfixturevalue("without_sandlock")
    with pytest.raises(SandboxUnavailable, match="setting up uid map"):
        await opens()
    assert tried == ["local"]


@pytest.mark.parametrize(
    ("setting", "value", "fix"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
    ],
)
async def test_the_setting_that_forbids_namespaces_is_named(setting: str, value: str, fix: str, tmp_path: Path) -> None:
    (tmp_path / setting).parent.mkdir()
    (tmp_path / setting).write_text(value + "\n", encoding="utf-8")
    said = namespace_fix(tmp_path)
    assert said.endswith(f"sysctl -w {fix}")
    assert said.startswith("Allow them for bubblewrap alone: ") == ("apparmor" in setting), "the narrow fix comes first"


async def test_a_sandbox_that_does_not_keep_its_promise_is_found_out() -> None:
    promise = IsolationLevel(filesystem=True, network=True, processes=True, kernel=False, label="tight")
    readiness = await probe("leaky", promise, get_backend("unsafe").open)
    assert not readiness.usable
    assert readiness.why.endswith("files, network, processes")


@pytest.mark.usefixtures("without_sandlock")
async def test_sandlock_that_is_not_installed_is_refused_with_the_fix() -> None:
    with pytest.raises(SandboxUnavailable, match=re.escape(installing_extra("sandlock"))):
        await get_backend("sandlock").open(SandboxSpec(python=sys.executable))


async def test_unsafe_says_that_it_isolates_nothing() -> None:
    sandbox = await get_backend("unsafe").open(SandboxSpec(python=sys.executable))
    try:
        isolation = sandbox.isolation
        assert isolation.label == "NOT ISOLATED"
        assert not any((isolation.filesystem, isolation.network, isolation.processes, isolation.kernel))
    finally:
        await sandbox.aclose()
