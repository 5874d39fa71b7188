"""An editor under the hand of a test: pytest-lsp's client, with documents, and a model that says what a test wants."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import anyio
import attrs
from lsprotocol import types
from pytest_lsp import LanguageClient, make_test_lsp_client

from tests.quick import QUICK
from tests.server.lsp.texts import edited

SERVER = str(Path(sys.executable).parent / "codeens-server")
SECONDS = 90.0


def capabilities(**experimental: object) -> types.ClientCapabilities:
    """What a good editor can do; `experimental`: what it can do for codeens alone."""
    return types.ClientCapabilities(
        workspace=types.WorkspaceClientCapabilities(
            apply_edit=True,
            workspace_edit=types.WorkspaceEditClientCapabilities(
                document_changes=True, resource_operations=[types.ResourceOperationKind.Create]
            ),
            code_lens=types.CodeLensWorkspaceClientCapabilities(refresh_support=True),
            configuration=True,
            workspace_folders=True,
        ),
        window=types.WindowClientCapabilities(
            work_done_progress=True, show_document=types.ShowDocumentClientCapabilities(support=True)
        ),
        text_document=types.TextDocumentClientCapabilities(
            code_action=types.CodeActionClientCapabilities(
                code_action_literal_support=types.ClientCodeActionLiteralOptions(
                    code_action_kind=types.ClientCodeActionKindOptions(value_set=[])
                ),
                disabled_support=True,
                is_preferred_support=True,
                data_support=True,
                resolve_support=types.ClientCodeActionResolveOptions(properties=["edit"]),
            ),
            code_lens=types.CodeLensClientCapabilities(),
            hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
        ),
        notebook_document=types.NotebookDocumentClientCapabilities(
            synchronization=types.NotebookDocumentSyncClientCapabilities()
        ),
        experimental={"codeens": experimental},
    )


class Editor:
    """An editor with a session of the server."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.news: list[dict[str, Any]] = []
        """What the server showed of runs, in order."""
        self.asked: list[dict[str, Any]] = []
        """The `codeens/generate` requests."""
        self.answer: Callable[[dict[str, Any]], Any] = lambda asked: {"text": "nothing"}
        self.refuses_edits = ""
        self.steps = 0
        """How many edits the server had made, each of which one undo takes back."""
        self.refreshed = 0
        self.has_ended = False
        """Set by a test that has ended the session itself."""
        self._changed = anyio.Event()
        self._refresh = anyio.Event()
        self._register()

    @property
    def pid(self) -> int:
        """The server's process."""
        return process_of(self.client).pid

    def _register(self) -> None:
        feature = cast("Callable[[str], Callable[[Callable[..., Any]], object]]", self.client.feature)

        # pygls sets attributes on what it is given, and a bound method has none.
        def apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            return self._apply(params)

        def refresh(params: Any) -> None:
            self.refreshed += 1
            self._refresh.set()

        def changed(params: Any) -> None:
            self.news.append(plain(params))
            self._changed.set()
            self._changed = anyio.Event()

        async def generate(params: Any) -> Any:
            asked = plain(params)
            self.asked.append(asked)
            given = self.answer(asked)
            return await given if hasattr(given, "__await__") else given

        feature(types.WORKSPACE_APPLY_EDIT)(apply)
        feature(types.WORKSPACE_CODE_LENS_REFRESH)(refresh)
        feature("codeens/didChangeRun")(changed)
        feature("codeens/generate")(generate)

    @property
    def views(self) -> list[dict[str, Any]]:
        """The views of runs that the server sent, in order."""
        return [each["view"] for each in self.news]

    async def seen(self, shows: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the server has shown a run in a certain state; its view."""
        with anyio.fail_after(SECONDS):
            while not (found := [view for view in self.views if shows(view)]):
                await self._changed.wait()
        return found[0]

    async def refreshes(self) -> None:
        """Wait until the server has once asked for its lenses to be asked for."""
        with anyio.fail_after(SECONDS):
            await self._refresh.wait()

    async def told(self) -> str:
        """Wait until the server has shown a message; its text."""
        if not self.client.messages:
            with anyio.fail_after(SECONDS):
                await self.client.protocol.wait_for_notification_async(types.WINDOW_SHOW_MESSAGE)
        return self.client.messages[0].message

    def _apply(self, params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        if self.refuses_edits:
            return types.ApplyWorkspaceEditResult(applied=False, failure_reason=self.refuses_edits)
        self.make(params.edit)
        return types.ApplyWorkspaceEditResult(applied=True)

    def make(self, edit: types.WorkspaceEdit) -> None:
        """Make an edit, as one step."""
        self.steps += 1
        for change in edit.document_changes or []:
            if isinstance(change, types.CreateFile):
                self.texts[change.uri] = ""
            elif isinstance(change, types.TextDocumentEdit):
                uri, version = change.text_document.uri, change.text_document.version
                assert version is None or version == self.versions[uri], "an edit of another version"
                edits = [each for each in change.edits if isinstance(each, types.TextEdit)]
                self._write(uri, edits)
        for uri, edits in (edit.changes or {}).items():
            self._write(uri, edits)

    def _write(self, uri: str, edits: Sequence[types.TextEdit]) -> None:
        text = self.texts[uri] if uri in self.texts else Path(uri.removeprefix("file://")).read_text(encoding="utf-8")
        self.change(uri, edited(text, edits))

    def open(self, uri: str, text: str, *, language: str = "python") -> str:
        """Open a document."""
        self.texts[uri], self.versions[uri] = text, 1
        item = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
        return uri

    def close_all(self) -> None:
        """Close all documents, and forget all that was shown and asked."""
        for uri in self.texts:
            identifier = types.TextDocumentIdentifier(uri)
            self.client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))
        for seen in (self.texts, self.versions, self.news, self.asked, self.client.messages):
            seen.clear()
        self.client.progress_reports.clear()

    def change(self, uri: str, text: str) -> None:
        """Replace all of a document's text."""
        self.texts[uri] = text
        if uri not in self.versions:
            return
        self.versions[uri] += 1
        identifier = types.VersionedTextDocumentIdentifier(uri=uri, version=self.versions[uri])
        change = types.TextDocumentContentChangeWholeDocument(text=text)
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(text_document=identifier, content_changes=[change])
        )

    def line_of(self, uri: str, part: str) -> int:
        """The first line, from 0, that has a text in it."""
        return next(number for number, line in enumerate(self.texts[uri].splitlines()) if part in line)

    async def actions(
        self,
        uri: str,
        line: int,
        *,
        only: Sequence[str] | None = None,
        diagnostics: Sequence[types.Diagnostic] = (),
    ) -> list[types.CodeAction]:
        """The code actions at a line."""
        place = types.Position(line=line, character=0)
        params = types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(uri=uri),
            range=types.Range(start=place, end=place),
            context=types.CodeActionContext(diagnostics=list(diagnostics), only=only),
        )
        found = await self.client.text_document_code_action_async(params)
        return [action for action in found or [] if isinstance(action, types.CodeAction)]

    async def lenses(self, uri: str) -> list[types.CodeLens]:
        """The lenses of a document."""
        params = types.CodeLensParams(text_document=types.TextDocumentIdentifier(uri=uri))
        return list(await self.client.text_document_code_lens_async(params) or [])

    async def hover(self, uri: str, line: int) -> str:
        """What a hover over a line says; empty for nothing."""
        place = types.Position(line=line, character=0)
        params = types.HoverParams(text_document=types.TextDocumentIdentifier(uri=uri), position=place)
        found = await self.client.text_document_hover_async(params)
        return found.contents.value if found and isinstance(found.contents, types.MarkupContent) else ""

    async def command(self, name: str, *arguments: object, token: str | None = None) -> Any:
        """Execute a command."""
        if token is not None:
            self.client.progress_reports[token] = []
        params = types.ExecuteCommandParams(command=name, arguments=list(arguments), work_done_token=token)
        with anyio.fail_after(SECONDS):
            return plain(await self.client.workspace_execute_command_async(params))

    async def run(self, uri: str, **arguments: object) -> Any:
        """Run an ensemble to its end, as a client does that waits for it."""
        return await self.command(
            "codeens.run", {"uri": uri, **arguments}, token=f"run-{len(self.client.progress_reports)}"
        )


def process_of(client: LanguageClient) -> Any:
    """The process of a client's server."""
    return cast("Any", client)._server


def plain(value: Any) -> Any:
    """What pygls made an object of, as the JSON that it was."""
    if hasattr(value, "_asdict"):
        return {name: plain(inside) for name, inside in value._asdict().items()}
    if isinstance(value, dict):
        return {name: plain(inside) for name, inside in cast("dict[str, Any]", value).items()}
    return [plain(inside) for inside in cast("list[Any]", value)] if isinstance(value, (list, tuple)) else value


@asynccontextmanager
async def editor(
    folder: Path,
    *,
    home: Path,
    options: object = None,
    can: types.ClientCapabilities | None = None,
    folders: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    configuration: Mapping[str, Any] | None = None,
    server: Sequence[str] = (SERVER,),
) -> AsyncGenerator[Editor]:
    """An editor that has a folder open, with a server of its own; both are gone when the block is left."""
    client = make_test_lsp_client()
    _mend_decoding(client)
    made = Editor(client)
    if configuration is not None:
        client.set_configuration({"codeens": dict(configuration)})
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    await cast("Any", client).start_io(
        *server,
        "--stdio",
        # A server that dies of a signal says where.
        env={**kept, "HOME": str(home), "PYTHONFAULTHANDLER": "1", **QUICK, **(environment or {})},
        cwd=str(folder),
    )
    try:
        opened = [types.WorkspaceFolder(uri=each.as_uri(), name=each.name) for each in (folders or (folder,))]
        await client.initialize_session(
            types.InitializeParams(
                capabilities=can or capabilities(),
                root_uri=folder.as_uri(),
                workspace_folders=opened,
                initialization_options=options,
            )
        )
        yield made
        if not made.has_ended:
            with anyio.fail_after(SECONDS):
                await client.shutdown_session()
    finally:
        # pygls waits for the process, which a failed test has not ended.
        if (process := process_of(client)).returncode is None:
            process.kill()
        await client.stop()


def _mend_decoding(client: LanguageClient) -> None:
    """Mend what lsprotocol does not decode: an action that has a command, and the filter of a notebook."""
    converter = cast("Any", client.protocol)._converter

    def action(value: Any, _kind: object) -> Any:
        is_command = isinstance(value.get("command"), str)
        return converter.structure(value, types.Command if is_command else types.CodeAction)

    def notebook(value: Any, _kind: object) -> Any:
        return value

    converter.register_structure_hook(types.Command | types.CodeAction, action)
    filters = attrs.fields(types.NotebookDocumentFilterWithCells).notebook.type
    converter.register_structure_hook(filters, notebook)
