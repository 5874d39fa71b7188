"""The runs of one editor's session: what is known of each, and which is the latest of a function."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from codeens_server.config.settings import Settings
from codeens_server.domain import ORIGINAL, Mode, RankedResult, RunDocument, Target
from codeens_server.errors import EvidenceError, InputError
from codeens_server.lsp.arguments import RunArguments
from codeens_server.lsp.buffers import Buffer
from codeens_server.run.request import RunRequest
from codeens_server.run.state import RunState

_KEPT = 100


class Record:
    """One run, under way or done."""

    def __init__(
        self, buffer: Buffer, target: Target, arguments: RunArguments, request: RunRequest, settings: Settings
    ) -> None:
        self.buffer = buffer
        self.target = target
        self.arguments = arguments
        """As it was asked for; to be asked for again."""
        self.request = request
        self.settings = settings
        self.run_id = ""
        self.state: RunState | None = None
        """What is known of a run of this session; None until it has an id."""
        self.run: RunDocument | None = None
        self.failure: BaseException | None = None
        """Why it came to no result."""
        self.begun = anyio.Event()
        """Set when it has an id, or failed before."""
        self.ended = anyio.Event()
        self.scope = anyio.CancelScope()
        self._mode: Mode | None = None
        self._stop: Callable[[], None] | None = None
        """Ends the work and keeps what was found; None while there is nothing to keep."""

    @classmethod
    def of_done(
        cls,
        buffer: Buffer,
        target: Target,
        arguments: RunArguments,
        request: RunRequest,
        settings: Settings,
        run: RunDocument,
    ) -> Record:
        """The record of a run that was made elsewhere, and is done."""
        record = cls(buffer, target, arguments, request, settings)
        record.run_id, record.run, record._mode = run.run_id, run, run.mode
        record.end()
        return record

    def again(self) -> Record:
        """A new record of the same request, to be followed once more."""
        return Record(self.buffer, self.target, self.arguments, self.request, self.settings)

    @property
    def uri(self) -> str:
        return self.buffer.uri

    @property
    def qualname(self) -> str:
        return self.target.qualname

    @property
    def is_under_way(self) -> bool:
        return not self.ended.is_set()

    @property
    def tests_fail(self) -> bool:
        """Whether it found tests that fail before any change."""
        return self._mode == "repair" or isinstance(self.failure, EvidenceError)

    def take(self, state: RunState) -> None:
        """Take in what is known now."""
        self.state, self.run_id, self.run = state, state.run_id, state.document
        self._mode = state.evidence.mode if state.evidence else None
        self.begun.set()

    def cancel(self) -> None:
        """End its model calls and sandboxes at once; what was found is kept."""
        if self._stop is not None:
            self._stop()
        else:
            self.scope.cancel()

    def set_stop(self, stop: Callable[[], None]) -> None:
        """Take what ends the work; after this there is something to keep."""
        self._stop = stop

    def end(self) -> None:
        """Say that nothing of it is left."""
        self._stop = None
        self.begun.set()
        self.ended.set()

    def finished(self) -> RunDocument:
        """The document.

        Raises:
            InputError: there is none, or none yet.
        """
        if self.run is None:
            state = "is still under way" if self.is_under_way else "came to no result"
            raise InputError(f"run {self.run_id} of {self.qualname} {state}.")
        return self.run

    def row(self, candidate_id: str | None) -> RankedResult:
        """The result of a candidate; with None, of the best.

        Raises:
            InputError: there is no such candidate, it was rejected, or the original stays best.
        """
        run = self.finished()
        wanted = run.best if candidate_id is None else candidate_id
        if wanted == ORIGINAL:
            raise InputError(f"the original of {self.qualname} stays best: there is nothing to change.")
        for row in run.results:
            if row.candidate.id == wanted and row.rank is not None:
                return row
            if row.candidate.id == wanted:
                raise InputError(f"candidate {wanted} was rejected: {row.reason}.")
        raise InputError(f"run {run.run_id} has no candidate {wanted!r}.")


class Records:
    """All runs of a session."""

    def __init__(self) -> None:
        self._all: list[Record] = []

    def add(self, record: Record) -> None:
        """Take a run in; the oldest of many that are done are forgotten."""
        done = [other for other in self._all if not other.is_under_way]
        for old in done[: max(0, len(self._all) - _KEPT)]:
            self._all.remove(old)
        self._all.append(record)

    def recall(self, record: Record) -> None:
        """Take in a run that was made before all of the session's own."""
        self._all.insert(0, record)

    def drop(self, record: Record) -> None:
        """Forget a run that did not even begin."""
        self._all.remove(record)

    def under_way(self) -> list[Record]:
        """Those that are not done."""
        return [record for record in self._all if record.is_under_way]

    def of_document(self, uri: str) -> dict[str, Record]:
        """The latest run of each function of a document, by the function's name."""
        return {record.qualname: record for record in self._all if record.uri == uri}

    def of_function(self, uri: str, qualname: str) -> Record | None:
        """The latest run of a function."""
        return self.of_document(uri).get(qualname)

    def get(self, run_id: str | None) -> Record:
        """A run by its id; with None, the latest.

        Raises:
            InputError: there is no such run in this session.
        """
        if run_id is None:
            if self._all:
                return self._all[-1]
            raise InputError("there was no run yet.")
        if record := self.find(run_id):
            return record
        raise InputError(f"no run of this session has the id {run_id!r}.")

    def find(self, run_id: str) -> Record | None:
        """The latest run of an id; None when this session has none."""
        return next((record for record in reversed(self._all) if record.run_id == run_id), None)
