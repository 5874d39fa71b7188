from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace

from codeens_server.config.settings import Settings
from codeens_server.domain.document import RankedResult
from codeens_server.domain.verdict import Verdict
from codeens_server.errors import InputError, RunError
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CasePinned,
    GenerationFailed,
    RunResumed,
    RunStopped,
    SandboxFailed,
    StoredEvent,
)
from codeens_server.run.log import RunLog
from codeens_server.run.state import RunState
from codeens_server.store.artifacts import Artifacts
from codeens_server.store.documents import from_json
from codeens_server.store.opening import open_store
from codeens_server.store.runs import RunStore
from tests.server import facts

pytestmark = pytest.mark.anyio


def _all_below(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]


async def _begin(store: RunStore, folder: Path, run_id: str = "20260101-aaaaaa") -> RunState:
    return await facts.keep(store, facts.found(facts.target_in(folder), run_id))


async def test_a_new_store_gives_back_the_events_that_were_appended(
    store: RunStore, settings: Settings, tmp_path: Path
) -> None:
    state = await _begin(store, tmp_path)
    with open_store(settings) as again:
        events = await again.events(state.run_id)
        loaded = await again.load(state.run_id)
    assert events == facts.found(facts.target_in(tmp_path))
    assert (loaded.seq, loaded.request, loaded.target) == (len(events), state.request, state.target)
    assert list(loaded.answers) == ["c1", "c2", "c3"]
    assert loaded.document is None


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("SUMS.PY::Tot", True),
        ("aaaA", True),
        ("Straße_1%", True),
        ("STRAßE_1%", True),
        ("straSSe", True),
        ("strase", False),
        ("_1_", False),
    ],
)
async def test_runs_are_found_by_a_part_of_their_names_whatever_their_capitals(
    store: RunStore, tmp_path: Path, text: str, is_found: bool
) -> None:
    folder = tmp_path / "straße_1%"
    folder.mkdir()
    state = await _begin(store, folder)
    found = (await store.statistics.runs(text=text)).runs
    assert [line.run_id for line in found] == [state.run_id] * is_found


async def test_a_later_verdict_replaces_the_earlier(store: RunStore, tmp_path: Path) -> None:
    state = await _begin(store, tmp_path)
    await facts.add(store, state, CandidateJudged(candidate_id="c1", verdict=Verdict(status="timeout")))
    loaded = await store.load(state.run_id)
    assert loaded.verdicts["c1"].status == "timeout"
    assert loaded.outcomes["c1"] == ()


async def test_failures_of_models_and_sandboxes_are_kept(store: RunStore, tmp_path: Path) -> None:
    state = await _begin(store, tmp_path)
    failures = (
        GenerationFailed(call="m-v-0", model="m", variant="v", why="429"),
        SandboxFailed(candidate_id="c3", why="bwrap was killed"),
    )
    await facts.add(store, state, *failures)
    assert await store.events(state.run_id, after=state.seq - 2) == list(failures)
    assert (await store.load(state.run_id)).failures == ("m · v: 429", "c3: not run: bwrap was killed")


async def test_an_ended_run_is_given_back_as_its_document(store: RunStore, tmp_path: Path) -> None:
    state = await _begin(store, tmp_path)
    end = facts.finished(state.run_id, state.target)
    await facts.add(store, state, end)
    assert (await store.load(state.run_id)).document == end.run


async def test_of_two_writers_that_go_on_with_the_same_run_one_is_refused(store: RunStore, tmp_path: Path) -> None:
    first = await _begin(store, tmp_path)
    second = await store.load(first.run_id)
    await facts.add(store, first, RunResumed())
    with pytest.raises(RunError, match="another process went on with run 20260101-aaaaaa") as refused:
        await facts.add(store, second, RunStopped(reason="cancelled"))
    assert refused.value.code == "run_taken"
    assert (await store.events(first.run_id))[-1] == RunResumed()


async def test_a_run_is_followed_while_another_store_writes_it(
    store: RunStore, settings: Settings, tmp_path: Path
) -> None:
    state = await _begin(store, tmp_path)
    followed: list[StoredEvent] = []

    async def follow() -> None:
        with open_store(settings) as other:
            followed.extend([event async for event in other.follow(state.run_id, after=2)])

    end = facts.finished(state.run_id, state.target)
    async with anyio.create_task_group() as group:
        group.start_soon(follow)
        await facts.add(store, state, CandidateGenerated(candidate=facts.candidate("c4", "def total(items): 1\n")))
        await facts.add(store, state, end)
    assert followed == (await store.events(state.run_id))[2:]
    assert followed[-1] == end


async def test_artifacts_hold_what_was_asked_answered_and_run(store: RunStore, results: Path, tmp_path: Path) -> None:
    state = await _begin(store, tmp_path)
    await facts.add(store, state, facts.finished(state.run_id, state.target))
    folder = Artifacts(results).candidate_folder(state.run_id, "c1")
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
    state = await _begin(store, tmp_path)
    for name in ("../../escape", "/etc/x", "..", "a/b\x00c", "é" * 300, ""):
        await facts.add(store, state, CandidateGenerated(candidate=facts.candidate(name)))
        folder = Artifacts(results).candidate_folder(state.run_id, name)
        assert folder.parent == results / f"run_{state.run_id}"
        assert (folder / "solution.py").is_file()


async def test_a_candidate_that_does_not_fit_its_module_has_no_payload(
    store: RunStore, results: Path, tmp_path: Path
) -> None:
    state = await _begin(store, tmp_path)
    odd = facts.candidate("c9")
    clash = replace(odd, replacement=replace(odd.replacement, helpers=("def total(): ...",)))
    await facts.add(store, state, CandidateGenerated(candidate=clash))
    assert not (Artifacts(results).candidate_folder(state.run_id, "c9") / "payload.py").exists()


async def test_lone_surrogates_of_hostile_code_do_not_stop_the_store(store: RunStore, tmp_path: Path) -> None:
    state = await _begin(store, tmp_path)
    verdict = replace(facts.failed(), reason="said '\ud800é'")
    hostile = replace(facts.candidate("c8"), response="\udfff")
    judged = CandidateJudged(candidate_id="c1", verdict=verdict)
    await facts.add(store, state, judged, CandidateGenerated(candidate=hostile))
    loaded = await store.load(state.run_id)
    assert loaded.verdicts["c1"].reason == "said '?é'"
    assert loaded.answers["c8"].response == "?"


async def test_a_run_is_found_by_the_beginning_of_its_id_or_of_what_follows_the_date(
    store: RunStore, tmp_path: Path
) -> None:
    await _begin(store, tmp_path, "20260101-aaaaaa")
    await _begin(store, tmp_path, "20260102-bbbbbb")
    assert (await store.load("20260102")).run_id == "20260102-bbbbbb"
    assert (await store.load("aaaaaa")).run_id == (await store.load("aa")).run_id == "20260101-aaaaaa"
    with pytest.raises(InputError, match=r"beginning of 2 runs: 20260102-bbbbbb, 20260101-aaaaaa"):
        await store.load("2026")
    with pytest.raises(InputError, match="The latest is 20260102-bbbbbb") as missing:
        await store.load("x%")
    assert missing.value.code == "no_such_run"


async def test_runs_are_listed_newest_first_with_their_state(store: RunStore, tmp_path: Path) -> None:
    first = await _begin(store, tmp_path, "20260101-aaaaaa")
    second = await _begin(store, tmp_path, "20260102-bbbbbb")
    await facts.add(store, first, facts.finished(first.run_id, first.target))
    lines = await store.list_runs(10)
    assert [line.run_id for line in lines] == [second.run_id, first.run_id]
    assert [(line.ended, line.stopped) for line in lines] == [(False, None), (True, None)]
    assert [line.candidates for line in lines] == [3, 3]
    assert lines[1].headline.startswith("maker/small")
    assert lines[0].created.utcoffset() is not None
    assert len(await store.list_runs(1)) == 1


async def test_a_run_that_is_gone_on_with_is_listed_as_not_ended(store: RunStore, tmp_path: Path) -> None:
    state = await _begin(store, tmp_path)
    await facts.add(store, state, RunStopped(reason="budget"), facts.finished(state.run_id, state.target))
    (stopped,) = await store.list_runs(10)
    await facts.add(store, state, RunResumed())
    (resumed,) = await store.list_runs(10)
    assert ((stopped.ended, stopped.stopped), (resumed.ended, resumed.stopped)) == ((True, "budget"), (False, None))
    assert resumed.headline == ""


async def test_pinned_cases_come_back_in_order_and_once(store: RunStore, tmp_path: Path) -> None:
    state = await _begin(store, tmp_path)
    await facts.add(store, state, *(CasePinned(case=facts.case(identity)) for identity in ("k2", "k1", "k2")))
    loaded = await store.load(state.run_id)
    assert loaded.evidence is not None
    assert [case.id for case in loaded.evidence.cases] == ["g1", "k1", "k2"]


async def test_a_cancelled_caller_still_has_its_event_committed(store: RunStore, tmp_path: Path) -> None:
    state = await _begin(store, tmp_path)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await facts.add(store, state, CandidateGenerated(candidate=facts.candidate("late")))
    assert list((await store.load(state.run_id)).answers)[-1] == "late"


async def test_events_of_many_tasks_are_committed_each_once_and_in_the_order_they_are_shown(
    store: RunStore, tmp_path: Path
) -> None:
    state = await _begin(store, tmp_path)
    log = RunLog(state, store)
    names = [f"n{number}" for number in range(20)]
    async with anyio.create_task_group() as group:
        for name in names:
            group.start_soon(log.emit, CandidateGenerated(candidate=facts.candidate(name)))
    shown = [await log.read(position) for position in range(20)]
    assert shown == (await store.events(state.run_id))[-20:]
    assert list((await store.load(state.run_id)).answers) == ["c1", "c2", "c3", *names]


_RECORDS = """
import sys
from pathlib import Path
import anyio
from codeens_server.config.settings import Settings
from codeens_server.run.events import CandidateGenerated
from codeens_server.store.opening import open_store
from tests.server import facts

async def main():
    with open_store(Settings(results=sys.argv[1], database_url=sys.argv[2] or None)) as store:
        target = facts.target_in(Path(sys.argv[3]))
        state = await facts.keep(store, facts.found(target, sys.argv[4])[:2])
        number = 0
        while True:
            await facts.add(store, state, CandidateGenerated(candidate=facts.candidate(f"c{number}")))
            print(number, flush=True)
            number += 1

anyio.run(main)
"""


@contextmanager
def _recording(settings: Settings, folder: Path, run_id: str) -> Generator[subprocess.Popen[str]]:
    """A process that records one candidate after the other."""
    own = folder / run_id
    own.mkdir()
    arguments = [settings.results or "", settings.database_url or "", str(own), run_id]
    with subprocess.Popen(
        [sys.executable, "-c", _RECORDS, *arguments], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _last(process: subprocess.Popen[str], until: int) -> int:
    """Kill the process once it has recorded so many; return the last that it had recorded for certain."""
    last = -1
    for line in process.stdout or ():
        last = int(line)
        if last == until:
            process.kill()
    return last


async def test_sigkill_of_concurrent_writers_loses_nothing_that_was_recorded(
    settings: Settings, tmp_path: Path
) -> None:
    ids = ["20260101-dead00", "20260101-dead01", "20260101-dead02"]
    with ExitStack() as running:
        writers = [running.enter_context(_recording(settings, tmp_path, run_id)) for run_id in ids]
        lasts = [_last(process, 7 + number) for number, process in enumerate(writers)]
    kept: list[int] = []
    with open_store(settings) as store:
        for run_id, last in zip(ids, lasts, strict=True):
            state = await store.load(run_id)
            recorded = list(state.answers)
            await facts.add(store, state, CandidateGenerated(candidate=facts.candidate("after")))
            assert recorded[: last + 1] == [f"c{number}" for number in range(last + 1)]
            kept.append(len(state.answers))
        (line,) = await store.statistics.systems(str(tmp_path))
    assert min(lasts) >= 7
    assert (line.runs, line.answers) == (len(ids), sum(kept))


async def test_many_runs_are_written_at_once_without_waiting_for_a_lock(settings: Settings, tmp_path: Path) -> None:
    async def write(number: int) -> None:
        with open_store(settings) as store:
            state = await _begin(store, tmp_path, f"20260101-{number:06}")
            for name in ("x", "y", "z"):
                await facts.add(store, state, CandidateGenerated(candidate=facts.candidate(name)))

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(write, number)
    with open_store(settings) as store:
        assert [line.candidates for line in await store.list_runs(10)] == [6] * 8
        (line,) = await store.statistics.systems()
    assert (line.runs, line.answers) == (8, 48)
