"""What is sent to a service's sandboxes, and what workers see of it there."""

from __future__ import annotations

import errno
import io
import os
import sys
import tarfile
import venv
from pathlib import Path

import pytest

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.jobs import SuiteJob
from codeens_sandbox_backends.programs import Program
from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.remote import bundle
from tests.sandbox_backends.tools import answer

_READ = """
def f(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError as error:
        return type(error).__name__
"""
_WRITE = """
def f(path):
    try:
        open(path, "a").close()
    except OSError as error:
        return error.errno
"""


def names_in(archive: bytes) -> set[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return set(tar.getnames())


def sent(*readable: Path, python: str = sys.executable) -> set[str]:
    """Absolute paths of the files that are sent."""
    made = bundle.bundle_of(SandboxSpec(python=python, readable=tuple(map(str, readable))), "e2b")
    return {f"/{name.removeprefix('bundle/')}" for name in names_in(made.archive) if name.startswith("bundle/")}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    for name in ("module.py", "data/table.csv", ".git/HEAD", "__pycache__/module.pyc", "fast.so", "node_modules/x.js"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("text", encoding="utf-8")
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """The interpreter of a virtual environment, with packages."""
    folder = tmp_path / "workspace" / ".venv"
    venv.create(folder, with_pip=False)
    site = next(folder.glob("lib/python3*/site-packages"))
    install(site, "Pure_Thing", {"pure_thing/__init__.py": "WHAT = 'pure'\n"}, needs="helper>=1; python_version>'3'")
    install(site, "helper", {"helper.py": ""}, needs="never; extra == 'more'")
    install(site, "compiled", {"compiled/__init__.py": "", "compiled/fast.so": ""})
    install(site, "never", {"never.py": ""})
    return folder / "bin" / "python"


def install(site: Path, name: str, files: dict[str, str], needs: str = "") -> None:
    record = f"{name}-1.0.dist-info"
    requires = f"Requires-Dist: {needs}\n" if needs else ""
    written = {**files, f"{record}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}\n"}
    written[f"{record}/RECORD"] = "".join(f"{file},,\n" for file in [*written, f"{record}/RECORD", "../../bin/tool"])
    for file, text in written.items():
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text(text, encoding="utf-8")


def test_a_workspace_is_sent_without_what_is_compiled_kept_or_installed(workspace: Path, environment: Path) -> None:
    inside = {path for path in sent(workspace, python=str(environment)) if Path(path).is_relative_to(workspace)}
    wanted = (workspace, workspace / "module.py", workspace / "data", workspace / "data" / "table.csv")
    assert inside == set(map(str, wanted))


def test_packages_that_are_imported_are_sent_with_what_they_need_unless_they_are_compiled(
    workspace: Path, environment: Path
) -> None:
    (workspace / "module.py").write_text("import os, compiled\nfrom pure_thing.x import y\n", encoding="utf-8")
    made = bundle.bundle_of(SandboxSpec(python=str(environment), readable=(str(workspace),)), "e2b")
    folder = "worker/packages/"
    top = {name.removeprefix(folder).partition("/")[0] for name in names_in(made.archive) if name.startswith(folder)}
    assert top == {"pure_thing", "Pure_Thing-1.0.dist-info", "helper.py", "helper-1.0.dist-info"}


def test_nothing_but_the_relay_and_the_worker_is_sent_for_no_workspace() -> None:
    made = bundle.bundle_of(SandboxSpec(python=sys.executable), "e2b")
    assert {name.partition("/")[0] for name in names_in(made.archive)} == {"inside", "worker"}
    assert made.shown == ()


@pytest.mark.parametrize(
    ("bound", "size"), [("FILES_AT_MOST", 3), ("BYTES_AT_MOST", 1000), ("ARCHIVE_BYTES_AT_MOST", 100)]
)
def test_too_much_is_refused_with_the_fix(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, bound: str, size: int
) -> None:
    for number in range(3):
        (workspace / f"{number}.bin").write_bytes(os.urandom(1 << 20))
    monkeypatch.setattr(bundle, bound, size)
    with pytest.raises(SandboxUnavailable, match="would have to be sent") as caught:
        sent(workspace)
    assert "out of the workspace" in caught.value.fix


async def opened(workspace: Path, python: Path | None = None, *, hidden: tuple[Path, ...] = ()) -> Sandbox:
    spec = SandboxSpec(python=str(python or sys.executable), readable=(str(workspace),), hidden=tuple(map(str, hidden)))
    return await get_backend("e2b").open(spec)


@pytest.mark.anyio
@pytest.mark.usefixtures("e2b")
async def test_a_workspace_is_shown_at_its_place_read_only_and_under_all_its_names(workspace: Path) -> None:
    link = workspace.parent / "link"
    link.symlink_to("workspace")
    (workspace.parent / "neighbour").write_text("text", encoding="utf-8")
    sandbox = await opened(link)
    try:
        for folder in (workspace, link):
            assert await answer(sandbox, _READ, str(folder / "data" / "table.csv")) == "text"
        assert await answer(sandbox, _WRITE, str(workspace / "new")) in {errno.EACCES, errno.EROFS}
        assert await answer(sandbox, _READ, str(workspace.parent / "neighbour")) == "FileNotFoundError"
    finally:
        await sandbox.aclose()


@pytest.mark.anyio
@pytest.mark.usefixtures("e2b")
async def test_a_package_that_was_sent_can_be_imported(workspace: Path, environment: Path) -> None:
    (workspace / "module.py").write_text("import pure_thing\n", encoding="utf-8")
    sandbox = await opened(workspace, environment)
    try:
        assert await answer(sandbox, "import pure_thing\ndef f():\n    return pure_thing.WHAT\n") == "pure"
    finally:
        await sandbox.aclose()


@pytest.mark.anyio
@pytest.mark.usefixtures("e2b")
async def test_what_is_hidden_can_be_read_by_suites_alone(workspace: Path) -> None:
    file, folder = workspace / "module.py", workspace / "data"
    file.write_text("def f():\n    '''\n    >>> f()\n    1\n    '''\n    return 1\n", encoding="utf-8")
    sandbox = await opened(workspace, hidden=(file, folder, workspace / "absent"))
    try:
        assert await answer(sandbox, _READ, str(file)) == "PermissionError"
        assert await answer(sandbox, _READ, str(folder / "table.csv")) == "FileNotFoundError"
        program = Program(module="module", qualname="f", sys_path=(str(workspace),))
        suite = await sandbox.run(SuiteJob(kind="doctest", root=str(workspace), program=program))
        assert [test.outcome for test in suite.tests] == ["passed"], suite
    finally:
        await sandbox.aclose()


@pytest.mark.anyio
@pytest.mark.usefixtures("e2b")
async def test_a_suite_runs_with_the_pytest_that_was_sent(workspace: Path) -> None:
    (workspace / "module.py").write_text("def f():\n    return 1\n", encoding="utf-8")
    test = "from module import f\n\n\ndef test_f():\n    assert f() == 1\n"
    (workspace / "test_module.py").write_text(test, encoding="utf-8")
    sandbox = await opened(workspace)
    try:
        program = Program(module="module", qualname="f", sys_path=(str(workspace),))
        suite = await sandbox.run(SuiteJob(kind="pytest", root=str(workspace), program=program, record=True))
        assert [(test.outcome, test.entered) for test in suite.tests] == [("passed", 1)], suite
    finally:
        await sandbox.aclose()
