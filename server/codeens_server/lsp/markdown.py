"""Runs as Markdown: a table for a hover, a report to open. What models and candidates wrote is shown, never obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codeens_server.domain import ORIGINAL, RankedResult, RunDocument
from codeens_server.lsp.titles import cases
from codeens_server.ranking.wording import evidence, interval, label, times
from codeens_server.text import money, one_line, plural

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&])")
_MOST_ROWS = 12


def hover_text(run: RunDocument) -> str:
    """The evidence of a run's best rows, as a table."""
    lines = [f"**codeens** · {escaped(run.headline)}", "", *_table(run, _MOST_ROWS), "", *_grounds(run)]
    return "\n".join(lines)


def report(run: RunDocument, diff: str) -> str:
    """Everything about a run that a person decides by.

    Args:
        diff: the change of the best row; empty when the original stays.
    """
    parts = [
        f"# codeens: {escaped(run.target.qualname)}",
        escaped(run.headline) + ".",
        "\n".join(_table(run, len(run.results) + 1)),
        "\n".join(_grounds(run)),
        *_notes(run),
        *_map(run),
    ]
    if diff:
        parts += ["## The best change", _fenced(diff, "diff")]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text as Markdown shows it unchanged, on one line."""
    return _SPECIAL.sub(r"\\\1", one_line(text))


def _table(run: RunDocument, most: int) -> Iterator[str]:
    yield "| | candidate | verdict | speed | memory | readable | lines | cost |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    rows = (run.original, *run.results)
    for number, row in enumerate(rows[:most]):
        yield f"| {' | '.join(_cells(number, row, run))} |"
    if len(rows) > most:
        yield f"| | {len(rows) - most} more | | | | | | |"


def _cells(number: int, row: RankedResult, run: RunDocument) -> list[str]:
    is_original = row.candidate.id == ORIGINAL
    name = "original" if is_original else escaped(label(row.candidate))
    place = "" if row.rank is None else f"{number}{'=' if row.tied else ''}"
    return [
        place,
        f"**{name}**" if row.candidate.id == run.best else name,
        _verdict(row, run),
        " ".join(interval(row.speed)) if row.speed else "",
        times(row.memory.ratio) if row.memory and row.memory.ratio is not None else "",
        f"{row.readability.score:.0f}" if row.readability else "",
        "" if is_original else f"+{row.diff.added} -{row.diff.removed}",
        "" if is_original else escaped(money(row.cost_usd)),
    ]


def _verdict(row: RankedResult, run: RunDocument) -> str:
    verdict = row.verdict
    said = evidence(verdict, improving=run.mode == "improve") if verdict.status == "passed" else row.reason
    isolation = " **NOT ISOLATED**" if verdict.sandbox.startswith("unsafe") else ""
    shared = " (told by the process it ran in)" if verdict.isolation == "shared" else ""
    return f"{verdict.status}: {escaped(said or verdict.reason)}{shared}{isolation}"


def _grounds(run: RunDocument) -> Iterator[str]:
    coverage = run.evidence.coverage
    lines = f", {coverage.percent:.0f} % of the lines" if coverage else ""
    cost = f"{'' if run.summary.cost_known else 'at least '}{money(run.summary.cost_usd)}"
    yield (
        f"Evidence: {cases(run)}{lines}. {plural(run.summary.generated, 'answer')}, {run.summary.executed} run, "
        f"{run.summary.passed} passed, {escaped(cost)}, {run.summary.wall_s:.1f} s."
    )


def _notes(run: RunDocument) -> Iterator[str]:
    said = [f"- {escaped(note)}" for note in run.evidence.notes]
    said += [
        f"- set aside: {aside.count} {escaped(aside.what)}: {escaped(aside.why)}" for aside in run.evidence.excluded
    ]
    said += [f"- failed: {escaped(failure)}" for failure in run.summary.failures]
    said += [f"- ended early: {escaped(run.summary.stopped)}"] if run.summary.stopped else []
    if said:
        yield "\n".join(said)


def _map(run: RunDocument) -> Iterator[str]:
    """Which candidates do the same, and the smallest inputs on which groups differ."""
    if len(run.clusters) < 2:
        return
    names = {row.candidate.id: label(row.candidate) for row in run.results} | {ORIGINAL: "original"}
    yield "## Where candidates differ"
    yield "\n".join(
        f"- group {cluster.index}: {escaped(', '.join(names.get(member, member) for member in cluster.members))}"
        for cluster in run.clusters
    )
    told = [
        f"{number}. {_code(each.call)}: group {group} gives {_code(each.here)}, group {each.other} {_code(each.there)}"
        for number, (group, each) in enumerate(run.numbered_differences(), start=1)
    ]
    if told:
        yield "\n".join(told)


def _code(text: str) -> str:
    shown = one_line(text)
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", shown)), default=0))
    return f"{fence} {shown} {fence}" if "`" in shown else f"`{shown}`"


def _fenced(text: str, language: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
