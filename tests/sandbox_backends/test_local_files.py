"""What a local sandbox shows of the machine: what was asked for, at its place, and no more."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.local import linux
from codeens_sandbox_backends.registry import get_backend
from tests.sandbox_backends.machine import why_not
from tests.sandbox_backends.tools import answer

pytestmark = pytest.mark.anyio

_READ = "def f(path):\n    with open(path) as file:\n        return file.read()\n"
_WRITE = """
def f(path):
    try:
        open(path, "a").close()
    except OSError as error:
        return type(error).__name__
"""


@pytest.fixture(params=["local", "sandlock"])
def name(request: pytest.FixtureRequest) -> str:
    reason = why_not(request.param)
    if reason:
        pytest.skip(reason)
    return request.param


async def opened(name: str, *readable: Path, python: str = sys.executable) -> Sandbox:
    return await get_backend(name).open(SandboxSpec(python=python, readable=tuple(map(str, readable))))


async def test_a_readable_folder_of_the_owner_alone_is_shown_read_only(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    (folder / "deep").mkdir(parents=True)
    file = folder / "deep" / "module.py"
    file.write_text("text", encoding="utf-8")
    for path, mode in ((file, 0o600), (file.parent, 0o700), (folder, 0o700)):
        path.chmod(mode)
    sandbox = await opened(name, folder)
    try:
        assert await answer(sandbox, _READ, str(file)) == "text"
        assert await answer(sandbox, _WRITE, str(file)) in {"PermissionError", "OSError"}
        assert await answer(sandbox, _WRITE, str(folder / "new")) in {"PermissionError", "OSError"}
    finally:
        await sandbox.aclose()
    assert file.stat().st_uid == os.getuid()
    assert sorted(path.name for path in folder.iterdir()) == ["deep"]


async def test_a_folder_reached_through_a_link_is_shown_under_both_names(name: str, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "file").write_text("text", encoding="utf-8")
    link = tmp_path / "link"
    link.symlink_to("real")
    sandbox = await opened(name, link)
    try:
        assert await answer(sandbox, _READ, str(link / "file")) == "text"
        assert await answer(sandbox, _READ, str(real / "file")) == "text"
    finally:
        await sandbox.aclose()


async def test_the_neighbours_of_a_readable_folder_are_not_shown(name: str, tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "neighbour").write_text("text", encoding="utf-8")
    source = """
def f(path):
    try:
        return open(path).read()
    except OSError as error:
        return type(error).__name__
"""
    sandbox = await opened(name, tmp_path / "workspace")
    try:
        assert await answer(sandbox, source, str(tmp_path / "neighbour")) in {"FileNotFoundError", "PermissionError"}
    finally:
        await sandbox.aclose()


async def test_a_single_file_can_be_shown(name: str, tmp_path: Path) -> None:
    file = tmp_path / "one.txt"
    file.write_text("text", encoding="utf-8")
    file.chmod(0o600)
    sandbox = await opened(name, file)
    try:
        assert await answer(sandbox, _READ, str(file)) == "text"
    finally:
        await sandbox.aclose()


_WHO = """
import getpass, grp, os, pwd
from pathlib import Path

def f():
    user = pwd.getpwuid(os.getuid())
    return [getpass.getuser(), user.pw_name, user.pw_dir, str(Path.home()), grp.getgrgid(os.getgid()).gr_name]
"""


async def test_there_is_a_user_inside_with_a_name_and_a_home() -> None:
    if reason := why_not("local"):
        pytest.skip(reason)
    sandbox = await opened("local")
    try:
        found = await answer(sandbox, _WHO)
    finally:
        await sandbox.aclose()
    assert found == ["list", "nobody", "nobody", "/tmp", "/tmp", "nogroup"]


async def test_packages_of_the_interpreters_environment_can_be_imported(name: str) -> None:
    sandbox = await opened(name)
    try:
        source = "import sys, msgspec\ndef f():\n    return [sys.prefix, sys.flags.isolated]\n"
        assert await answer(sandbox, source) == ["list", sys.prefix, 1]
    finally:
        await sandbox.aclose()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up its rights before it starts a worker")
async def test_a_folder_that_can_not_be_shown_to_an_unprivileged_user_is_refused_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = why_not("local")
    if reason:
        pytest.skip(reason)
    backend = get_backend("local")
    assert (await backend.probe()).usable

    def refuse(tree: int, user_namespace: int) -> None:
        raise OSError(errno.EINVAL, "this file system maps no owners")

    monkeypatch.setattr(linux, "map_owners", refuse)
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(SandboxUnavailable, match=r"private cannot be read by the unprivileged user.*chmod -R o\+rX"):
        await backend.open(SandboxSpec(python=sys.executable, readable=(str(private),)))


async def test_an_interpreter_behind_links_runs_under_the_name_it_was_given(name: str, tmp_path: Path) -> None:
    (tmp_path / "versions").symlink_to(Path(sys.base_prefix).parent)
    (tmp_path / "python").symlink_to(Path("versions", Path(sys.base_prefix).name, "bin", "python3"))
    sandbox = await opened(name, python=str(tmp_path / "python"))
    try:
        source = "import sys\ndef f():\n    return sys.executable\n"
        assert await answer(sandbox, source) == str(tmp_path / "python")
    finally:
        await sandbox.aclose()


async def test_an_interpreter_that_is_not_there_is_refused_before_anything_runs(name: str) -> None:
    launcher = await opened_error(name, "/no/such/python")
    assert "there is no interpreter at '/no/such/python'" in launcher


async def test_an_interpreter_that_would_show_the_home_folder_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "home" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n", encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert "which holds your home folder" in await opened_error(name, str(python))


async def opened_error(name: str, python: str) -> str:
    with pytest.raises(SandboxUnavailable) as caught:
        await opened(name, python=python)
    return str(caught.value)
