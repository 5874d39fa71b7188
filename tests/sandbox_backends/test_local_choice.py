"""The local backend takes the best mechanism that is there, says which, and refuses without one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.registry import get_backend
from tests.sandbox_backends.conformance import answer
from tests.sandbox_backends.machine import why_not

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
    assert readiness.tier.label.startswith("bubblewrap")


@pytest.mark.usefixtures("without_bubblewrap")
async def test_sandlock_stands_in_for_bubblewrap_and_the_tier_says_so() -> None:
    reason = why_not("sandlock")
    if reason:
        pytest.skip(reason)
    backend = get_backend("local")
    sandbox = await backend.open(SandboxSpec(python=sys.executable))
    try:
        assert sandbox.tier.label.startswith("sandlock")
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
    assert "pip install 'codeens[sandlock]'" in message


@pytest.mark.usefixtures("without_sandlock")
async def test_sandlock_that_is_not_installed_is_refused_with_the_fix() -> None:
    with pytest.raises(SandboxUnavailable, match=r"pip install 'codeens\[sandlock\]'"):
        await get_backend("sandlock").open(SandboxSpec(python=sys.executable))


async def test_unsafe_says_that_it_isolates_nothing() -> None:
    sandbox = await get_backend("unsafe").open(SandboxSpec(python=sys.executable))
    try:
        tier = sandbox.tier
        assert tier.label == "NOT ISOLATED"
        assert not any((tier.filesystem, tier.network, tier.processes, tier.kernel))
    finally:
        await sandbox.aclose()
