"""The client: what it can do, and how it is spoken to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import anyio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from codeens_server.errors import RunError
from codeens_server.lsp.transport.protocol import ServerProtocol
from codeens_server.text import one_line

_ANSWERED_WITHIN_S = 30.0


class Client:
    """What the capabilities of a client say, as answers to the questions that are asked here."""

    def __init__(self, protocol: ServerProtocol) -> None:
        self._protocol = protocol

    @property
    def _capabilities(self) -> types.ClientCapabilities:
        return self._protocol.client_capabilities

    @property
    def _window(self) -> types.WindowClientCapabilities:
        return self._capabilities.window or types.WindowClientCapabilities()

    @property
    def _workspace(self) -> types.WorkspaceClientCapabilities:
        return self._capabilities.workspace or types.WorkspaceClientCapabilities()

    @property
    def _text_document(self) -> types.TextDocumentClientCapabilities:
        return self._capabilities.text_document or types.TextDocumentClientCapabilities()

    @property
    def _own(self) -> Mapping[str, object]:
        """`experimental.codeens`: what only clients made for codeens have."""
        experimental: object = self._capabilities.experimental
        own = cast("Mapping[str, object]", experimental).get("codeens") if isinstance(experimental, dict) else None
        return cast("Mapping[str, object]", own) if isinstance(own, dict) else {}

    @property
    def follows_runs(self) -> bool:
        """It is sent `codeens/didChangeRun`."""
        return self._own.get("runs") is True

    @property
    def has_views(self) -> bool:
        """It shows runs, reports and diffs in views of its own, so that nothing is opened or announced for it."""
        return self._own.get("views") is True

    @property
    def generates(self) -> bool:
        """It answers `codeens/generate` with a model of its own."""
        return self._own.get("generate") is True

    @property
    def shows_progress(self) -> bool:
        return bool(self._window.work_done_progress)

    @property
    def shows_documents(self) -> bool:
        return self._window.show_document is not None and self._window.show_document.support

    @property
    def is_configurable(self) -> bool:
        """It answers `workspace/configuration`."""
        return bool(self._workspace.configuration)

    @property
    def takes_versioned_edits(self) -> bool:
        return self._workspace.workspace_edit is not None and bool(self._workspace.workspace_edit.document_changes)

    @property
    def creates_files(self) -> bool:
        kinds = self._workspace.workspace_edit.resource_operations if self._workspace.workspace_edit else None
        return self.takes_versioned_edits and types.ResourceOperationKind.Create in (kinds or ())

    @property
    def knows_actions(self) -> bool:
        """It takes code actions, which others, older ones, do not: they take commands."""
        actions = self._text_document.code_action
        return actions is not None and actions.code_action_literal_support is not None

    @property
    def shows_lenses(self) -> bool:
        return self._text_document.code_lens is not None

    @property
    def knows_disabled_actions(self) -> bool:
        return self._text_document.code_action is not None and bool(self._text_document.code_action.disabled_support)

    @property
    def resolves_edits(self) -> bool:
        actions = self._text_document.code_action
        return (
            actions is not None
            and bool(actions.data_support)
            and actions.resolve_support is not None
            and "edit" in actions.resolve_support.properties
        )

    @property
    def reads_markdown(self) -> bool:
        """In a hover; plain text is shown where it does not say so."""
        formats = self._text_document.hover.content_format if self._text_document.hover else None
        return types.MarkupKind.Markdown in (formats or ())

    @property
    def refreshes_lenses(self) -> bool:
        return self._workspace.code_lens is not None and bool(self._workspace.code_lens.refresh_support)

    def say(self, message: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """Show a message to the user."""
        self._protocol.notify(types.WINDOW_SHOW_MESSAGE, types.ShowMessageParams(type=kind, message=message))

    def log(self, message: str) -> None:
        """Write a line for who looks for it."""
        self._protocol.log(message)

    def notify(self, method: str, params: object) -> None:
        """Send a notification."""
        self._protocol.notify(method, params)

    async def ask(self, method: str, params: object, within_s: float = _ANSWERED_WITHIN_S) -> Any:
        """Send a request and wait for its answer; when the wait is cancelled the client is told so.

        Raises:
            NoAnswer: it refused, or said nothing in time.
        """
        future = self._protocol.send_request_async(method, params, msg_id := self._protocol.new_id())
        try:
            with anyio.fail_after(within_s):
                return await future
        except (JsonRpcException, ValueError) as error:
            raise NoAnswer(str(error)) from error
        except TimeoutError:
            self._protocol.notify(types.CANCEL_REQUEST, types.CancelParams(id=msg_id))
            raise NoAnswer(f"the editor did not answer {method} within {within_s:g} s") from None
        except anyio.get_cancelled_exc_class():
            self._protocol.notify(types.CANCEL_REQUEST, types.CancelParams(id=msg_id))
            raise

    async def make_edit(self, edit: types.WorkspaceEdit, label: str) -> None:
        """Have the user's documents edited.

        Raises:
            RunError: it was not done, with the client's reason.
        """
        params = types.ApplyWorkspaceEditParams(edit=edit, label=label)
        if not self._workspace.apply_edit:
            # Some that do not say so make edits all the same, and none of those answers.
            self._protocol.send_request(types.WORKSPACE_APPLY_EDIT, params)
            return
        try:
            answer: types.ApplyWorkspaceEditResult = await self.ask(types.WORKSPACE_APPLY_EDIT, params)
        except NoAnswer as error:
            raise RunError(f"the editor did not make the edit: {error}.") from error
        if not answer.applied:
            why = answer.failure_reason or "the document was edited meanwhile"
            raise RunError(f"the editor did not make the edit: {one_line(why)}.")

    def refresh_lenses(self) -> None:
        """Have the lenses asked for again."""
        if self.refreshes_lenses:
            self._protocol.send_request(types.WORKSPACE_CODE_LENS_REFRESH)

    async def show(self, path: Path) -> None:
        """Open a file in the editor; where it opens none on request, say where the file is."""
        if not self.shows_documents:
            self.say(f"codeens: see {path}")
            return
        try:
            await self.ask(types.WINDOW_SHOW_DOCUMENT, types.ShowDocumentParams(uri=path.as_uri(), take_focus=True))
        except NoAnswer as error:
            self._protocol.log(f"{path} was not shown: {error}")


class NoAnswer(Exception):
    """The client did not answer a request, or with an error."""
