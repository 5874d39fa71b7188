"""Runs that the session did not make: from the store, where the command line or an earlier session put them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from codeens_server.config.settings import Settings
from codeens_server.store.opening import open_store
from codeens_server.workspace.find import find_target
from tests.server import facts
from tests.server.lsp.editor import Editor, capabilities, editor
from tests.server.lsp.workspaces import Folders

pytestmark = pytest.mark.anyio

DONE = "20260101-aaaaaa"
UNFINISHED = "20260102-bbbbbb"


async def store_runs(folders: Folders) -> None:
    """Put a run of `total` that is done, and one that is not, where a codeens of this user keeps them."""
    folders.module.write_text(facts.SOURCE, encoding="utf-8")
    target = find_target(f"{folders.module}::total", cwd=folders.workspace)
    with open_store(Settings(results=str(folders.results))) as store:
        for run_id in (DONE, UNFINISHED):
            ending = [facts.finished(DONE, target)] if run_id == DONE else []
            await facts.keep(store, [*facts.found(target, run_id), *ending])


@pytest.fixture(scope="module")
async def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    made = Folders(tmp_path_factory.mktemp("recalled"))
    await store_runs(made)
    return made


@pytest.fixture(scope="module")
async def opened(folders: Folders) -> AsyncGenerator[Editor]:
    can = capabilities(runs=True)
    async with editor(folders.workspace, home=folders.home, can=can) as made:
        made.open(folders.uri, facts.SOURCE)
        yield made


@pytest.fixture
def restored(opened: Editor, folders: Folders) -> Editor:
    opened.change(folders.uri, facts.SOURCE)
    return opened


async def titles(editor: Editor, uri: str) -> list[str]:
    return [lens.command.title for lens in await editor.lenses(uri) if lens.command]


async def rerank(editor: Editor, **arguments: object) -> dict[str, Any]:
    return await editor.command("codeens.rerank", {"runId": DONE, **arguments})


async def test_a_run_of_the_store_is_shown_and_from_then_on_stands_above_its_function(
    restored: Editor, folders: Folders
) -> None:
    answer = await restored.command("codeens.showRun", {"runId": "20260101"})
    assert answer["uri"] == folders.uri
    assert answer["run"]["run_id"] == DONE
    assert answer["report"].startswith("# codeens: total\n")
    assert "+    return sum(items)" in answer["report"]
    assert await titles(restored, folders.uri) == [
        "codeens: 1/2 passed · best 2.3\N{MULTIPLICATION SIGN} [2.2, 2.5]",
        "apply",
        "diff",
        "why",
    ]
    line = restored.line_of(folders.uri, "def total")
    first = (await restored.actions(folders.uri, line))[0]
    assert first.title.startswith("1. Apply maker/small · performance (c1): 2.3")


async def test_earlier_runs_stand_above_their_functions_as_soon_as_a_file_is_open(folders: Folders) -> None:
    async with editor(folders.workspace, home=folders.home, can=capabilities(runs=True)) as after_a_restart:
        after_a_restart.open(folders.uri, facts.SOURCE)
        await after_a_restart.refreshes()
        assert (await titles(after_a_restart, folders.uri))[1:] == ["apply", "diff", "why"]
        actions = await after_a_restart.actions(folders.uri, after_a_restart.line_of(folders.uri, "def total"))
        assert actions[0].is_preferred
        listed = (await after_a_restart.command("codeens.listRuns"))["runs"]
    newest, oldest = listed
    assert (newest["runId"], newest["result"], newest["ended"]) == (UNFINISHED, "did not come to an end", False)
    assert (oldest["runId"], oldest["function"], oldest["file"], oldest["goal"]) == (DONE, "total", "sums.py", "speed")
    assert oldest["result"].startswith("maker/small")
    assert datetime.fromisoformat(oldest["time"])


async def test_an_editor_without_lenses_offers_the_report_and_is_told_where_it_is(folders: Folders) -> None:
    can = capabilities()
    assert can.window is not None
    assert can.text_document is not None
    can.text_document.code_lens, can.window.show_document = None, None
    async with editor(folders.workspace, home=folders.home, can=can) as plain:
        plain.open(folders.uri, facts.SOURCE)
        await plain.command("codeens.showRun", {"runId": DONE})
        last = (await plain.actions(folders.uri, plain.line_of(folders.uri, "def total")))[-1]
        assert last.title == "Report on `total`"
        assert last.command is not None
        answer = await plain.command("codeens.showRun", *(last.command.arguments or ()))
        told = plain.client.messages[-1].message
    assert await anyio.Path(told.removeprefix("codeens: see ")).read_text(encoding="utf-8") == answer["report"]


async def test_a_diff_of_the_store_is_of_the_file_as_it_is_now_while_its_function_is_the_same(
    restored: Editor, folders: Folders
) -> None:
    text = facts.SOURCE.replace('"""A module."""', '"""A module that was changed."""\n\nMORE = 1')
    restored.change(folders.uri, text)
    # By a session that has not seen the run before the file was changed.
    async with editor(folders.workspace, home=folders.home) as other:
        other.open(folders.uri, text)
        answer = await other.command("codeens.diff", {"runId": DONE})
    assert answer["before"] == text
    assert answer["after"] == text[: text.index("def total")] + facts.FASTER


async def test_a_rejected_candidate_is_shown_with_its_smallest_counterexample_and_not_applied(
    restored: Editor, folders: Folders
) -> None:
    answer = await restored.command("codeens.diff", {"runId": DONE, "candidate": "c3"})
    assert answer["after"].endswith("def total(items):\n    return 4\n")
    assert (answer["rejected"], answer["counterexample"]) == (
        "total([1, 2]) gave 4, not 3",
        "total([1, 2]): 4, must be 3",
    )
    with pytest.raises(Exception, match="was rejected"):
        await restored.command("codeens.apply", {"runId": DONE, "candidate": "c3"})


async def test_an_applied_run_is_called_applied_until_it_is_undone(restored: Editor, folders: Folders) -> None:
    await restored.command("codeens.apply", {"runId": DONE})
    assert restored.texts[folders.uri].endswith(facts.FASTER)
    place = await restored.command("codeens.applied", {"runId": DONE})
    lines = restored.texts[folders.uri].splitlines()
    assert lines[place["line"] : place["endLine"] + 1] == ["def total(items):", "    return sum(items)"]
    assert place["text"] == "codeens: 2.3\N{MULTIPLICATION SIGN} faster, 34/34 tests and 120 inputs equal"
    applied = "codeens: applied maker/small · performance (c1): 2.3\N{MULTIPLICATION SIGN} [2.2, 2.5]"
    assert await titles(restored, folders.uri) == [applied, "run again"]
    with pytest.raises(Exception, match=r"maker/small · performance is applied already\. Undo that"):
        await restored.command("codeens.apply", {"runId": DONE, "candidate": "c1"})
    restored.change(folders.uri, facts.SOURCE)
    assert await restored.command("codeens.applied", {"runId": DONE}) is None
    assert (await titles(restored, folders.uri))[1:] == ["apply", "diff", "why"]
    restored.change(folders.uri, facts.SOURCE.replace("result = 0", "result = 1"))
    assert await titles(restored, folders.uri) == ["codeens: changed since the run", "run again"]


async def test_what_is_applied_is_known_with_tabs_and_carriage_returns(restored: Editor, folders: Folders) -> None:
    await restored.command("codeens.showRun", {"runId": DONE})
    restored.change(folders.uri, facts.FASTER.replace("    ", "\t").replace("\n", "\r\n"))
    assert (await titles(restored, folders.uri))[0].startswith("codeens: applied maker/small")


async def test_a_run_whose_function_is_gone_is_shown_and_not_applied(restored: Editor, folders: Folders) -> None:
    changed = facts.SOURCE.replace("result = 0", "result = 1")
    restored.change(folders.uri, changed)
    async with editor(folders.workspace, home=folders.home) as other:
        folders.module.write_text(changed, encoding="utf-8")
        answer = await other.command("codeens.showRun", {"runId": DONE})
        assert answer["run"]["best"] == "c1"
        assert "## The best change" not in answer["report"]
        for command in ("codeens.apply", "codeens.diff"):
            with pytest.raises(Exception, match="changed since the run"):
                await other.command(command, {"runId": DONE})
    assert folders.module.read_text(encoding="utf-8") == changed
    folders.module.write_text(facts.SOURCE, encoding="utf-8")


@pytest.mark.parametrize(
    ("run_id", "why"),
    [
        ("20991231-ffffff", "20991231-ffffff"),
        (UNFINISHED, f"run {UNFINISHED} did not come to an end.*Run it again"),
    ],
)
async def test_a_run_that_is_not_there_or_not_done_is_refused(restored: Editor, run_id: str, why: str) -> None:
    for command in ("codeens.showRun", "codeens.apply", "codeens.diff", "codeens.rerank"):
        with pytest.raises(Exception, match=why):
            await restored.command(command, {"runId": run_id})


async def test_weights_rank_at_once_without_a_run(restored: Editor) -> None:
    only = {"correctness": 0, "quality": 0, "speed": 0, "efficiency": 0}
    quick = await rerank(restored, weights={**only, "speed": 1})
    fast = quick["view"]
    assert (fast["run_id"], fast["goal"], fast["best"]) == (DONE, "speed", "c1")
    assert quick["weights"] == {**only, "speed": 1}
    assert quick["by"] == "custom"
    assert [(row["id"], row["number"]) for row in fast["rows"]] == [("original", None), ("c1", 1), ("c3", None)]
    right = (await rerank(restored, goal="correctness", weights={**only, "correctness": 1}))["view"]
    assert right["best"] == "original", "what is as right as the original and nothing else counts is no better"
    assert right["headline"].startswith("keep the original")
    assert right["rows"][1]["score"]["total"] != fast["rows"][1]["score"]["total"]
    again = await rerank(restored)
    assert again["by"] == "speed"
    assert again["weights"] == {"correctness": 30, "quality": 10, "speed": 50, "efficiency": 10}
    assert restored.news == [], "nothing was run"
    shown = await restored.command("codeens.showRun", {"runId": DONE})
    assert shown["run"]["goal"] == "speed", "and nothing was kept"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"weights": {"speed": -1}}, r"codeens\.rerank: Expected `float` >= 0\.0 - at `\$\.weights\.speed`"),
        (
            {"weights": dict.fromkeys(("correctness", "quality", "speed", "efficiency"), 0)},
            "one must be above 0, but they are: correctness 0, quality 0, speed 0, efficiency 0",
        ),
        ({"weights": {"speed": "much"}}, r"codeens\.rerank: Expected `float`, got `str` - at `\$\.weights\.speed`"),
        ({"weights": {"beauty": 1}}, "unknown field `beauty`"),
        ({"goal": "fun"}, "Invalid enum value 'fun'"),
    ],
)
async def test_wrong_weights_are_refused_with_one_sentence(restored: Editor, arguments: Any, why: str) -> None:
    with pytest.raises(Exception, match=why) as refused:
        await rerank(restored, **arguments)
    assert "\n" not in str(refused.value)


async def test_a_stranger_to_the_store_has_no_runs(tmp_path: Path) -> None:
    made = Folders(tmp_path)
    async with editor(made.workspace, home=made.home) as alone:
        for command in ("codeens.rerank", "codeens.showRun", "codeens.apply"):
            with pytest.raises(Exception, match="there was no run yet"):
                await alone.command(command, {})
