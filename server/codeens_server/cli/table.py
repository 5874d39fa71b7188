"""The rows of a run's result as a table, or, where the terminal is narrow, as a list."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from codeens_server.domain import Candidate, Interval, Memory, RankedResult, RunDocument, Verdict
from codeens_server.ranking.wording import evidence, interval, label, times
from codeens_server.text import money, one_line

_WIDTH_FOR_A_TABLE = 110
_WIDTH_OF_A_PIPE = 160
_STYLES = {"passed": "green", "failed": "red", "error": "red", "timeout": "yellow", "refused": "yellow"}


class Row(Struct, frozen=True, kw_only=True):
    """A result as texts; the names of the fields are the headings."""

    rank: Text
    candidate: Text
    verdict: Text
    speed: Text
    memory: Text
    readable: Text
    diff: Text
    cost: Text


def console(*, stderr: bool = False) -> Console:
    """A console for plain text; what is piped is as wide as a whole table."""
    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = _WIDTH_OF_A_PIPE
    return made


def result_rows(run: RunDocument, *, width: int) -> RenderableType:
    """All rows: the original, the ranked, and the rejected with their reasons."""
    rows = [_row(result, number, run) for number, result in enumerate((run.original, *run.results))]
    return _as_table(rows) if width >= _WIDTH_FOR_A_TABLE else _as_list(rows)


def is_unsafe(verdict: Verdict) -> bool:
    """Whether the code ran without isolation."""
    return verdict.sandbox.startswith("unsafe")


def shown_rank(result: RankedResult, number: int) -> str:
    """The place of a row as people give it to `diff` and `apply`; `=` marks no difference from the row above."""
    if result.rank is None:
        return "-"
    return f"{number}=" if result.tied else str(number)


def shown_name(candidate: Candidate, run: RunDocument) -> str:
    """The model and the variant; with the id where several rows have both in common."""
    if candidate.id == run.original.candidate.id:
        return "original"
    alike = [row for row in run.results if label(row.candidate) == label(candidate)]
    return one_line(label(candidate) + (f" ({candidate.id})" if len(alike) > 1 else ""))


def _row(result: RankedResult, number: int, run: RunDocument) -> Row:
    is_original = result is run.original
    alike = len(result.candidate.same_as)
    style = "bold" if result.candidate.id == run.best else ""
    readability = result.readability
    ground = evidence(result.verdict, improving=run.mode == "improve")
    return Row(
        rank=Text("0" if is_original else shown_rank(result, number), style=style),
        candidate=Text(shown_name(result.candidate, run) + (f" +{alike} alike" if alike else ""), style=style),
        verdict=verdict_text(result.verdict, ground, result.reason),
        speed=_speed(result.speed),
        memory=_memory(result.memory),
        readable=Text(f"{readability.score:.0f}" if readability else ""),
        diff=Text("" if is_original else f"+{result.diff.added} -{result.diff.removed}"),
        cost=Text("" if is_original else money(result.cost_usd)),
    )


def verdict_text(verdict: Verdict, ground: str, reason: str) -> Text:
    """A verdict with what it rests on, or, of a rejection, with its reason."""
    text = Text()
    if is_unsafe(verdict):
        text.append("NOT ISOLATED ", style="bold red")
    text.append(verdict.status, style=_STYLES.get(verdict.status, ""))
    if said := ground if verdict.status == "passed" else one_line(reason or verdict.reason):
        text.append(f": {said}", style="none")
    if verdict.isolation == "shared":
        text.append(" (told by the process it ran in)", style="yellow")
    return text


def _speed(speed: Interval | None) -> Text:
    if speed is None:
        return Text("")
    style = "green" if speed.faster else "red" if speed.slower else "dim"
    return Text(" ".join(interval(speed)), style=style)


def _memory(memory: Memory | None) -> Text:
    if memory is None:
        return Text("")
    return Text(_bytes(memory.peak_bytes) if memory.ratio is None else times(memory.ratio))


def _bytes(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def _as_table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in Row.__struct_fields__:
        foldable = name in {"candidate", "verdict"}
        table.add_column("" if name == "rank" else name, no_wrap=not foldable, overflow="fold")
    for row in rows:
        table.add_row(*(getattr(row, name) for name in Row.__struct_fields__))
    return table


def _as_list(rows: Sequence[Row]) -> Group:
    parts: list[RenderableType] = []
    for row in rows:
        named = {"memory": row.memory, "readable": row.readable, "diff": row.diff, "cost": row.cost}
        figures = [row.speed, *(Text.assemble(f"{name} ", text) for name, text in named.items() if text)]
        parts.append(Text.assemble(row.rank, "  ", row.candidate))
        parts.append(Padding(row.verdict, (0, 0, 0, 3)))
        if shown := [text for text in figures if text]:
            parts.append(Padding(Text(", ").join(shown), (0, 0, 0, 3)))
    return Group(*parts)
