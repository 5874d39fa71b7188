"""The default sandbox is brought to a machine that has none, as far as its user may install things."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sandbox_backends.machine import why_not
from tests.server.cli.conftest import Codeens

pytestmark = pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}")
_TOOLS = ("sh", "touch", "ln", "unshare", "nsenter", "setpriv", "true")
Machine = Callable[..., None]


@pytest.fixture
def programs() -> Iterator[Path]:
    """All programs of the machine; root's workers are started by an unprivileged user, who must see them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for tool in _TOOLS:
            if found := shutil.which(tool):
                (folder / tool).symlink_to(found)
        yield folder


@pytest.fixture
def machine(programs: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Makes a machine without bubblewrap, too old for sandlock, whose apt-get and sudo are what is given."""
    known = os.uname()
    old_kernel = os.uname_result((known.sysname, known.nodename, "5.10.0", known.version, known.machine))

    def make(*, user: int, **scripts: str) -> None:
        for name, script in scripts.items():
            file = programs / name.replace("_", "-")
            file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            file.chmod(0o755)
        monkeypatch.setattr(os, "geteuid", lambda: user)
        monkeypatch.setattr(os, "uname", lambda: old_kernel)
        monkeypatch.setenv("PATH", str(programs))
        monkeypatch.setitem(sys.modules, "sandlock", None)

    return make


def _installing(programs: Path) -> str:
    """An apt-get that knows its packages once its lists are there."""
    bwrap, lists = shutil.which("bwrap"), programs / "lists"
    return (
        f'if [ "$1" = update ]; then touch {lists}; exit 0; fi\n'
        f'[ -e {lists} ] || exit 100\n[ "$5" = bubblewrap ] || exit 100\nln -s {bwrap} {programs}/bwrap'
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="not run: the packages of a machine are its root's")
def test_root_gets_bubblewrap_by_apt_and_is_told_so(codeens: Codeens, machine: Machine, programs: Path) -> None:
    machine(user=0, apt_get=_installing(programs))
    result = codeens("sandbox", "install")
    assert result.stdout.startswith("installed bubblewrap; candidates run under bubblewrap: own namespaces")
    assert "bubblewrap: sh -c" in result.stderr
    assert codeens("sandbox", "install").stdout.startswith("nothing to install; ")


def test_who_may_not_install_is_told_what_to_ask_for(codeens: Codeens, machine: Machine, programs: Path) -> None:
    machine(user=1000, apt_get=f"touch {programs}/called", sudo="exit 1")
    result = codeens("sandbox", "install", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["usable"], found["did"]) == (1, False, [])
    assert "apt-get install bubblewrap" in found["ask"]
    assert not (programs / "called").exists()


def test_a_run_without_a_sandbox_names_the_command_that_brings_one(
    codeens: Codeens, machine: Machine, here: Path
) -> None:
    machine(user=1000)
    (here / "shapes.py").write_text("def area(w, h):\n    return w * h\n", encoding="utf-8")
    refused = codeens("run", "shapes.py::area")
    assert refused.exit_code == 1
    assert "bubblewrap is not installed" in refused.stderr
    assert "`codeens sandbox install` brings what this machine allows; by hand: " in refused.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="not run: what stands in for sudo gives no rights")
def test_sudo_without_a_password_is_used(codeens: Codeens, machine: Machine, programs: Path) -> None:
    machine(user=1000, apt_get=_installing(programs), sudo='shift; exec "$@"')
    found = json.loads(codeens("sandbox", "install", "--json").stdout)
    assert found["did"] == ["bubblewrap"]
