"""What an editor offers after a run whose results are not simply good: it never selects what is worse or not proven."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from codeens_server.config.settings import Settings
from codeens_server.domain.document import RankedResult, RunDocument
from codeens_server.domain.measurement import Interval, Memory
from codeens_server.domain.target import Target
from codeens_server.domain.terms import ORIGINAL
from codeens_server.domain.verdict import Verdict
from codeens_server.run.events import RunFinished
from codeens_server.store.opening import open_store
from codeens_server.workspace.find import find_target
from tests.sandbox_backends.machine import why_not
from tests.server import facts
from tests.server.lsp.editor import Editor, capabilities, editor
from tests.server.lsp.workspaces import Folders

pytestmark = pytest.mark.anyio

TIMES = "\N{MULTIPLICATION SIGN}"
SLOWER, UNPROVEN = "20260101-aaaaaa", "20260102-bbbbbb"


def slower(row: RankedResult) -> RankedResult:
    """A row that passed, and is worse than the original in all that was measured."""
    speed = Interval(ratio=0.61, low=0.55, high=0.7, original_s=0.1, candidate_s=0.2, inputs=120, rounds=5)
    return replace(row, measurement=replace(row.measurement, speed=speed, memory=Memory(peak_bytes=19000, ratio=9.3)))


def unproven(row: RankedResult) -> RankedResult:
    """A row that nothing but other answers speaks for."""
    verdict: Verdict = replace(row.verdict, evidence="agreement", tests_passed=0, tests_total=0)
    return replace(row, verdict=verdict)


def documents(target: Target) -> list[RunDocument]:
    """Runs of one function: one that keeps the original, and one whose best is not proven."""
    worse = facts.run_document(SLOWER, target)
    weak = facts.run_document(UNPROVEN, target)
    return [
        replace(
            worse,
            results=(slower(worse.results[0]), *worse.results[1:]),
            best=ORIGINAL,
            headline="keep the original: no candidate is measurably better",
        ),
        replace(weak, results=(unproven(weak.results[0]), *weak.results[1:])),
    ]


@pytest.fixture(scope="module")
async def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    made = Folders(tmp_path_factory.mktemp("advice"))
    made.module.write_text(facts.SOURCE, encoding="utf-8")
    target = find_target(f"{made.module}::total", cwd=made.workspace)
    with open_store(Settings(results=str(made.results))) as store:
        for document in documents(target):
            await facts.keep(store, [*facts.found(target, document.run_id), RunFinished(run=document)])
    return made


@pytest.fixture
async def opened(folders: Folders) -> AsyncGenerator[Editor]:
    async with editor(folders.workspace, home=folders.home, can=capabilities(runs=True)) as made:
        made.open(folders.uri, facts.SOURCE)
        yield made


@pytest.mark.parametrize(
    ("run_id", "told", "applying"),
    [
        (
            SLOWER,
            "keep the original: no candidate is measurably better",
            f"(slower 0.61{TIMES} [0.55, 0.70], more memory 9.3{TIMES}): 34/34 tests and 120 inputs equal",
        ),
        (
            UNPROVEN,
            "maker/small · performance is 2.31 times as fast",
            f"(154 inputs equal, by agreement, not proven): 2.3{TIMES} [2.2, 2.5]",
        ),
    ],
)
async def test_what_the_run_advises_stands_first_and_nothing_worse_or_unproven_is_preferred(
    opened: Editor, folders: Folders, run_id: str, told: str, applying: str
) -> None:
    await opened.command("codeens.showRun", {"runId": run_id})
    actions = await opened.actions(folders.uri, opened.line_of(folders.uri, "def total"))
    assert actions[0].title.startswith(f"Results of `total`: {told}")
    assert actions[0].command is not None
    assert actions[0].command.command == "codeens.showRun"
    assert actions[1].title == "Run ensemble on `total`"
    assert not any(action.is_preferred for action in actions)
    offered = [action.title for action in actions if "Apply" in action.title]
    assert offered[0].startswith(f"1. Apply maker/small · performance (c1) {applying}")


async def test_of_runs_made_elsewhere_the_one_looked_at_last_stands_at_the_function(
    opened: Editor, folders: Folders
) -> None:
    line = opened.line_of(folders.uri, "def total")
    for run_id, told in ((UNPROVEN, "maker/small"), (SLOWER, "keep the original"), (UNPROVEN, "maker/small")):
        await opened.command("codeens.showRun", {"runId": run_id})
        assert (await opened.actions(folders.uri, line))[0].title.startswith(f"Results of `total`: {told}")


async def test_functions_that_were_not_run_have_a_lens_where_the_editor_wants_it(folders: Folders) -> None:
    options = {"settings": {"editor": {"lensBeforeRun": True}}}
    async with editor(folders.workspace, home=folders.home, options=options) as made:
        made.open(folders.uri, "def one():\n    return 1\n\n\ndef later():\n    ...\n\n\ndef kept():\n    yield 1\n")
        said = [lens.command for lens in await made.lenses(folders.uri) if lens.command]
        titles = [(each.title, cast("Any", each.arguments)[0]["function"]) for each in said]
        assert titles[:2] == [("codeens: improve", "one"), ("codeens: implement", "later")]


async def test_whom_a_run_could_ask_is_listed_for_a_picker(folders: Folders) -> None:
    own = {"models": [{"name": "mine", "model": "openai/x", "apiBase": "http://127.0.0.1:9/v1"}], "goal": "speed"}
    secrets = {"OPENAI_API_KEY": "sk-never-shown"}
    async with editor(folders.workspace, home=folders.home, configuration=own, environment=secrets) as made:
        made.open(folders.uri, facts.SOURCE)
        listed = await made.command("codeens.listModels", {"uri": folders.uri})
    models = {model["name"]: model for model in listed["models"] if model["group"] != "local"}
    assert listed["goal"] == "speed"
    assert models["mine"]["isChosen"]
    assert models["mine"]["setting"] == own["models"][0]
    assert [(model["group"], model["detail"], model["lacksKey"]) for model in models.values()][:3] == [
        ("configured", "http://127.0.0.1:9/v1", False),
        ("provider", "OPENAI_API_KEY is known", False),
        ("provider", "ANTHROPIC_API_KEY is not set", True),
    ]
    assert "sk-never-shown" not in str(listed)


@pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}")
async def test_the_functions_of_a_file_that_its_tests_spend_their_time_in_are_found(tmp_path: Path) -> None:
    made = Folders(tmp_path)
    work = "    return sum(number * number % 7 for number in range({}))"
    source = f"def slow(times):\n{work.format('times * 300')}\n\n\ndef quick(times):\n{work.format('times')}\n"
    made.module.write_text(source, encoding="utf-8")
    test = "import sums\n\n\ndef test_all():\n    assert sums.slow(9000) > sums.quick(9000)\n"
    (made.workspace / "test_sums.py").write_text(test, encoding="utf-8")
    async with editor(made.workspace, home=made.home) as opened:
        opened.open(made.uri, source)
        found = await opened.command("codeens.findSlowFunctions", {"uri": made.uri})
        below = await opened.command("codeens.findSlowFunctions", {"uri": made.uri, "firstLine": 4})
    assert found["program"] == "pytest test_sums.py"
    assert [place["function"] for place in found["functions"]] == ["slow"]
    assert found["functions"][0]["text"].endswith("% of the time")
    assert (found["functions"][0]["line"], below["functions"]) == (0, [])
