"""Code actions of a function: start a run, and, after one, apply a result. Made from what is known already, at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lsprotocol import types

from codeens_server.domain import Goal, ModeRequest
from codeens_server.lsp.documents.documents import Document
from codeens_server.lsp.documents.edits import unchanged
from codeens_server.lsp.documents.outline import Broken, Function, Outline
from codeens_server.lsp.features.titles import apply_title, rejected_title
from codeens_server.lsp.runs.arguments import RowArguments, RunArguments, RunId, command, written
from codeens_server.lsp.runs.records import Record
from codeens_server.lsp.transport.client import Client
from codeens_server.lsp.transport.names import APPLY, APPLY_KIND, CANCEL, QUICK_FIX, RUN, RUN_KIND
from codeens_server.text import one_line

_MOST_SHOWN = 10
_GOALS: tuple[tuple[Goal, str], ...] = (
    ("speed", "Make `{}` faster"),
    ("memory", "Make `{}` use less memory"),
    ("readability", "Make `{}` more readable"),
)


class Asked(NamedTuple):
    """What a client asks actions for."""

    document: Document
    outline: Outline
    line: int
    context: types.CodeActionContext


def actions(asked: Asked, client: Client, records: dict[str, Record]) -> list[types.CodeAction]:
    """The actions for a place in a document; `records`: the latest runs of its functions."""
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
    asked: Asked, function: Function, client: Client, record: Record | None
) -> Iterator[types.CodeAction]:
    if record is not None and record.is_under_way:
        title = f"Cancel the run of `{_name(function)}`"
        yield _commanded(title, RUN_KIND, command(title, CANCEL, RunId(run_id=record.run_id)))
    elif record is not None and record.run is not None and unchanged(asked.document, asked.outline, record.target):
        yield from _results(record, client)
    yield from _quick_fixes(asked, function, record)
    yield from _runs(asked, function, record)


def _runs(asked: Asked, function: Function, record: Record | None) -> Iterator[types.CodeAction]:
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


def _quick_fixes(asked: Asked, function: Function, record: Record | None) -> Iterator[types.CodeAction]:
    """To repair what a diagnostic stands in, or what failed its tests in an earlier run; to write what has no body."""
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


def _why_not(asked: Asked, function: Function, record: Record | None) -> str:
    if record is not None and record.is_under_way:
        return f"a run of {function.qualname} is under way"
    later = [other for other in asked.outline.named(function.qualname) if other.line > function.line]
    if function.refusal or not later or all(other.refusal for other in later):
        return function.refusal
    return f"{function.qualname} is defined again at line {later[-1].line + 1}"


def _results(record: Record, client: Client) -> Iterator[types.CodeAction]:
    run = record.finished()
    ranked = [row for row in run.results if row.rank is not None]
    for number, row in enumerate(ranked[:_MOST_SHOWN], start=1):
        title = apply_title(number, row, run)
        argument = RowArguments(run_id=run.run_id, candidate=row.candidate.id)
        action = types.CodeAction(title=title, kind=APPLY_KIND, is_preferred=row.candidate.id == run.best or None)
        if client.resolves_edits:
            action.data = written(argument)
        else:
            action.command = command(title, APPLY, argument)
        yield action
    rejected = [row for row in run.results if row.rank is None]
    for row in rejected[:_MOST_SHOWN]:
        yield _disabled(rejected_title(row), APPLY_KIND, one_line(row.reason) or row.verdict.status)


def _run(
    title: str,
    kind: str,
    asked: Asked,
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
    """Whether a kind was asked for, by its own name or by that of one above it."""
    if only is None:
        return True
    kinds = [str(getattr(kind, "value", kind)) for kind in only]
    return any(not kind or action.kind == kind or str(action.kind).startswith(f"{kind}.") for kind in kinds)
