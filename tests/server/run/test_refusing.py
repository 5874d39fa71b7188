"""`codeens runs refuse`, over a sandbox that only pretends."""

from __future__ import annotations

import os
from typing import Any

import anyio
import msgspec
import pytest
from click.testing import CliRunner

from codeens._scripts.codeens import main
from codeens_sandbox_backends.programs import CallInput, Returned
from codeens_server.domain.document import RunDocument
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.run import execution
from tests.server.run.fakes import RIGHT, World, finish, given

ROUNDED = "def double(x):\n    return x * 2.0000000000000004\n"
EVIDENCE = Evidence(
    mode="improve",
    cases=tuple(
        Case(
            id=f"generated-{number}",
            origin="generated",
            input=CallInput(args=(number,)),
            expected=Returned(value=2 * number, args=(number,)),
        )
        for number in (0.1, 0.3)
    ),
)


@pytest.fixture
def evidence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def known(*_: Any, say: Any, **__: Any) -> Evidence:
        await say("gathering")
        return EVIDENCE

    async def cases(_: object) -> tuple[Case, ...]:
        return EVIDENCE.cases

    monkeypatch.setattr(execution, "gather", known)
    monkeypatch.setattr(execution.Prober, "fresh_cases", cases)
    for name in [name for name in os.environ if name.startswith("CODEENS_")]:
        monkeypatch.delenv(name)
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(world.folder / "home"))


@pytest.mark.usefixtures("evidence")
def test_a_kind_that_is_refused_no_longer_passes_in_the_workspace(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def judged() -> RunDocument:
        with world.engine() as (engine, _):
            return await finish(engine.judge(world.request(), world.target, given(rounded=ROUNDED, right=RIGHT)))

    before = anyio.run(judged)
    statuses = {row.candidate.id: row.verdict.status for row in before.results}
    assert statuses == {"rounded": "conditional", "right": "passed"}

    monkeypatch.chdir(world.folder)
    refuse = ["runs", "refuse", before.run_id, "rounding", "--json", "--results", str(world.folder / "results")]
    result = CliRunner().invoke(main, refuse)
    assert result.exit_code == 0, result.stderr
    assert "rounding is refused in" in result.stderr
    after = msgspec.json.decode(result.stdout, type=RunDocument)
    assert {row.candidate.id: row.verdict.status for row in after.results} == {"rounded": "failed", "right": "passed"}
    assert 'refused_conditions = ["rounding"]' in (world.folder / "codeens.toml").read_text(encoding="utf-8")
