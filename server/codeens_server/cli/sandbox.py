"""`codeens sandbox`: which backends there are, and whether they hold."""

from __future__ import annotations

from collections import Counter

import anyio
import click
from msgspec import Struct
from rich.table import Table
from rich.text import Text

from codeens_sandbox_backends.base import IsolationLevel, Readiness
from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.registry import backend_names, get_backend
from codeens_sandbox_backends.selfcheck.checks import CHECK_KINDS, CheckKind, SelfCheckReport, SelfCheckResult
from codeens_server.cli import options
from codeens_server.cli.report import console, plain_table
from codeens_server.cli.sandbox_install import Brought, bring_sandbox
from codeens_server.cli.session import session_here, settings_of, unless_interrupted
from codeens_server.errors import RunError
from codeens_server.selfcheck.run import self_check
from codeens_server.store.documents import to_json
from codeens_server.text import one_line, plural

_ISOLATES_NOTHING = "unsafe"
_PARTS = ("filesystem", "network", "processes", "kernel")


class Listed(Struct, frozen=True, kw_only=True):
    """A backend as `sandbox list` tells of it."""

    name: str
    usable: bool
    isolation: IsolationLevel | None
    """None where the backend could not even be loaded."""
    why: str = ""
    fix: str = ""


@click.group()
def sandbox() -> None:
    """List sandbox backends, and check that they hold."""


@sandbox.command("list")
@options.as_json
def list_(as_json: bool) -> None:
    """List all backends: whether each can be used here, found out by trying, and what it keeps apart."""
    found = anyio.run(_probe_all, backend_names())
    if as_json:
        click.echo(to_json(found, indent=2))
    else:
        console().print(_backends_table(found))


@sandbox.command()
@options.as_json
@click.pass_context
def install(ctx: click.Context, as_json: bool) -> None:
    """Bring the default sandbox to this machine: bubblewrap by apt-get as root or by sudo, else sandlock by pip or uv.

    Where it works already nothing is installed. Exit code 1: it does not work, and what to ask an administrator for is
    said.
    """

    def say(line: str) -> None:
        click.echo(line, err=True)

    brought = anyio.run(bring_sandbox, session_here().environ, say)
    if as_json:
        click.echo(to_json(brought, indent=2))
    else:
        click.echo(_told(brought))
    if not brought.usable:
        ctx.exit(1)


def _told(brought: Brought) -> str:
    if not brought.usable:
        return f"no sandbox works here. {brought.ask}"
    what = f"installed {' and '.join(brought.did)}" if brought.did else "nothing to install"
    return f"{what}; candidates run under {brought.how}" + (f"\n{brought.ask}" if brought.ask else "")


@sandbox.command()
@click.option("--backend", "names", metavar="NAME", multiple=True, help="Check this backend; repeatable.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(CHECK_KINDS),
    multiple=True,
    metavar="|".join(CHECK_KINDS),
    help="Make only checks of this kind; repeatable.",
)
@options.as_json
@click.pass_context
def selfcheck(ctx: click.Context, names: tuple[str, ...], kinds: tuple[CheckKind, ...], as_json: bool) -> None:
    """Try to get out of a sandbox, and to pass without being right. Exit code 1: something was possible.

    By default every backend is checked that can be used here, other than `unsafe`.
    """
    python = settings_of(session_here()).python
    message = "the check was ended before it was done."
    reports = anyio.run(unless_interrupted, lambda: _check_all(names, kinds or CHECK_KINDS, python), message)
    if as_json:
        click.echo(to_json(reports[0] if len(names) == 1 else reports, indent=2))
    else:
        for report in reports:
            console().print(_report_table(report))
            click.echo(_summary(report))
    if not all(report.ok for report in reports):
        ctx.exit(1)


async def _check_all(names: tuple[str, ...], kinds: tuple[CheckKind, ...], python: str | None) -> list[SelfCheckReport]:
    backends = [get_backend(name) for name in dict.fromkeys(names or await _usable())]
    reports: list[SelfCheckReport] = []
    out = console(stderr=True)
    with out.status("") as status:
        for backend in backends:

            def say(result: SelfCheckResult, name: str = backend.name) -> None:
                line = Text(f"{name}: {result.name}")
                if out.is_terminal:
                    status.update(line)
                else:
                    out.print(line)

            reports.append(await self_check(backend, python=python, say=say, kinds=kinds))
    return reports


async def _usable() -> list[str]:
    found = await _probe_all([name for name in backend_names() if name != _ISOLATES_NOTHING])
    usable = [backend.name for backend in found if backend.usable]
    if not usable:
        message = f"no sandbox can be used here. {' '.join(backend.fix for backend in found if backend.fix)}".strip()
        raise RunError(message)
    return usable


async def _probe_all(names: list[str]) -> list[Listed]:
    found: dict[str, Listed] = {}

    async def probe(name: str) -> None:
        try:
            found[name] = _listed(await get_backend(name).probe())
        except SandboxError as error:
            found[name] = Listed(name=name, usable=False, isolation=None, why=str(error))

    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(probe, name)
    return [found[name] for name in names]


def _listed(ready: Readiness) -> Listed:
    return Listed(name=ready.name, usable=ready.usable, isolation=ready.isolation, why=ready.why, fix=ready.fix)


def _backends_table(found: list[Listed]) -> Table:
    table = plain_table("backend", "usable", "keeps apart", "how", "")
    for backend in found:
        mark = Text("yes", style="green") if backend.usable else Text("no", style="yellow")
        remark = one_line(" ".join(part for part in (backend.why, backend.fix and f"fix: {backend.fix}") if part))
        label = one_line(backend.isolation.label) if backend.isolation else ""
        table.add_row(Text(one_line(backend.name)), mark, _kept_apart(backend.isolation), Text(label), Text(remark))
    return table


def _kept_apart(isolation: IsolationLevel | None) -> str:
    return ", ".join(part for part in _PARTS if isolation and getattr(isolation, part)) or "nothing"


def _report_table(report: SelfCheckReport) -> Table:
    table = plain_table("kind", report.backend, "", "")
    for check in report.checks:
        mark = Text("ok", style="green") if check.ok else Text("FAILED", style="bold red")
        table.add_row(check.kind, Text(one_line(check.name)), mark, Text(one_line(check.why)))
    return table


def _summary(report: SelfCheckReport) -> str:
    counts = Counter(check.kind for check in report.checks)
    failed = sum(not check.ok for check in report.checks)
    made = ", ".join(plural(counts[kind], kind) for kind in ("escape", "cheat", "race", "control"))
    return f"{report.backend} ({report.isolation.label}): {made}; {f'{failed} FAILED' if failed else 'all ok'}\n"
