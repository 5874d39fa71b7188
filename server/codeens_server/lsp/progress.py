"""Work-done progress: how a run goes, where the client shows it, with its button to cancel."""

from __future__ import annotations

from uuid import uuid4

from lsprotocol import types

from codeens_server.lsp.client import Client, NoAnswer
from codeens_server.run.state import RunState
from codeens_server.views.run_view import progress_of

_CREATED_WITHIN_S = 3.0
ProgressToken = str | int


class ProgressBar:
    """The progress of one run; says nothing where the client does not show progress."""

    def __init__(self, client: Client, token: ProgressToken | None) -> None:
        """`token`: the client's own, given with its request; it needs no permission to be used."""
        self._client = client
        self._is_given = token is not None
        self.token: ProgressToken = uuid4().hex if token is None else token
        self._is_open = False

    async def begin(self, title: str) -> None:
        """Show it."""
        if not self._is_given:
            if not self._client.shows_progress:
                return
            try:
                params = types.WorkDoneProgressCreateParams(token=self.token)
                await self._client.ask(types.WINDOW_WORK_DONE_PROGRESS_CREATE, params, _CREATED_WITHIN_S)
            except NoAnswer:
                return
        self._is_open = True
        self._send(types.WorkDoneProgressBegin(title=title, cancellable=True, message="starting", percentage=0))

    def report(self, state: RunState) -> None:
        """Say how far it is."""
        progress = progress_of(state)
        done = min(99, 100 * progress.executed // progress.planned) if progress.planned else 0
        message = progress.text if progress.generated else progress.doing
        self._send(types.WorkDoneProgressReport(cancellable=True, message=message, percentage=done))

    def end(self, message: str) -> None:
        """Take it away."""
        self._send(types.WorkDoneProgressEnd(message=message))
        self._is_open = False

    def _send(
        self, value: types.WorkDoneProgressBegin | types.WorkDoneProgressReport | types.WorkDoneProgressEnd
    ) -> None:
        if self._is_open:
            self._client.notify(types.PROGRESS, types.ProgressParams(token=self.token, value=value))
