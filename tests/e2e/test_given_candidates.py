"""A run whose candidates were given, gone on with by the installed program after it was killed."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from codeens_server.config.settings import Settings
from codeens_server.domain.target import Candidate, Replacement
from codeens_server.run.engine import Engine
from codeens_server.run.events import EvidenceGathered, RunStarted
from codeens_server.run.request import RunOptions, resolve
from codeens_server.store.opening import open_store
from codeens_server.workspace.find import find_target
from tests.e2e.ensemble import PLAIN, entry, fenced
from tests.e2e.program import Workspace, empty_workspace
from tests.loopback.server import ModelServer
from tests.sandbox_backends.machine import why_not

pytestmark = [
    pytest.mark.scene,
    pytest.mark.anyio,
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]
SOURCE = '''\
def unique(items: list[int]) -> list[int]:
    """Each item once, in order.

    >>> unique([2, 1, 2])
    [2, 1]
    """
    found = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
'''
RIGHT = "def unique(items: list[int]) -> list[int]:\n    return list(dict.fromkeys(items))"
WRONG = "def unique(items: list[int]) -> list[int]:\n    return sorted(set(items))"


def candidate(name: str, source: str) -> Candidate:
    return Candidate(
        id=name, model="agent", variant=name, source=source, replacement=Replacement(function=source), digest=name
    )


async def killed_run(workspace: Workspace, given: tuple[Candidate, ...]) -> str:
    """The id of a run that ended when its evidence was kept, and nothing else."""
    run_id = ""
    results = str(workspace.home / ".local" / "share" / "codeens" / "results")
    settings = Settings(results=results, max_inputs=12, max_mutants=4, effort="quick")
    with open_store(settings) as store:
        engine = Engine(settings, store, variants={"plain": PLAIN}, environ={})
        target = find_target("sums.py::unique", cwd=workspace.folder)
        async with engine.judge(resolve("sums.py::unique", RunOptions(), settings), target, given) as stream:
            async for event in stream:
                if isinstance(event, RunStarted):
                    run_id = event.run_id
                elif isinstance(event, EvidenceGathered):
                    break
        state = await store.load(run_id)
        assert (state.executed, state.given) == (0, given)
    return run_id


async def test_a_resumed_run_judges_the_candidates_that_it_was_given_and_asks_no_model(tmp_path: Path) -> None:
    workspace = empty_workspace(tmp_path)
    (workspace.folder / "sums.py").write_text(SOURCE, encoding="utf-8")
    given = (candidate("right", RIGHT), candidate("wrong", WRONG))
    with anyio.fail_after(100):
        run_id = await killed_run(workspace, given)
        async with ModelServer(answer=lambda _: fenced(RIGHT)) as server:
            workspace.configure(f'rewrites = "always"\n{entry("m", server.url)}')
            run = await anyio.to_thread.run_sync(workspace.document, "run", "--resume", run_id)

    assert server.requests == []
    assert run.run_id == run_id
    statuses = {row.candidate.id: row.verdict.status for row in run.results}
    assert statuses == {"right": "passed", "wrong": "failed"}
    assert {row.candidate for row in run.results} == set(given)
