"""What an editor shows after a run: one real run, with answers of the editor's own model, looked at from all sides."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.sandbox_backends.machine import why_not
from tests.server.lsp.editor import Editor, capabilities, editor
from tests.server.lsp.workspaces import MODULE, Folders, one_right_one_wrong

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timed,
    pytest.mark.scene,
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]


def read(uri: str) -> str:
    """What is in a file."""
    return Path(uri.removeprefix("file://")).read_text(encoding="utf-8")


class Ran:
    """An editor after a run of `total`."""

    def __init__(self, folders: Folders, editor: Editor, answer: dict[str, Any]) -> None:
        self.folders = folders
        self.editor = editor
        self.answer = answer
        self.run_id: str = answer["runId"]

    @property
    def uri(self) -> str:
        return self.folders.uri

    @property
    def line(self) -> int:
        return self.editor.line_of(self.uri, "def total")

    def restore(self) -> None:
        """The document as it was when it was run."""
        self.editor.change(self.uri, MODULE)


@pytest.fixture(scope="module")
async def ran(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Ran]:
    folders = Folders(tmp_path_factory.mktemp("ran"))
    can = capabilities(runs=True, generate=True)
    async with editor(folders.workspace, home=folders.home, can=can) as opened:
        opened.answer = one_right_one_wrong
        opened.open(folders.uri, MODULE)
        answer = await opened.run(folders.uri, function="total", goal="speed")
        yield Ran(folders, opened, answer)


async def test_the_answer_to_a_run_names_the_best(ran: Ran) -> None:
    assert ran.answer["best"].startswith("editor-performance")
    assert "editor · performance is best" in ran.answer["headline"]


async def test_the_editors_model_was_asked_once_for_each_variant(ran: Ran) -> None:
    assert len(ran.editor.asked) == 2
    first = ran.editor.asked[0]
    assert first["model"] is None
    assert {message["role"] for message in first["messages"]} <= {"system", "user"}
    assert "def total" in "".join(message["content"] for message in first["messages"])
    assert first["maxTokens"] > 0


async def test_the_run_was_shown_from_its_begin_to_its_end(ran: Ran) -> None:
    views = ran.editor.views
    assert [view["status"] for view in views] == ["running"] * (len(views) - 1) + ["finished"]
    assert (views[0]["rows"], views[-1]["progress"]["executed"]) == ([], 2)
    done = [view["progress"]["done"] for view in views]
    assert done == sorted(done)
    assert {view["run_id"] for view in views} == {ran.run_id}
    assert {each["uri"] for each in ran.editor.news} == {ran.uri}
    assert ran.editor.news[-1]["spent"] == "$0.00"


async def test_progress_begins_counts_and_ends(ran: Ran) -> None:
    reports = ran.editor.client.progress_reports["run-0"]
    assert isinstance(reports[0], types.WorkDoneProgressBegin)
    assert reports[0].cancellable
    assert reports[0].title == "codeens: total"
    messages = [report.message or "" for report in reports if isinstance(report, types.WorkDoneProgressReport)]
    assert any("2/2 generated, 2 executed, best so far: editor · performance" in message for message in messages)
    assert isinstance(reports[-1], types.WorkDoneProgressEnd)


async def test_the_winner_is_offered_first_with_its_proof_and_is_preferred(ran: Ran) -> None:
    first = (await ran.editor.actions(ran.uri, ran.line))[0]
    assert first.title.startswith("1. Apply editor · performance: ")
    assert "tests and" in first.title
    assert first.title.endswith(", +2 \N{MINUS SIGN}5 lines")
    assert first.kind == "refactor.rewrite.codeens.apply"
    assert first.is_preferred


async def test_a_rejected_candidate_is_disabled_with_its_reason(ran: Ran) -> None:
    rejected = [action for action in await ran.editor.actions(ran.uri, ran.line) if action.disabled]
    assert [action.title for action in rejected] == ["Apply editor · baseline"]
    assert rejected[0].disabled is not None
    assert "differs on" in rejected[0].disabled.reason
    assert "for instance total([" in rejected[0].disabled.reason
    assert not rejected[0].is_preferred


async def test_only_the_kinds_asked_for_are_answered(ran: Ran) -> None:
    edits = await ran.editor.actions(ran.uri, ran.line, only=["refactor.rewrite.codeens.apply"])
    assert {action.kind for action in edits} == {"refactor.rewrite.codeens.apply"}
    assert len(edits) == 2
    assert await ran.editor.actions(ran.uri, ran.line, only=["source.organizeImports"]) == []
    assert await ran.editor.actions(ran.uri, ran.line, only=["refactor.rewrite.codeensX"]) == []
    assert len(await ran.editor.actions(ran.uri, ran.line, only=["refactor"])) == 6


async def test_lenses_say_what_came_of_it_and_what_can_be_done(ran: Ran) -> None:
    ran.restore()
    lenses = await ran.editor.lenses(ran.uri)
    titles = [lens.command.title for lens in lenses if lens.command]
    assert titles[0].startswith("codeens: 1/2 passed · best ")
    assert titles[1:] == ["apply", "diff", "why"]
    assert {lens.range.start.line for lens in lenses} == {ran.line}
    assert ran.editor.refreshed > 0


async def test_a_hover_over_the_first_line_shows_the_evidence(ran: Ran) -> None:
    text = await ran.editor.hover(ran.uri, ran.line)
    assert "| 0 | original |" in text
    assert "| 1 | **editor · performance** | passed: 2/2 tests and" in text
    assert "| editor · baseline | failed:" in text.replace("|  |", "|")
    assert await ran.editor.hover(ran.uri, ran.line + 8) == ""


async def test_the_edit_of_an_action_is_resolved_with_its_import_and_is_one_step(ran: Ran) -> None:
    ran.restore()
    first = (await ran.editor.actions(ran.uri, ran.line))[0]
    assert first.edit is None
    assert first.command is None
    resolved = await ran.editor.client.code_action_resolve_async(first)
    assert resolved.edit is not None
    assert resolved.edit.document_changes is not None
    (change,) = resolved.edit.document_changes
    assert isinstance(change, types.TextDocumentEdit)
    assert change.text_document.version == ran.editor.versions[ran.uri]
    ran.editor.make(resolved.edit)
    text = ran.editor.texts[ran.uri]
    assert "from __future__ import annotations\nfrom operator import mul\n" in text
    assert "    return sum(map(mul, numbers, numbers))\n" in text
    assert text.count("def total") == 1
    assert text.endswith(MODULE[MODULE.index("class Account") :])
    ran.restore()


async def test_the_apply_command_has_the_editor_make_the_same_edit(ran: Ran) -> None:
    ran.restore()
    steps = ran.editor.steps
    answer = await ran.editor.command("codeens.apply", {"runId": ran.run_id})
    assert answer["candidate"].startswith("editor-performance")
    assert ran.editor.steps == steps + 1
    assert "sum(map(mul, numbers, numbers))" in ran.editor.texts[ran.uri]
    ran.restore()


async def test_a_function_that_moved_is_followed(ran: Ran) -> None:
    ran.editor.change(
        ran.uri,
        MODULE.replace("class Account", "EXTRA = 1\n\n\nclass Account").replace(
            '"""Sums."""\n', '"""Sums."""\n\n# more\n# above\n'
        ),
    )
    await ran.editor.command("codeens.apply", {})
    assert "# above\n\nfrom __future__ import annotations\nfrom operator import mul" in ran.editor.texts[ran.uri]
    assert "EXTRA = 1" in ran.editor.texts[ran.uri]
    ran.restore()


async def test_a_function_that_was_changed_since_is_not_overwritten(ran: Ran) -> None:
    changed = MODULE.replace("result = 0\n", "result = 0  # here it begins\n")
    ran.editor.change(ran.uri, changed)
    with pytest.raises(Exception, match=r"total was changed since the run .*; nothing was applied"):
        await ran.editor.command("codeens.apply", {"runId": ran.run_id})
    assert ran.editor.texts[ran.uri] == changed
    titles = [lens.command.title for lens in await ran.editor.lenses(ran.uri) if lens.command]
    assert titles == ["codeens: changed since the run", "run again"]
    assert not [a for a in await ran.editor.actions(ran.uri, ran.line) if a.title.startswith("1. Apply")]
    ran.restore()


async def test_what_became_a_dead_twin_is_not_edited_and_of_equal_twins_the_last_one_is(ran: Ran) -> None:
    twin = MODULE[MODULE.index("def total") : MODULE.index("\n\n\n", MODULE.index("def total"))]
    ran.editor.change(ran.uri, f"{MODULE}\n\ndef total(numbers):\n    return 0\n")
    with pytest.raises(Exception, match=r"total was changed since the run .*; nothing was applied"):
        await ran.editor.command("codeens.apply", {"runId": ran.run_id})
    ran.editor.change(ran.uri, f"{MODULE}\n\n{twin}\n")
    await ran.editor.command("codeens.apply", {"runId": ran.run_id})
    first, last = ran.editor.texts[ran.uri].split("def total")[1:]
    assert "sum(map(mul" not in first
    assert "sum(map(mul" in last
    ran.restore()


async def test_an_edit_that_the_editor_refuses_is_told_with_its_reason(ran: Ran) -> None:
    ran.restore()
    ran.editor.refuses_edits = "the file is read-only"
    with pytest.raises(Exception, match="did not make the edit: the file is read-only"):
        await ran.editor.command("codeens.apply", {})
    ran.editor.refuses_edits = ""
    assert ran.editor.texts[ran.uri] == MODULE


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"candidate": "nobody"}, "has no candidate 'nobody'"),
        ({"candidate": "original"}, "stays best"),
        ({"candidate": "editor-baseline-0"}, "was rejected"),
        ({"runId": "20200101-abc"}, "no run has an id that begins with"),
        ({"runID": "x"}, "unknown field"),
        ({"runId": 7}, "Expected `str"),
        (["x"], "Expected `object`"),
    ],
)
async def test_what_can_not_be_applied_is_refused_with_the_reason(ran: Ran, arguments: object, why: str) -> None:
    with pytest.raises(Exception, match=why):
        await ran.editor.command("codeens.apply", arguments)


async def test_a_diff_is_given_as_text_and_shown(ran: Ran) -> None:
    answer = await ran.editor.command("codeens.diff", {"runId": ran.run_id})
    assert answer["diff"].startswith("--- a/sums.py\n+++ b/sums.py\n")
    assert answer["before"] == MODULE
    assert "sum(map(mul" in answer["after"]
    shown = ran.editor.client.shown_documents[-1]
    assert read(shown.uri) == answer["diff"]


async def test_the_report_is_given_as_a_document_and_shown(ran: Ran) -> None:
    answer = await ran.editor.command("codeens.showRun", {"runId": ran.run_id})
    assert answer["run"]["run_id"] == ran.run_id
    assert answer["report"].startswith("# codeens: total\n")
    assert "## Where candidates differ" in answer["report"]
    assert "total([-1])" in answer["report"]
    shown = ran.editor.client.shown_documents[-1]
    assert read(shown.uri) == answer["report"]
    assert shown.uri.startswith(ran.folders.results.as_uri())


async def test_nothing_was_written_into_the_workspace(ran: Ran) -> None:
    names = {str(path.relative_to(ran.folders.workspace)) for path in ran.folders.workspace.rglob("*")}
    assert names == {"pyproject.toml", "sums.py", "test_sums.py"}


async def test_an_input_on_which_candidates_differ_is_pinned_as_a_test(ran: Ran) -> None:
    ran.restore()
    uri = (ran.folders.workspace / "test_sums.py").as_uri()
    before = ran.editor.open(uri, (ran.folders.workspace / "test_sums.py").read_text(encoding="utf-8"))
    answer = await ran.editor.command("codeens.pinInputAsTest", {"runId": ran.run_id, "number": 1}, token="keep")
    assert answer["uri"] == uri == before
    text = ran.editor.texts[uri]
    assert text.startswith("from sums import total\n")
    assert "def test_total_on_pinned_input_1():\n    argument_0 = [-1]\n    assert total(argument_0) == 1\n" in text
    ends = [view for view in ran.editor.views if view["status"] == "finished"]
    assert len(ends) == 2, "the candidates are judged again"
    assert len(ran.editor.asked) == 2, "and no model is asked"
    with pytest.raises(Exception, match="on which candidates differ, not 9"):
        await ran.editor.command("codeens.pinInputAsTest", {"runId": ran.run_id, "number": 9})


async def test_the_same_run_is_ranked_for_another_goal_without_running_anything(ran: Ran) -> None:
    told = len(ran.editor.news)
    answer = await ran.editor.command("codeens.rerank", {"runId": ran.run_id, "goal": "readability"})
    view = answer["view"]
    assert view["goal"] == "readability"
    numbers = {row["id"]: row["number"] for row in view["rows"]}
    assert numbers == {"original": None, "editor-performance-0": 1, "editor-baseline-0": None}
    assert len(ran.editor.news) == told
