"""Do what `workspace/executeCommand` asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
from lsprotocol import types
from msgspec.structs import replace

from codeens_server.config.settings import Settings, Weights
from codeens_server.domain.document import RunDocument
from codeens_server.domain.terms import ORIGINAL
from codeens_server.errors import ChangedError, InputError, RunError, TargetError
from codeens_server.files import private_folder, safe_name, write_private
from codeens_server.lsp.documents.documents import Documents
from codeens_server.lsp.documents.edits import standing
from codeens_server.lsp.documents.outline import Function, Outlines
from codeens_server.lsp.features.apply import CandidateEdits
from codeens_server.lsp.features.find_slow import SlowFinder
from codeens_server.lsp.features.markdown import report
from codeens_server.lsp.features.models import ModelLister
from codeens_server.lsp.runs.lookup import RunLookup
from codeens_server.lsp.runs.messages import (
    Applied,
    AppliedPlace,
    CandidateDiff,
    KnownRuns,
    ListArguments,
    RefuseArguments,
    RefusedKind,
    RerankArguments,
    Reranked,
    RerunArguments,
    RowArguments,
    RunArguments,
    RunId,
    ShownRun,
    Started,
    read,
    written,
)
from codeens_server.lsp.runs.pinning import PinInput
from codeens_server.lsp.runs.records import RunRecord, RunRecords
from codeens_server.lsp.runs.runs import RunTasks
from codeens_server.lsp.transport import names
from codeens_server.lsp.transport.client import Client
from codeens_server.lsp.transport.configuration import Configuration
from codeens_server.ranking.wording import label
from codeens_server.text import one_line
from codeens_server.views.run_view import document_view
from codeens_server.workspace.edit import splice, unified_diff
from codeens_server.workspace.text import snapshot

Command = Callable[[types.ExecuteCommandParams], Awaitable[Any]]


class Commands:
    """The commands of a session."""

    def __init__(
        self,
        client: Client,
        documents: Documents,
        outlines: Outlines,
        records: RunRecords,
        runs: RunTasks,
        lookup: RunLookup,
        edits: CandidateEdits,
        configuration: Configuration,
    ) -> None:
        self._client = client
        self._documents = documents
        self._outlines = outlines
        self._records = records
        self._runs = runs
        self._lookup = lookup
        self._edits = edits
        self._configuration = configuration

    def by_name(self) -> dict[str, Command]:
        """Return all of them by their names."""
        pin_input = PinInput(self._client, self._documents, self._lookup, self._runs)
        return {
            names.RUN: self.run,
            names.RERUN: self.rerun,
            names.CANCEL: self.cancel,
            names.APPLY: self.apply,
            names.DIFF: self.diff,
            names.SHOW_RUN: self.show_run,
            names.PIN_INPUT: pin_input.execute,
            names.REFUSE: self.refuse,
            names.RERANK: self.rerank,
            names.LIST_RUNS: self.list_runs,
            names.APPLIED: self.applied,
            names.FIND_SLOW: SlowFinder(self._documents, self._configuration).execute,
            names.LIST_MODELS: ModelLister(self._documents, self._configuration).execute,
        }

    async def run(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Start a run. Answered when it has begun; with a work-done token, when it ended."""
        return await self._started(read(params, RunArguments), params)

    async def rerun(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Start a run once more, on the function as it is now."""
        asked = read(params, RerunArguments)
        record = await self._lookup.record(asked.run_id)
        again = replace(record.arguments, function=record.qualname, line=None, fresh=asked.fresh)
        return await self._started(again, params)

    async def cancel(self, params: types.ExecuteCommandParams) -> None:
        """End a run at once, and keep what it found; without an id, all that are under way."""
        run_id = read(params, RunId).run_id
        for record in self._records.under_way() if run_id is None else [self._records.get(run_id)]:
            record.cancel()

    async def apply(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Have the client put a result into its document."""
        record, row, edit = await self._edits.of(read(params, RowArguments))
        on = f", {one_line(row.verdict.conditions_text)}" if row.verdict.conditions else ""
        await self._client.make_edit(edit, f"codeens: {one_line(label(row.candidate))} for {record.qualname}{on}")
        return written(Applied(run_id=record.run_id, candidate=row.candidate.id))

    async def applied(self, params: types.ExecuteCommandParams) -> dict[str, Any] | None:
        """Return where a proven candidate stands in its document, which a client may mark; None where none does."""
        record = await self._lookup.record(read(params, RowArguments).run_id)
        document = self._documents.opened(record.uri)
        found = standing(document, self._outlines.of(document), record.finished()) if document else None
        row = record.view.row(found[0].candidate.id) if found and record.view else None
        if found is None or row is None or not row.proven:
            return None
        speed = f"{row.speed.text} {row.speed.word}" if row.speed.trend == "better" else ""
        said = ", ".join(filter(None, (speed, row.verdict.detail)))
        return written(
            AppliedPlace(uri=record.uri, line=found[1].line, end_line=found[1].end_line, text=f"codeens: {said}")
        )

    async def diff(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Return a result's change, as a diff and as both texts; show it where the client has no view."""
        asked = read(params, RowArguments)
        record = await self._lookup.record(asked.run_id)
        row = record.any_row(asked.candidate)
        shown = record.view.row(row.candidate.id) if record.view else None
        new = row.candidate.replacement
        before = snapshot(record.target).text
        diff = await anyio.to_thread.run_sync(unified_diff, record.target, new)
        after = await anyio.to_thread.run_sync(splice, before, record.target, new)
        await self._show(record, f"{row.candidate.id}.diff", diff)
        return written(
            CandidateDiff(
                run_id=record.run_id,
                candidate=row.candidate.id,
                uri=record.uri,
                diff=diff,
                before=before,
                after=after,
                conditions=one_line(row.verdict.conditions_text),
                rejected="" if row.rank is not None else one_line(row.reason or row.verdict.status),
                counterexample=shown.counterexample if shown else "",
            )
        )

    async def refuse(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Refuse a kind of condition in the workspace's settings, and judge all candidates again."""
        asked = read(params, RefuseArguments)
        self._runs.check_trust()
        record = await self._lookup.record(asked.run_id)
        async with self._runs.session(record) as session:
            path = await session.refuse(record.run_id, asked.kind)
        await self._runs.rejudge(record, params.work_done_token)
        return written(RefusedKind(run_id=record.run_id, uri=path.as_uri()))

    async def show_run(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Return a run and its report; show the report where the client has no view."""
        record = await self._lookup.record(read(params, RunId).run_id)
        run = record.finished()
        view = record.named(document_view(run))
        text = report(view, await anyio.to_thread.run_sync(_best_change, record))
        await self._show(record, "report.md", text)
        return written(ShownRun(uri=record.uri, run=run, view=view, report=text))

    async def list_runs(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Return the latest runs of the workspace, whoever made them."""
        return written(KnownRuns(runs=tuple(await self._lookup.lines(read(params, ListArguments).limit))))

    async def rerank(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Rank a run for another goal or by other weights; nothing is run again, and nothing kept."""
        asked = read(params, RerankArguments)
        record = await self._lookup.record(asked.run_id)
        ranked, weights, usual = await anyio.to_thread.run_sync(_reranked, record.finished(), asked, record.settings)
        by = ranked.goal if weights == usual else "custom"
        return written(Reranked(uri=record.uri, weights=weights, by=by, view=record.named(document_view(ranked))))

    async def _started(self, arguments: RunArguments, params: types.ExecuteCommandParams) -> dict[str, Any]:
        record = await self._runs.start(arguments, self._line(arguments), params.work_done_token)
        view = record.view if record.document else None
        best, headline = (view.best, view.headline) if view else (None, None)
        return written(Started(run_id=record.shown_id, headline=headline, best=best))

    def _line(self, arguments: RunArguments) -> int:
        if arguments.function is None:
            if arguments.line is None:
                raise InputError("say what is to be run: its function or a line of it.")
            return self._first_line(arguments.uri, arguments.line)
        document = self._documents.opened(arguments.uri)
        if document is None:
            raise InputError(f"{arguments.uri} is not open in the editor; name a line.")
        found = self._outlines.of(document).named(arguments.function)
        if not found:
            raise InputError(f"there is no function {arguments.function} any more.")
        return next((function for function in reversed(found) if not function.refusal), found[-1]).def_line

    def _first_line(self, uri: str, line: int) -> int:
        """Return where the function around a line begins; where none is known, the line."""
        document = self._documents.opened(uri)
        function = self._outlines.of(document).at(line) if document else None
        return function.def_line if isinstance(function, Function) else line

    async def _show(self, record: RunRecord, name: str, text: str) -> None:
        if not self._client.has_views:
            path = await anyio.to_thread.run_sync(_written, record.settings, record.run_id, name, text)
            await self._client.show(path)


def _reranked(run: RunDocument, asked: RerankArguments, settings: Settings) -> tuple[RunDocument, Weights, Weights]:
    """Return the run in its new order, the weights that made it, and those that the goal has by itself."""
    # Nothing of it is needed before the first answer of the server.
    from codeens_server.ranking.rank import rerank
    from codeens_server.ranking.score import weights_for
    from codeens_server.ranking.scorers import load_scorers

    goal = asked.goal or run.goal
    usual = weights_for(goal, settings)
    weights = asked.weights or usual
    return rerank(run, goal=goal, weights=weights, scorers=load_scorers(settings)), weights, usual


def _written(settings: Settings, run_id: str, name: str, text: str) -> Path:
    """Write a file beside those of a run, for the editor to show.

    Raises:
        RunError: the results folder cannot be written.
    """
    from codeens_server.store.opening import results_folder

    try:
        path = private_folder(results_folder(settings) / f"run_{safe_name(run_id)}") / safe_name(name)
        write_private(path, text)
    except OSError as error:
        raise RunError(f"{error.filename} cannot be written: {error.strerror}.") from error
    return path


def _best_change(record: RunRecord) -> str:
    """Return the diff of the best; empty when the original stays, or when an old run's file is gone."""
    if record.finished().best == ORIGINAL:
        return ""
    try:
        return unified_diff(record.target, record.row(None).candidate.replacement)
    except (ChangedError, TargetError):
        return ""
