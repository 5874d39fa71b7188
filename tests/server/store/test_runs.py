from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace

from codeens_server.config.settings import Settings
from codeens_server.domain import RankedResult, Verdict
from codeens_server.errors import InputError, RunError
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    EvidenceGathered,
    GenerationFailed,
    Progress,
    RunEvent,
    RunStarted,
    SandboxFailed,
)
from codeens_server.store.artifacts import Artifacts
from codeens_server.store.documents import from_json
from codeens_server.store.opening import open_store
from codeens_server.store.runs import RunStore
from codeens_server.store.stored import StoredRun
from tests.server import facts

pytestmark = pytest.mark.anyio


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "data" / "results"


@pytest.fixture
def store(results: Path) -> Iterator[RunStore]:
    with open_store(Settings(results=str(results))) as opened:
        yield opened


def _events(stored: StoredRun) -> list[RunEvent]:
    """What is stored, told again; the original's verdict first."""
    assert stored.evidence is not None
    return [
        EvidenceGathered(evidence=stored.evidence),
        *(
            CandidateGenerated(candidate=item, duplicate_of=stored.duplicates.get(item.id))
            for item in stored.candidates
        ),
        *(stored.judged[key] for key in ("original", "c1", "c3")),
        *(CandidateMeasured(candidate_id=key, measurement=item) for key, item in stored.measured.items()),
    ]


def _all_below(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]


async def _begin(store: RunStore, folder: Path, run_id: str = "20260101-aaaaaa") -> str:
    target = facts.target_in(folder)
    await store.create(run_id, facts.request(target), target)
    for event in facts.found(target):
        await store.record(run_id, event)
    return run_id


async def test_what_was_recorded_is_loaded_again_by_a_new_store(store: RunStore, results: Path, tmp_path: Path) -> None:
    run_id = await _begin(store, tmp_path)
    with open_store(Settings(results=str(results))) as again:
        stored = await again.load(run_id)
    assert stored.request == facts.request(stored.target)
    assert stored.target == facts.target_in(tmp_path)
    assert _events(stored) == facts.found(stored.target)
    assert stored.run is None


async def test_recording_an_event_twice_changes_nothing(store: RunStore, tmp_path: Path) -> None:
    run_id = await _begin(store, tmp_path)
    for event in facts.found(facts.target_in(tmp_path)):
        await store.record(run_id, event)
    stored = await store.load(run_id)
    assert [item.id for item in stored.candidates] == ["c1", "c2", "c3"]


async def test_a_later_verdict_replaces_the_earlier(store: RunStore, tmp_path: Path) -> None:
    run_id = await _begin(store, tmp_path)
    await store.record(run_id, CandidateJudged(candidate_id="c1", verdict=Verdict(status="timeout")))
    stored = await store.load(run_id)
    assert stored.judged["c1"].verdict.status == "timeout"
    assert stored.judged["c1"].outcomes == ()


async def test_failures_of_models_and_sandboxes_are_kept(store: RunStore, tmp_path: Path) -> None:
    run_id = await _begin(store, tmp_path)
    failures = (
        GenerationFailed(model="m", variant="v", why="429"),
        SandboxFailed(candidate_id="c3", why="bwrap was killed"),
    )
    for event in failures:
        await store.record(run_id, event)
    stored = await store.load(run_id)
    assert stored.failures == failures


async def test_events_that_only_show_progress_are_not_kept(store: RunStore, tmp_path: Path) -> None:
    run_id = await _begin(store, tmp_path)
    before = await store.load(run_id)
    await store.record(run_id, Progress(message="thinking"))
    await store.record(run_id, RunStarted(run_id=run_id, request=before.request, target=before.target))
    assert await store.load(run_id) == before


async def test_an_ended_run_is_given_back_as_its_document(store: RunStore, tmp_path: Path) -> None:
    run_id = await _begin(store, tmp_path)
    end = facts.finished(run_id, facts.target_in(tmp_path))
    await store.record(run_id, end)
    assert (await store.load(run_id)).run == end.run


async def test_artifacts_hold_what_was_asked_answered_and_run(store: RunStore, results: Path, tmp_path: Path) -> None:
    run_id = await _begin(store, tmp_path)
    await store.record(run_id, facts.finished(run_id, facts.target_in(tmp_path)))
    folder = Artifacts(results).candidate_folder(run_id, "c1")
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert texts["prompt.txt"] == "Make it faster."
    assert texts["solution.py"] == facts.FASTER
    assert texts["response.txt"].startswith("```python")
    assert texts["payload.py"] == facts.SOURCE[: facts.SOURCE.index("def total")] + facts.FASTER
    assert from_json(texts["result.json"], RankedResult).rank == 1
    assert set(texts) == {"prompt.txt", "response.txt", "solution.py", "payload.py", "result.json"}


async def test_only_the_owner_can_read_what_is_kept(store: RunStore, results: Path, tmp_path: Path) -> None:
    await _begin(store, tmp_path)
    assert not [path for path in _all_below(results) if stat.S_IMODE(path.stat().st_mode) & 0o077]


async def test_a_candidate_id_never_leaves_the_results_folder(store: RunStore, results: Path, tmp_path: Path) -> None:
    run_id = await _begin(store, tmp_path)
    for name in ("../../escape", "/etc/x", "..", "a/b\x00c", "é" * 300, ""):
        await store.record(run_id, CandidateGenerated(candidate=facts.candidate(name)))
        folder = Artifacts(results).candidate_folder(run_id, name)
        assert folder.parent == results / f"run_{run_id}"
        assert (folder / "solution.py").is_file()


async def test_a_candidate_that_does_not_fit_its_module_has_no_payload(
    store: RunStore, results: Path, tmp_path: Path
) -> None:
    run_id = await _begin(store, tmp_path)
    odd = facts.candidate("c9")
    clash = replace(odd, replacement=replace(odd.replacement, helpers=("def total(): ...",)))
    await store.record(run_id, CandidateGenerated(candidate=clash))
    assert not (Artifacts(results).candidate_folder(run_id, "c9") / "payload.py").exists()


async def test_lone_surrogates_of_hostile_code_do_not_stop_the_store(store: RunStore, tmp_path: Path) -> None:
    run_id = await _begin(store, tmp_path)
    verdict = replace(facts.failed(), reason="said '\ud800é'")
    await store.record(run_id, CandidateJudged(candidate_id="c1", verdict=verdict))
    await store.record(run_id, CandidateGenerated(candidate=replace(facts.candidate("c8"), response="\udfff")))
    stored = await store.load(run_id)
    assert stored.judged["c1"].verdict.reason == "said '?é'"
    assert stored.candidates[-1].response == "?"


async def test_a_run_is_found_by_the_beginning_of_its_id_or_its_last_part(store: RunStore, tmp_path: Path) -> None:
    await _begin(store, tmp_path, "20260101-aaaaaa")
    await _begin(store, tmp_path, "20260102-bbbbbb")
    assert (await store.load("20260102")).run_id == "20260102-bbbbbb"
    assert (await store.load("aaaaaa")).run_id == "20260101-aaaaaa"
    with pytest.raises(InputError, match=r"beginning of 2 runs: 20260102-bbbbbb, 20260101-aaaaaa"):
        await store.load("2026")
    with pytest.raises(InputError, match="The latest is 20260102-bbbbbb"):
        await store.load("x%")


async def test_runs_are_listed_newest_first_with_their_state(store: RunStore, tmp_path: Path) -> None:
    first = await _begin(store, tmp_path, "20260101-aaaaaa")
    second = await _begin(store, tmp_path, "20260102-bbbbbb")
    await store.record(first, facts.finished(first, facts.target_in(tmp_path)))
    lines = await store.list_runs(10)
    assert [line.run_id for line in lines] == [second, first]
    assert [line.stopped for line in lines] == [None, ""]
    assert [line.candidates for line in lines] == [3, 3]
    assert lines[1].headline.startswith("maker/small")
    assert lines[0].created.utcoffset() is not None
    assert len(await store.list_runs(1)) == 1


async def test_kept_cases_come_back_in_order_and_once(store: RunStore, tmp_path: Path) -> None:
    run_id = await _begin(store, tmp_path)
    for identity in ("k2", "k1", "k2"):
        await store.pin_case(run_id, facts.case(identity))
    assert [case.id for case in (await store.load(run_id)).kept] == ["k2", "k1"]
    with pytest.raises(RunError, match="nothing"):
        await store.pin_case("nothing", facts.case())


async def test_a_cancelled_caller_still_has_its_event_committed(store: RunStore, tmp_path: Path) -> None:
    run_id = await _begin(store, tmp_path)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await store.record(run_id, CandidateGenerated(candidate=facts.candidate("late")))
    assert (await store.load(run_id)).candidates[-1].id == "late"


async def test_many_tasks_may_record_at_once(store: RunStore, tmp_path: Path) -> None:
    run_id = await _begin(store, tmp_path)
    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(store.record, run_id, CandidateGenerated(candidate=facts.candidate(f"n{number}")))
    assert len((await store.load(run_id)).candidates) == 23


_KILLED = """
import sys
from pathlib import Path
import anyio
from codeens_server.domain import CandidateGenerated
from codeens_server.config.settings import Settings
from codeens_server.store.opening import open_store
from tests.server import facts

async def main():
    with open_store(Settings(results=sys.argv[1])) as store:
        target = facts.target_in(Path(sys.argv[2]))
        await store.create("20260101-dead00", facts.request(target), target)
        number = 0
        while True:
            await store.record("20260101-dead00", CandidateGenerated(candidate=facts.candidate(f"c{number}")))
            print(number, flush=True)
            number += 1

anyio.run(main)
"""


def _record_until_killed(results: Path, folder: Path) -> int:
    """The number of the last candidate that the killed process had recorded for certain."""
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(results), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as process:
        last = -1
        for line in process.stdout or ():
            last = int(line)
            if last == 7:
                os.kill(process.pid, signal.SIGKILL)
    return last


async def test_sigkill_loses_nothing_that_was_recorded(results: Path, tmp_path: Path) -> None:
    last = _record_until_killed(results, tmp_path)
    with open_store(Settings(results=str(results))) as store:
        stored = await store.load("dead00")
        await store.record(stored.run_id, CandidateGenerated(candidate=facts.candidate("after")))
    recorded = [item.id for item in stored.candidates]
    assert recorded[: last + 1] == [f"c{number}" for number in range(last + 1)]
    assert last >= 7
