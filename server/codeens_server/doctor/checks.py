"""What works on this machine, found out by trying, with the fix for what does not. Nothing of a workspace is run."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import anyio

from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.extras import installing
from codeens_sandbox_backends.registry import backend_names, get_backend
from codeens_server.config.settings import Settings
from codeens_server.doctor.models import DoctorCheck, model_checks
from codeens_server.workspace.environment import interpreter_for
from codeens_server.workspace.installed import version_of

_OF_WORKSPACE = "of the workspace"
_EDITORS = {
    "code": "Visual Studio Code",
    "cursor": "Cursor",
    "nvim": "Neovim",
    "vim": "Vim",
    "emacs": "Emacs",
    "hx": "Helix",
}


async def all_checks(
    settings: Settings, workspace: Path, environ: Mapping[str, str], *, ask: bool
) -> list[DoctorCheck]:
    """Look at everything, at once where it takes time.

    Args:
        settings: what is configured.
        workspace: the folder whose interpreter is looked for.
        environ: where keys are read from.
        ask: ask each model for one token.

    Raises:
        ConfigError: the settings name an interpreter or a model that is not there.
    """
    sandboxes: dict[str, DoctorCheck] = {}
    models: list[DoctorCheck] = []

    async def probe(name: str) -> None:
        sandboxes[name] = await _sandbox_check(name)

    async def find_models() -> None:
        models.extend(await model_checks(settings, environ, ask=ask))

    async with anyio.create_task_group() as group:
        for name in backend_names():
            group.start_soon(probe, name)
        group.start_soon(find_models)
    return [
        *(sandboxes[name] for name in sorted(sandboxes, key=lambda name: (not sandboxes[name].needed, name))),
        *_interpreter_checks(interpreter_for(workspace, settings)),
        *models,
        *_tool_checks(),
        *_editor_checks(),
    ]


async def _sandbox_check(name: str) -> DoctorCheck:
    # The default one is what candidates run in unless something else is asked for.
    needed = name == Settings().sandbox
    try:
        readiness = await get_backend(name).probe()
    except SandboxError as error:
        return DoctorCheck(area="sandbox", name=name, works=False, detail=str(error), needed=needed)
    detail = "; ".join(part for part in (readiness.isolation.label * readiness.usable, readiness.why) if part)
    return DoctorCheck(
        area="sandbox", name=name, works=readiness.usable, detail=detail, fix=readiness.fix, needed=needed
    )


def _interpreter_checks(python: Path) -> list[DoctorCheck]:
    own = f"Python {sys.version_info.major}.{sys.version_info.minor}: {sys.executable}"
    has_pytest = _has_pytest(python)
    return [
        DoctorCheck(area="interpreter", name="of codeens", works=True, detail=own),
        _workspace_check(python),
        DoctorCheck(
            area="interpreter",
            name="pytest",
            works=has_pytest,
            detail="the workspace's tests can be run" if has_pytest else f"not installed for {python}",
            fix="" if has_pytest else f"{python} -m pip install pytest",
        ),
    ]


def _workspace_check(python: Path) -> DoctorCheck:
    version = version_of(python)
    if version is None or version <= sys.version_info[:2]:
        return DoctorCheck(area="interpreter", name=_OF_WORKSPACE, works=True, detail=str(python))
    newer = f"{version[0]}.{version[1]}"
    return DoctorCheck(
        area="interpreter",
        name=_OF_WORKSPACE,
        works=False,
        detail=f"{python}: files that use what is new in Python {newer} cannot be read",
        fix=f"install codeens with Python {newer}",
    )


def _has_pytest(python: Path) -> bool:
    """Found by looking: the workspace's interpreter is foreign code."""
    if python == Path(sys.executable):
        return find_spec("pytest") is not None
    return any(python.parent.parent.glob("lib*/python3*/site-packages/pytest/__init__.py"))


def _tool_checks() -> list[DoctorCheck]:
    has_ruff = find_spec("ruff") is not None
    git = shutil.which("git")
    return [
        DoctorCheck(
            area="tool",
            name="ruff",
            works=has_ruff,
            detail="measures readability and makes offline rewrites",
            fix="" if has_ruff else installing("ruff"),
            needed=True,
        ),
        DoctorCheck(
            area="tool",
            name="git",
            works=git is not None,
            detail=git or "not found; only needed to `git apply` what `runs diff` prints",
        ),
    ]


def _editor_checks() -> list[DoctorCheck]:
    found = [(name, place) for name in _EDITORS if (place := shutil.which(name)) is not None]
    if not found:
        return [
            DoctorCheck(area="editor", name="editors", works=False, detail=f"none of {', '.join(_EDITORS)} is on PATH")
        ]
    return [DoctorCheck(area="editor", name=_EDITORS[name], works=True, detail=place) for name, place in found]
