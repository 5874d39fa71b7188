"""`codeens doctor`: what works here, found out by trying, with the fix for what does not.

Nothing of the workspace is run.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import anyio
import click
from rich.table import Table
from rich.text import Text

from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.registry import backend_names, get_backend
from codeens_server.cli import options
from codeens_server.cli.clients import CLIENTS, set_up, shown
from codeens_server.cli.model_checks import DoctorCheck, model_checks
from codeens_server.cli.report import console, plain_table
from codeens_server.cli.session import session_here, settings_of
from codeens_server.config.settings import Settings
from codeens_server.store.documents import to_json
from codeens_server.text import one_line
from codeens_server.workspace.environment import interpreter_for
from codeens_server.workspace.installed import version_of

_OF_WORKSPACE = "of the workspace"
_WIDTH = 80
_NAMES = 18
_EDITORS = {
    "code": "Visual Studio Code",
    "cursor": "Cursor",
    "nvim": "Neovim",
    "vim": "Vim",
    "emacs": "Emacs",
    "hx": "Helix",
}


@click.command()
@click.option("--try", "ask", is_flag=True, help="Ask each model for one token, which costs next to nothing.")
@click.option("--client", type=click.Choice(CLIENTS), help="Say how this agent's client starts codeens, and try it.")
@options.trust_workspace
@options.as_json
@click.pass_context
def doctor(ctx: click.Context, ask: bool, client: str | None, trust_workspace: bool, as_json: bool) -> None:
    """Say what works on this machine, and how to mend the rest. Exit code 1: the main job cannot be done.

    With `--client` say what to copy into which file of an agent's client, and whether the server starts so.
    """
    session = session_here(trust=trust_workspace)
    if client is not None:
        found = anyio.run(set_up, client, session.root, session.environ)
        click.echo(to_json(found, indent=2) if as_json else shown(found))
        ctx.exit(0 if found.starts else 1)
    checks = anyio.run(lambda: _check_up(settings_of(session), session.root, session.environ, ask=ask))
    if as_json:
        click.echo(to_json(checks, indent=2))
    else:
        _print(checks)
    if any(check.needed and not check.works for check in checks):
        ctx.exit(1)


def _print(checks: list[DoctorCheck]) -> None:
    out = console()
    out.width = min(out.width, _WIDTH)
    area = ""
    for check in checks:
        if check.area != area:
            out.print(Text(check.area, style="bold"))
        area = check.area
        out.print(_row(check))
    out.print()
    out.print(Text(f"first: {_first(checks)}", style="bold"))


def _row(check: DoctorCheck) -> Table:
    mark = Text("yes", style="green") if check.works else Text("no", style="red" if check.needed else "yellow")
    detail = Text(one_line(check.detail))
    if check.fix:
        detail.append(f"\nfix: {one_line(check.fix)}", style="bold")
    table = plain_table()
    for width in (5, _NAMES, None):
        table.add_column(width=width, overflow="fold")
    table.add_row(Text.assemble("  ", mark), Text(one_line(check.name)), detail)
    return table


def _first(checks: list[DoctorCheck]) -> str:
    """Return what to do first: what the main job needs, else what brings more, else the main job."""
    for check in checks:
        if check.needed and not check.works:
            return "codeens sandbox install" if check.area == "sandbox" else check.fix
    if not any(check.works for check in checks if check.area == "model"):
        return "codeens run FILE.py::FUNCTION; with a model it can do more: see docs/models.md"
    return "codeens run FILE.py::FUNCTION"


async def _check_up(settings: Settings, workspace: Path, environ: Mapping[str, str], *, ask: bool) -> list[DoctorCheck]:
    """Look at everything, at once where it takes time.

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
            fix="" if has_ruff else f"{sys.executable} -m pip install ruff",
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
