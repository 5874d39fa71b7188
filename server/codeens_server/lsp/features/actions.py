"""Code actions of a function: start a run, and, after one, apply a result. Made from what is known already, at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lsprotocol import types

from codeens_server.domain.terms import Goal, ModeRequest
from codeens_server.lsp.documents.documents import Document
from codeens_server.lsp.documents.edits import unchanged
from codeens_server.lsp.documents.outline import Broken, Function, Outline
from codeens_server.lsp.runs.messages import RowArguments, RunArguments, RunId, command, written
from codeens_server.lsp.runs.records import RunRecord
from codeens_server.lsp.transport.client import Client
from codeens_server.lsp.transport.names import APPLY, APPLY_KIND, CANCEL, QUICK_FIX, RUN, RUN_KIND, SHOW_RUN
from codeens_server.views.cells import speed_said
from codeens_server.views.model import RowView, RunView

_MOST_SHOWN = 10
_GOALS: tuple[tuple[Goal, str], ...] = (
    ("speed", "Make `{}` faster"),
    ("memory", "Make `{}` use less memory"),
    ("readability", "Make `{}` more readable"),
)


class ActionRequest(NamedTuple):
    """What a client asks actions for."""

    document: Document
    outline: Outline
    line: int
    context: types.CodeActionContext


def actions(asked: ActionRequest, client: Client, records: dict[str, RunRecord]) -> list[types.CodeAction]:
    """Return the actions for a place in a document; `records`: the latest runs of its functions."""
    function = asked.outline.at(asked.line)
    if function is None:
        return []
    if isinstance(function, Broken):
        found = [_disabled("Run ensemble", RUN_KIND, f"line {function.line + 1} does not parse: {function.why}")]
    else:
        found = list(_for_function(asked, function, client, records.get(function.qualname)))
    shown = [action for action in found if action.disabled is None or client.knows_disabled_actions]
    return [action for action in shown if _is_wanted(action, asked.context.only)]


def _for_function(
    asked: ActionRequest, function: Function, client: Client, record: RunRecord | None
) -> Iterator[types.CodeAction]:
    if record is not None and record.is_under_way:
        title = f"Cancel the run of `{_name(function)}`"
        yield _commanded(title, RUN_KIND, command(title, CANCEL, RunId(run_id=record.shown_id)))
    elif (
        record is not None
        and record.view is not None
        and record.view.status == "finished"
        and unchanged(asked.document, asked.outline, record.target)
    ):
        yield from _around_runs(asked, function, record, client, record.view)
        return
    yield from _quick_fixes(asked, function, record)
    yield from _runs(asked, function, record)


def _around_runs(
    asked: ActionRequest, function: Function, record: RunRecord, client: Client, run: RunView
) -> Iterator[types.CodeAction]:
    """Yield what the run advises first, since editors select the first; what it advises against stands last."""
    results = list(_results(run, client))
    advised = bool(results and results[0].is_preferred)
    if advised:
        yield from results
    else:
        title = f"Results of `{_name(function)}`: {run.headline}"
        yield _commanded(title, RUN_KIND, command(title, SHOW_RUN, RunId(run_id=run.run_id)))
    yield from _quick_fixes(asked, function, record)
    yield from _runs(asked, function, record)
    if not advised:
        yield from results
    elif not client.shows_lenses:
        title = f"Report on `{_name(function)}`"
        yield _commanded(title, RUN_KIND, command(title, SHOW_RUN, RunId(run_id=run.run_id)))


def _runs(asked: ActionRequest, function: Function, record: RunRecord | None) -> Iterator[types.CodeAction]:
    name = _name(function)
    first = f"Run ensemble on `{name}`"
    if reason := _why_not(asked, function, record):
        yield _disabled(first, RUN_KIND, reason)
        return
    if function.body_missing:
        return
    yield _run(first, RUN_KIND, asked, function)
    for goal, title in _GOALS:
        yield _run(title.format(name), RUN_KIND, asked, function, goal=goal)


def _quick_fixes(asked: ActionRequest, function: Function, record: RunRecord | None) -> Iterator[types.CodeAction]:
    """Offer to repair a function with a diagnostic or failed tests, and to implement one without a body."""
    if _why_not(asked, function, record):
        return
    name = _name(function)
    if function.body_missing:
        yield _run(f"Implement `{name}`", QUICK_FIX, asked, function, mode="implement")
        return
    standing = [
        found
        for found in asked.context.diagnostics
        if found.range.start.line <= function.end_line and found.range.end.line >= function.line
    ]
    if standing or (record is not None and record.tests_fail):
        repair = _run(f"Repair `{name}`", QUICK_FIX, asked, function, mode="repair")
        repair.diagnostics = standing or None
        yield repair


def _why_not(asked: ActionRequest, function: Function, record: RunRecord | None) -> str:
    if record is not None and record.is_under_way:
        return f"a run of {function.qualname} is under way"
    named = asked.outline.named(function.qualname)
    later = [other for other in named if other.line > function.line and not other.is_alternative_to(function)]
    if function.refusal or not later or all(other.refusal for other in later):
        return function.refusal
    return f"{function.qualname} is defined again at line {later[-1].line + 1}"


def _results(run: RunView, client: Client) -> Iterator[types.CodeAction]:
    candidates = [row for row in run.rows if not row.original]
    ranked = sorted((row for row in candidates if row.number is not None), key=lambda row: not row.best)
    for row in ranked[:_MOST_SHOWN]:
        title = _apply_title(row)
        argument = RowArguments(run_id=run.run_id, candidate=row.id)
        action = types.CodeAction(title=title, kind=APPLY_KIND, is_preferred=(row.best and row.proven) or None)
        if client.resolves_edits:
            action.data = written(argument)
        else:
            action.command = command(title, APPLY, argument)
        yield action
    rejected = [row for row in candidates if row.number is None]
    for row in rejected[:_MOST_SHOWN]:
        yield _disabled(f"Apply {row.label}", APPLY_KIND, row.reason or row.verdict.text)


def _apply_title(row: RowView) -> str:
    """Return for instance `1. Apply gpt-x · performance: 2.1x [1.9, 2.3], -12 % memory, 34/34 tests, +3 -7 lines`.

    What speaks against it stands before the colon: `2. Apply gpt-x · baseline (slower 0.61x [0.55, 0.70]): …`.
    """
    speed = speed_said(row.speed)
    against = [row.worse, "" if row.proven else row.verdict.detail]
    proof = [
        "" if speed in row.worse else speed,
        f"{row.memory.text} memory" if row.memory.trend == "better" else "",
        row.verdict.detail if row.proven else "",
        f"{row.diff.text} lines" if row.diff.text else "",
    ]
    lead, rest = (", ".join(filter(None, parts)) for parts in (against, proof))
    name = f"{row.place if row.tied else f'{row.place}.'} Apply {row.label}{f' ({lead})' if lead else ''}"
    return f"{name}: {rest}" if rest else name


def _run(
    title: str,
    kind: str,
    asked: ActionRequest,
    function: Function,
    *,
    goal: Goal | None = None,
    mode: ModeRequest = "auto",
) -> types.CodeAction:
    argument = RunArguments(uri=asked.document.uri, function=function.qualname, goal=goal, mode=mode)
    return _commanded(title, kind, command(title, RUN, argument))


def _commanded(title: str, kind: str, said: types.Command) -> types.CodeAction:
    return types.CodeAction(title=title, kind=kind, command=said)


def _disabled(title: str, kind: str, reason: str) -> types.CodeAction:
    return types.CodeAction(title=title, kind=kind, disabled=types.CodeActionDisabled(reason=reason))


def _name(function: Function) -> str:
    return function.qualname.rpartition("<locals>.")[2]


def _is_wanted(action: types.CodeAction, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Return whether a kind was asked for, by its own name or by that of one above it."""
    if only is None:
        return True
    kinds = [str(getattr(kind, "value", kind)) for kind in only]
    return any(not kind or action.kind == kind or str(action.kind).startswith(f"{kind}.") for kind in kinds)
