"""`list_runs` of a function: what was tried of it in all rounds, from which an agent makes the next one."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from codeens_mcp_tools.tools.fitting import MOST_TOKENS, tokens
from codeens_sandbox_backends.programs import CallInput
from codeens_server.domain.document import RunDocument
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.run.events import CandidateGenerated, CandidateJudged, EvidenceGathered, RunStarted
from tests.e2e.ensemble import by_model
from tests.loopback.server import ModelServer
from tests.mcp_tools.calling import DICT, SORTED
from tests.mcp_tools.conftest import isolated, opened
from tests.mcp_tools.test_generate import configure
from tests.server import facts

pytestmark = [pytest.mark.scene, pytest.mark.anyio]
TARGET = "sums.py::unique"
REVERSED = "def unique(items):\n    return list(dict.fromkeys(reversed(items)))\n"
OWN = "unique([7, 5, 7])"


def given(document: RunDocument) -> list[CallInput]:
    """The inputs of a run that its caller gave."""
    return [case.input for case in document.evidence.cases if case.origin == "given"]


@isolated
async def test_an_agent_drives_rounds_by_what_was_tried_before(
    workspace: Path, environ: dict[str, str], home: Path
) -> None:
    environ["LOOPBACK_KEY"] = "sk-loopback-0123456789abcdef"
    async with ModelServer(answer=by_model({"m": [SORTED["source"], REVERSED]})) as server:
        configure(home, server, "m")
        async with opened(workspace, environ) as (_, caller):
            started = await caller.call("start_ensemble", target=TARGET, variants=["baseline"], calls=[OWN])
            first = (await caller.finished(started.document["run_id"])).document["run_id"]
            before = await caller.call("list_runs", function=TARGET)
            (run,) = before.document["runs"]
            shown = run["candidates"][0]["counterexamples"]
            mended = {**DICT, "parent": run["candidates"][-1]["id"]}
            inputs = [example["call"] for example in shown]
            scored = await caller.call("score", target=TARGET, candidates=[mended], calls=inputs)
            second = scored.document["run_id"]
            documents = [
                msgspec.json.decode(await caller.resource(f"run://{run_id}"), type=RunDocument)
                for run_id in (first, second)
            ]
    async with opened(workspace, environ) as (_, other):
        history = await other.call("list_runs", function=second)
        nothing = await other.call("list_runs", function="sums.py::other")

    asked, again = sorted(run["candidates"], key=lambda tried: tried.get("round", 0))
    assert (asked["model"], asked["variant"], asked["status"]) == ("m", "baseline", "failed")
    assert (again["round"], again["parent"]) == (1, asked["id"])
    assert 0 < len(shown) <= 5
    assert {"call", "expected", "got"} == shown[0].keys()
    assert f"    {shown[-1]['call']}: must {shown[-1]['expected']}, got {shown[-1]['got']}" in before.text
    assert f"score(target='{workspace / 'sums.py'}::unique')" in before.document["summary"]
    assert [len(given(document)) for document in documents] == [1, len(set(inputs))]

    assert [line["run_id"] for line in history.document["runs"]] == [second, first]
    (dict_row,), of_first = (line["candidates"] for line in history.document["runs"])
    assert of_first == run["candidates"]
    assert (dict_row["parent"], dict_row["status"], dict_row["number"]) == (mended["parent"], "passed", 1)
    assert dict_row["speed"] in history.text
    assert re.fullmatch(r"[\d.]+. \[[\d.]+, [\d.]+\]", dict_row["speed"])
    assert not nothing.document["runs"]


async def test_a_history_fits_a_context_window_and_comes_in_pages(workspace: Path, environ: dict[str, str]) -> None:
    target = facts.target_in(workspace)
    cases = tuple(
        Case(id=f"k{number}", origin="given", input=CallInput(args=("x" * (500 + number),)), expected=facts.outcome())
        for number in range(7)
    )
    async with opened(workspace, environ) as (app, caller):
        store = await (await app.session()).opened_store()
        for number in range(4):
            run_id = f"20260101-00000{number}"
            begun = RunStarted(run_id=run_id, request=facts.request(target), target=target)
            wrong = [facts.candidate(f"c{place}", f"def total(items):\n    return {place}\n") for place in range(14)]
            judged = [
                CandidateJudged(candidate_id=item.id, verdict=facts.failed(), outcomes=(facts.outcome(4),) * 7)
                for item in wrong
            ]
            made = [CandidateGenerated(candidate=item) for item in wrong]
            found = EvidenceGathered(evidence=Evidence(mode="improve", cases=cases))
            await facts.keep(store, [begun, found, *made, *judged])
        pages = [await caller.call("list_runs", function=f"{target.path}::total")]
        while (offset := pages[-1].document["next_offset"]) is not None:
            pages.append(await caller.call("list_runs", function=f"{target.path}::total", offset=offset))

    lines = [line for page in pages for line in page.document["runs"]]
    assert [line["run_id"][-1] for line in lines] == ["3", "2", "1", "0"]
    for page in pages:
        assert tokens(page.text) + tokens(msgspec.json.encode(page.document).decode()) <= MOST_TOKENS
        assert "left_out" not in page.document
    for line in lines:
        assert line["candidate_count"] == 14
        assert len(line["candidates"][0]["counterexamples"]) == 5
    assert f"more candidates: run://{lines[0]['run_id']}" in pages[0].text
    assert f"offset={pages[0].document['next_offset']}" in pages[0].document["summary"]


async def test_no_call_is_cut_where_another_one_can_be_shown_as_a_whole(
    workspace: Path, environ: dict[str, str]
) -> None:
    target = facts.target_in(workspace)
    texts = ("x" * 500, "a", "y" * 600, "bb")
    cases = tuple(
        Case(id=f"k{place}", origin="generated", input=CallInput(args=(text,)), expected=facts.outcome())
        for place, text in enumerate(texts)
    )
    wrong = facts.candidate("wrong", "def total(items):\n    return 4\n")
    async with opened(workspace, environ) as (app, caller):
        store = await (await app.session()).opened_store()
        await facts.keep(
            store,
            [
                RunStarted(run_id="20260101-000000", request=facts.request(target), target=target),
                EvidenceGathered(evidence=Evidence(mode="improve", cases=cases)),
                CandidateGenerated(candidate=wrong),
                CandidateJudged(candidate_id="wrong", verdict=facts.failed(), outcomes=(facts.outcome(4),) * 4),
            ],
        )
        listed = await caller.call("list_runs", function=f"{target.path}::total")
    (tried,) = listed.document["runs"][0]["candidates"]
    assert [example["call"] for example in tried["counterexamples"]] == ["total('a')", "total('bb')"]
