"""The runs of one editor's session: what is known of each, and which is the latest of a function."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import anyio
from msgspec.structs import replace

from codeens_server.config.settings import Settings
from codeens_server.domain.document import RankedResult, RunDocument
from codeens_server.domain.target import Target
from codeens_server.domain.terms import ORIGINAL
from codeens_server.errors import EvidenceError, Hint, InputError
from codeens_server.lsp.documents.buffers import Buffer
from codeens_server.lsp.runs.estimate import time_text
from codeens_server.lsp.runs.messages import RunArguments
from codeens_server.lsp.transport.errors import error_reply
from codeens_server.run.state import RunState
from codeens_server.text import one_line
from codeens_server.views.model import RunView
from codeens_server.views.run_view import view_of, waiting_view

_MOST_KEPT = 100


class RunRecord:
    """One run, under way or done: a view of its state, and where in the editor it belongs."""

    def __init__(self, buffer: Buffer, target: Target, arguments: RunArguments, settings: Settings) -> None:
        self.buffer = buffer
        self.target = target
        self.arguments = arguments
        """As it was asked for; what a rerun asks for again."""
        self.settings = settings
        self.state: RunState | None = None
        """None until it has begun."""
        self.is_recalled = False
        """It was made elsewhere, so that it cost this session nothing."""
        self.failure: BaseException | None = None
        self.why = ""
        """Why it came to no result, in one line."""
        self.waiting_id = ""
        """What it is called while it waits for others, and found by later too; empty: it never waited."""
        self.before_s: float | None = None
        """How long an earlier run of the same function took."""
        self._began_s: float | None = None
        self.begun = anyio.Event()
        """Set when it has an id, or failed before."""
        self.ended = anyio.Event()
        self.scope = anyio.CancelScope()
        self._stop: Callable[[], None] | None = None
        """Ends the work and keeps what was found; None while there is nothing to keep."""
        self._seen: tuple[object, RunView] | None = None

    @classmethod
    def recalled(
        cls, buffer: Buffer, target: Target, arguments: RunArguments, settings: Settings, state: RunState
    ) -> RunRecord:
        """Return the record of a run that was made elsewhere, and is done."""
        record = cls(buffer, target, arguments, settings)
        record.state, record.is_recalled = state, True
        record.end()
        return record

    def again(self) -> RunRecord:
        """Return a new record of the same run, to be followed once more."""
        return RunRecord(self.buffer, self.target, self.arguments, self.settings)

    @property
    def uri(self) -> str:
        return self.buffer.uri

    @property
    def qualname(self) -> str:
        return self.target.qualname

    @property
    def run_id(self) -> str:
        """Empty until it has begun."""
        return self.state.run_id if self.state else ""

    @property
    def shown_id(self) -> str:
        """The id by which it is known now: its own, or the one under which it waits."""
        return self.run_id or self.waiting_id

    @property
    def time(self) -> str:
        """How long it has been under way and still takes, in words; empty while it is not."""
        if self.state is None or self._began_s is None or not self.is_under_way or self._seen is None:
            return ""
        return time_text(anyio.current_time() - self._began_s, self._seen[1].progress, self.before_s)

    @property
    def is_under_way(self) -> bool:
        return not self.ended.is_set()

    @property
    def document(self) -> RunDocument | None:
        """What it came to; None while it is under way."""
        return self.state.document if self.state and not self.is_under_way else None

    @property
    def view(self) -> RunView | None:
        """What people are shown of it; None before it has begun or waits."""
        if self.state is None:
            return self._waiting_view() if self.waiting_id else None
        known = self.state.seq, self.state.doing, self.is_under_way
        if self._seen is None or self._seen[0] != known:
            self._seen = known, self._made(self.state)
        return self._seen[1]

    def named(self, view: RunView) -> RunView:
        """Return a view of this run in which the file has the name that people know it by."""
        if not self.buffer.name:
            return view
        return replace(view, function=replace(view.function, file=one_line(self.buffer.name)))

    @property
    def tests_fail(self) -> bool:
        """Whether it found tests that fail before any change."""
        evidence = self.state.evidence if self.state else None
        return (evidence is not None and evidence.mode == "repair") or isinstance(self.failure, EvidenceError)

    def wait(self) -> None:
        """Give it an id until it has its own: it waits for others."""
        self.waiting_id = f"waiting-{uuid4().hex[:12]}"
        self.begun.set()

    def begin(self, state: RunState, stop: Callable[[], None]) -> None:
        """Set what is known of the run, and what ends its work and keeps what was found."""
        self.state, self._stop = state, stop
        self._began_s = anyio.current_time()
        self.begun.set()

    def cancel(self) -> None:
        """End its model calls and sandboxes at once; what was found is kept."""
        if self._stop is not None:
            self._stop()
        else:
            self.scope.cancel()

    def fail(self, error: BaseException) -> None:
        """Set why it came to no result."""
        self.failure, self.why = error, one_line(str(error_reply(error)))

    def end(self) -> None:
        """Mark it as done: nothing of it is left."""
        self._stop = None
        self.begun.set()
        self.ended.set()

    def finished(self) -> RunDocument:
        """Return the document.

        Raises:
            InputError: there is none, or none yet.
        """
        if self.document is None:
            state = "is still under way" if self.is_under_way else "came to no result"
            raise InputError(f"run {self.run_id} of {self.qualname} {state}.", code="run_not_finished")
        return self.document

    def row(self, candidate_id: str | None) -> RankedResult:
        """Return the result of a candidate that can be taken; with None, of the best.

        Raises:
            InputError: there is no such candidate, it was rejected, or the original stays best.
        """
        row = self.any_row(candidate_id)
        if row.rank is None:
            message = f"candidate {row.candidate.id} was rejected: {row.reason}."
            raise InputError(message, code="candidate_rejected")
        return row

    def any_row(self, candidate_id: str | None) -> RankedResult:
        """Return the result of a candidate, also of one that was rejected; with None, of the best.

        Raises:
            InputError: there is no such candidate, or the original stays best.
        """
        run = self.finished()
        wanted = run.best if candidate_id is None else candidate_id
        if wanted == ORIGINAL:
            message = f"the original of {self.qualname} stays best: there is nothing to change."
            raise InputError(message, code="original_stays_best")
        for row in run.results:
            if row.candidate.id == wanted:
                return row
        raise InputError(f"run {run.run_id} has no candidate {wanted!r}.", code="no_such_candidate")

    def _waiting_view(self) -> RunView:
        goal = self.arguments.goal or self.settings.goal
        failure = "" if self.is_under_way else self.why
        return self.named(waiting_view(self.waiting_id, self.target, goal, failure=failure))

    def _made(self, state: RunState) -> RunView:
        if self.is_under_way:
            return self.named(view_of(state, status="running"))
        if state.document is not None:
            return self.named(view_of(state))
        return self.named(view_of(state, status="failed", failure=self.why))


class RunRecords:
    """All runs of a session."""

    def __init__(self) -> None:
        self._all: list[RunRecord] = []

    @property
    def cost_usd(self) -> float:
        """What the session's own runs have cost so far."""
        latest = {record.run_id: record for record in self._all if record.state and not record.is_recalled}
        return sum(record.state.cost_usd for record in latest.values() if record.state)

    def add(self, record: RunRecord) -> None:
        """Add a run; the oldest of many that are done are forgotten."""
        done = [other for other in self._all if not other.is_under_way]
        for old in done[: max(0, len(self._all) - _MOST_KEPT)]:
            self._all.remove(old)
        self._all.append(record)

    def recall(self, record: RunRecord, *, is_asked_for: bool) -> None:
        """Add a run that was made before all of the session's own.

        Args:
            record: it may be known already.
            is_asked_for: a person wants to see it: it stands above all others that were made elsewhere.
        """
        if record in self._all:
            self._all.remove(record)
        elsewhere = sum(known.is_recalled for known in self._all)
        self._all.insert(elsewhere if is_asked_for else 0, record)

    def drop(self, record: RunRecord) -> None:
        """Forget a run that did not even begin."""
        self._all.remove(record)

    def under_way(self) -> list[RunRecord]:
        """Return those that are not done."""
        return [record for record in self._all if record.is_under_way]

    def of_document(self, uri: str) -> dict[str, RunRecord]:
        """Return the latest run of each function of a document, by the function's name."""
        return {record.qualname: record for record in self._all if record.uri == uri}

    def of_function(self, uri: str, qualname: str) -> RunRecord | None:
        """Return the latest run of a function."""
        return self.of_document(uri).get(qualname)

    def get(self, run_id: str | None) -> RunRecord:
        """Return a run by its id; with None, the latest.

        Raises:
            InputError: there is no such run in this session.
        """
        if run_id is None:
            if self._all:
                return self._all[-1]
            raise InputError("there was no run yet.", code="no_such_run")
        if record := self.find(run_id):
            return record
        raise InputError(f"no run of this session has the id {run_id!r}.", code="no_such_run", hint=Hint("runs"))

    def find(self, run_id: str) -> RunRecord | None:
        """Return the latest run of an id; None when this session has none."""
        return next((record for record in reversed(self._all) if run_id in {record.run_id, record.waiting_id}), None)
