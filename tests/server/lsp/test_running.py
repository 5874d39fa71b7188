"""Runs of what an editor holds: unsaved text, documents without a file, cells; and their end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.e2e.program import Process, descendants, until_gone
from tests.quick import HARDLY_TIMED
from tests.sandbox_backends.machine import why_not
from tests.server.lsp.editor import SECONDS, Editor, capabilities, editor, process_of
from tests.server.lsp.workspaces import MODULE, Folders

pytestmark = [
    pytest.mark.scene,
    pytest.mark.anyio,
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]

QUICK = """
max_inputs = 6
max_mutants = 2
variants = ["baseline"]
rewrites = "never"
"""
DOUBLE = "```python\ndef double(number: int) -> int:\n    return number * 2\n```"
SLOW = """\
def double(number: int) -> int:
    result = 0
    for _ in range(2):
        result = result + number
    return result
"""
COMMENTED = SLOW.replace("    result = 0\n", "    # {}\n    result = 0\n")
"""Asks the model anew: what it answered to the same question is kept."""
ENDLESS = "```python\ndef double(number: int) -> int:\n    while True:\n        pass\n```"


def answering(text: str) -> Callable[[object], object]:
    return lambda _asked: {"text": text}


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path, QUICK)


@asynccontextmanager
async def opened(
    of: Folders,
    *,
    can: types.ClientCapabilities | None = None,
    folders: Sequence[Path] = (),
    options: object = None,
) -> AsyncGenerator[Editor]:
    can = can or capabilities(runs=True, generate=True)
    server = (*HARDLY_TIMED, "codeens-server")
    async with editor(of.workspace, home=of.home, can=can, folders=folders, options=options, server=server) as made:
        yield made


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[tuple[Folders, Editor]]:
    of = Folders(tmp_path_factory.mktemp("running"), QUICK)
    async with opened(of) as made:
        yield of, made


@pytest.fixture
def made(shared: tuple[Folders, Editor]) -> Generator[Editor]:
    """The editor of all tests that end what they begin, as it was when it was started."""
    _, made = shared
    yield made
    made.close_all()


@pytest.fixture
def uri(shared: tuple[Folders, Editor]) -> str:
    """A file of its workspace."""
    return shared[0].uri


async def applied(made: Editor, uri: str) -> str:
    """The document after the best was applied."""
    answer = await made.run(uri, function="double")
    (finished,) = [view for view in made.views if view["status"] == "finished"]
    _, row = finished["rows"]
    assert row["status"] == "passed", row["verdict"]
    await made.command("codeens.apply", {"runId": answer["runId"], "candidate": row["id"]})
    return made.texts[uri]


async def test_the_text_in_the_editor_is_run_and_not_the_file(made: Editor, shared: tuple[Folders, Editor]) -> None:
    made.answer = answering(DOUBLE)
    text = "\ufeff# \U0001f600\r\nimport os\r\n\r\n\r\nclass A:\r\n\tx = 1\r\n\r\n\r\n" + SLOW.replace("\n", "\r\n")
    made.open(shared[0].uri, text)
    expected = text[: text.index("def double")] + "def double(number: int) -> int:\r\n    return number * 2\r\n"
    assert await applied(made, shared[0].uri) == expected
    assert shared[0].module.read_text(encoding="utf-8") == MODULE


async def test_a_document_without_a_file_is_run_and_tabs_stay_tabs(
    made: Editor, shared: tuple[Folders, Editor]
) -> None:
    made.answer = answering(DOUBLE)
    uri = made.open("untitled:Untitled-1", SLOW.replace("    ", "\t").rstrip("\n"))
    assert (await applied(made, uri)).replace("\t", "    ") == DOUBLE[10:-4]
    shown = await made.command("codeens.showRun")
    assert shown["run"]["target"]["root"] == str(shared[0].workspace)
    assert not list(shared[0].workspace.glob("*ntitled*"))


async def test_a_cell_of_a_notebook_is_run_with_what_other_cells_define(made: Editor) -> None:
    made.answer = answering(DOUBLE.replace("number * 2", "number * FACTOR"))
    cells = {
        "untitled:nb#1": "%matplotlib inline\nimport os\nFACTOR = 2\nprint(undefined_here)",
        "untitled:nb#2": "# above\n" + SLOW.replace("range(2)", "range(FACTOR)") + "!ls\n",
    }
    kind = types.NotebookCellKind.Code
    notebook = types.NotebookDocument(
        uri="untitled:a%20b.ipynb",
        notebook_type="jupyter-notebook",
        version=1,
        cells=[types.NotebookCell(kind=kind, document=uri) for uri in cells],
    )
    items = [types.TextDocumentItem(uri, "python", 1, text) for uri, text in cells.items()]
    made.client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(notebook, items))
    await made.run("untitled:nb#2", line=2)
    shown = await made.command("codeens.showRun")
    actions = await made.actions("untitled:nb#2", 2)
    action = next(each for each in actions if each.title.startswith("1. Apply editor"))
    resolved = await made.client.code_action_resolve_async(action)
    assert resolved.edit is not None
    changes = list(resolved.edit.document_changes or ())
    assert len(changes) == 1
    change = changes[0]
    assert isinstance(change, types.TextDocumentEdit)
    (edit,) = change.edits
    assert isinstance(edit, types.TextEdit)
    assert (edit.range.start.line, edit.range.end.line) == (1, 6)
    assert edit.new_text == "def double(number: int) -> int:\n    return number * FACTOR\n"
    assert shown["view"]["function"]["file"] == "a b.ipynb \N{MIDDLE DOT} cell 2"
    identifier = types.NotebookDocumentIdentifier("untitled:a%20b.ipynb")
    closed = [types.TextDocumentIdentifier(uri) for uri in cells]
    made.client.notebook_document_did_close(types.DidCloseNotebookDocumentParams(identifier, closed))


async def test_each_folder_has_its_own_settings_and_interpreter(folders: Folders, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "pyproject.toml").write_text("[tool.codeens]\ngoal = 'memory'\n", encoding="utf-8")
    (other / "more.py").write_text(SLOW, encoding="utf-8")
    async with opened(folders, folders=[folders.workspace, other]) as made:
        made.answer = answering(DOUBLE)
        scoped = {"python": "/nowhere/python", "budgetUsd": 0.25, "server": {"path": "x"}, "samples": None}
        made.client.set_configuration({"codeens": scoped}, scope_uri=folders.workspace.as_uri())
        made.open(folders.uri, SLOW)
        with pytest.raises(Exception, match=r"/nowhere/python.* does not name an interpreter"):
            await made.run(folders.uri, function="double")
        uri = made.open((other / "more.py").as_uri(), SLOW)
        await made.run(uri, function="double")
        assert made.views[0]["goal"] == "memory"
        made.client.set_configuration({"codeens": {"gaol": "speed"}}, scope_uri=folders.workspace.as_uri())
        with pytest.raises(Exception, match=r"codeens\.gaol of the editor's settings"):
            await made.run(folders.uri, function="double")


async def test_settings_that_are_pushed_are_used_where_none_can_be_asked_for(folders: Folders) -> None:
    can = capabilities(generate=True)
    assert can.workspace is not None
    can.workspace.configuration = None
    async with opened(folders, can=can, options={"settings": {"sandbox": "nowhere"}}) as made:
        made.open(folders.uri, SLOW)
        with pytest.raises(Exception, match="nowhere"):
            await made.run(folders.uri, function="double")
        settings = {"codeens": {"sandbox": "elsewhere"}}
        made.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=settings))
        with pytest.raises(Exception, match="elsewhere"):
            await made.run(folders.uri, function="double")


async def test_nothing_of_an_untrusted_workspace_is_run(folders: Folders) -> None:
    async with opened(folders, options={"trusted": False}) as made:
        made.open(folders.uri, MODULE)
        assert await made.actions(folders.uri, 5)
        with pytest.raises(Exception, match="not trusted"):
            await made.run(folders.uri, function="total")
        assert not made.asked


async def test_a_missing_body_is_implemented_by_the_editors_model(made: Editor, uri: str) -> None:
    made.answer = answering(DOUBLE.replace("double", "later"))
    made.open(uri, MODULE)
    action = (await made.actions(uri, made.line_of(uri, "def later")))[0]
    assert action.command is not None
    answer = await made.command("codeens.run", *(action.command.arguments or []), token="implement")
    assert answer["best"] == "editor-baseline-0"
    again = await made.command("codeens.rerun", {"runId": answer["runId"]}, token="again")
    assert again["best"] == "editor-baseline-0"
    assert len(made.asked) == 1, "the model's answer was kept"
    await made.command("codeens.rerun", {"fresh": True}, token="fresh")
    assert len(made.asked) == 2


NO_CANDIDATE = "no candidate was made for double: offline rewrites are switched off, and no model can be reached"


async def test_a_run_that_fails_is_shown_to_a_client_that_follows_runs_or_answered_to_one_that_waits(
    folders: Folders,
) -> None:
    async with opened(folders, can=capabilities(runs=True, views=True)) as made:
        made.open(folders.uri, SLOW)
        answer = await made.command("codeens.run", {"uri": folders.uri, "function": "double"})
        assert answer["headline"] is None
        failed = await made.seen(lambda view: view["status"] == "failed")
        assert failed["headline"].startswith(NO_CANDIDATE)
        assert (failed["run_id"], made.news[-1]["uri"]) == (answer["runId"], folders.uri)
        # Nor is there a message where the run is waited for: its failure is the answer.
        with pytest.raises(Exception, match=f"{NO_CANDIDATE}.*Configure one in the setting codeens.models") as refused:
            await made.run(folders.uri, function="double")
        assert "--" not in str(refused.value), "an editor has no flags"
        with pytest.raises(Exception, match=r"'3\.99' does not name an interpreter"):
            await made.run(folders.uri, function="double", environments=["3.99"])
        assert made.client.messages == []


@pytest.mark.parametrize("views", [True, False])
async def test_a_run_that_fails_after_it_began_is_told_where_runs_are_not_followed(
    folders: Folders, *, views: bool
) -> None:
    async with opened(folders, can=capabilities(views=views)) as made:
        made.open(folders.uri, SLOW)
        await made.command("codeens.run", {"uri": folders.uri, "function": "double"})
        assert (await made.told()).startswith(f"codeens: double: {NO_CANDIDATE}")


class Hanging:
    """A model that answers nothing until it is cancelled."""

    def __init__(self) -> None:
        self._asked = anyio.Event()
        self._cancelled = anyio.Event()

    async def wait_asked(self) -> None:
        with anyio.fail_after(SECONDS):
            await self._asked.wait()

    async def wait_cancelled(self) -> None:
        with anyio.fail_after(SECONDS):
            await self._cancelled.wait()

    async def answer(self, asked: object) -> None:
        self._asked.set()
        try:
            await anyio.sleep_forever()
        finally:
            self._cancelled.set()


async def test_cancelling_the_progress_reaches_the_model_and_keeps_the_run(made: Editor, uri: str) -> None:
    hanging = Hanging()
    made.answer = hanging.answer
    made.open(uri, COMMENTED.format("progress"))
    answer = await made.command("codeens.run", {"uri": uri, "function": "double"})
    await hanging.wait_asked()
    busy = await made.actions(uri, 1)
    assert [action.title for action in busy][:2] == ["Cancel the run of `double`", "Run ensemble on `double`"]
    assert busy[1].disabled is not None
    lenses = [lens.command.title for lens in await made.lenses(uri) if lens.command]
    assert lenses[1:] == ["cancel"]
    with pytest.raises(Exception, match="is under way"):
        await made.command("codeens.run", {"uri": uri, "function": "double"})
    below = descendants(made.pid)
    (token,) = made.client.progress_reports
    made.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token=token))
    await hanging.wait_cancelled()
    await anyio.to_thread.run_sync(until_gone, below)
    await made.seen(lambda view: view["status"] == "finished")
    shown = await made.command("codeens.showRun", {"runId": answer["runId"]})
    assert shown["run"]["summary"]["stopped"] == "cancelled"
    assert shown["run"]["headline"] == "cancelled: there is no candidate yet; keep the original"
    lenses = [lens.command.title for lens in await made.lenses(uri) if lens.command]
    assert lenses == ["codeens: no candidate · keep the original (cancelled)", "why"]


async def test_cancelling_the_request_ends_a_candidate_that_never_returns(made: Editor, uri: str) -> None:
    made.answer = answering(ENDLESS)
    made.open(uri, COMMENTED.format("request"))
    made.client.progress_reports["t"] = []
    arguments = [{"uri": uri, "function": "double"}]
    params = types.ExecuteCommandParams("codeens.run", arguments, work_done_token="t")
    protocol = made.client.protocol
    refusals: list[Exception] = []
    below: set[Process] = set()

    async def run() -> None:
        try:
            await protocol.send_request_async(types.WORKSPACE_EXECUTE_COMMAND, params, "running")
        except JsonRpcException as refusal:
            refusals.append(refusal)

    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(run)
            await made.seen(lambda view: view["rows"])
            below |= descendants(made.pid)
            protocol.notify(types.CANCEL_REQUEST, types.CancelParams(id="running"))
    assert [str(refusal) for refusal in refusals] == ["the request was cancelled"]
    await anyio.to_thread.run_sync(until_gone, below)
    await made.seen(lambda view: view["status"] == "finished")


async def test_the_cancel_command_ends_all_runs(made: Editor, uri: str) -> None:
    hanging = Hanging()
    made.answer = hanging.answer
    made.open(uri, COMMENTED.format("command"))
    await made.command("codeens.run", {"uri": uri, "function": "double"})
    await hanging.wait_asked()
    await made.command("codeens.cancel")
    await hanging.wait_cancelled()
    await made.seen(lambda view: view["status"] == "finished")


async def test_one_run_waits_for_another_and_can_be_cancelled_meanwhile(made: Editor, uri: str) -> None:
    hanging = Hanging()
    made.answer = hanging.answer
    made.open(uri, COMMENTED.format("queue") + "\n\n" + SLOW.replace("double", "twice"))
    await made.command("codeens.run", {"uri": uri, "function": "double"})
    await hanging.wait_asked()
    first = await made.command("codeens.run", {"uri": uri, "function": "twice"})
    (waiting,) = [view for view in made.views if view["status"] == "queued"]
    assert (waiting["run_id"], waiting["headline"]) == (first["runId"], "waits for another run")
    titles = [lens.command.title for lens in await made.lenses(uri) if lens.command]
    assert titles[2:] == ["codeens: waits for another run", "cancel"]
    await made.command("codeens.cancel", {"runId": first["runId"]})
    await made.seen(lambda view: view["status"] == "interrupted")

    second = await made.command("codeens.run", {"uri": uri, "function": "twice"})
    made.answer = answering(DOUBLE.replace("double", "twice"))
    await made.command("codeens.cancel", {"runId": made.views[0]["run_id"]})
    await made.seen(lambda view: view["status"] == "finished" and view["function"]["name"] == "twice")
    news = [each for each in made.news if each["replaces"]]
    assert {each["replaces"] for each in news} == {second["runId"]}
    assert {each["view"]["function"]["name"] for each in news} == {"twice"}
    assert news[0]["time"].startswith("0:0")
    assert (await made.command("codeens.showRun", {"runId": second["runId"]}))["run"]["run_id"] == news[0]["view"][
        "run_id"
    ]


@pytest.mark.parametrize("how", ["shutdown", "kill", "terminate"])
async def test_nothing_is_left_behind_when_the_session_ends_in_the_middle_of_a_run(folders: Folders, how: str) -> None:
    async with opened(folders) as made:
        made.answer = answering(ENDLESS)
        made.open(folders.uri, SLOW)
        await made.command("codeens.run", {"uri": folders.uri, "function": "double"})
        await made.seen(lambda view: view["rows"])
        below = descendants(made.pid)
        assert below
        server = process_of(made.client)
        made.has_ended = True
        if how == "shutdown":
            await made.client.shutdown_async(None)
            await anyio.to_thread.run_sync(until_gone, below)
        elif how == "kill":
            # What a client that was killed leaves: the end of the server's input.
            server.stdin.close()
        else:
            server.terminate()
        if how != "shutdown":
            vars(made.client)["_stop_event"].set()
            await server.wait()
            await anyio.to_thread.run_sync(until_gone, below)
