"""What a run is told with on stdout: the rows, the headline, what it rests on, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from codeens_server.cli.table import is_unsafe, result_rows, shown_name, shown_rank
from codeens_server.domain import ORIGINAL, Evidence, RunDocument
from codeens_server.text import money, one_line, plural, visible


def print_run(run: RunDocument, console: Console) -> None:
    """Print a run's result."""
    console.print(f"{visible(run.target.qualname)}  {visible(run.target.path)}:{run.target.line}", soft_wrap=True)
    console.print()
    console.print(result_rows(run, width=console.width))
    console.print()
    console.print(Text(one_line(run.headline), style="bold"))
    for line in _grounds(run):
        console.print(line)
    for line in _next_steps(run):
        console.print(line, soft_wrap=True)


def print_map(run: RunDocument, console: Console) -> None:
    """Print the behaviour map: who did the same, and the smallest inputs on which groups differ, numbered."""
    console.print()
    for cluster in run.clusters:
        members = ", ".join(_names(run).get(member, member) for member in cluster.members)
        console.print(f"group {cluster.index} ({plural(cluster.weight, 'answer')}): {visible(members)}")
    for number, (group, difference) in enumerate(run.numbered_differences(), start=1):
        console.print(f"{number}. {one_line(difference.call)}")
        console.print(f"   group {group}: {one_line(difference.here)}")
        console.print(f"   group {difference.other}: {one_line(difference.there)}")
    if any(cluster.differences for cluster in run.clusters):
        console.print(f"Hold all candidates to one of these: codeens runs pin-input {run.run_id} N", soft_wrap=True)


def _names(run: RunDocument) -> dict[str, str]:
    names = {ORIGINAL: "0 original"}
    for number, row in enumerate(run.results, start=1):
        names[row.candidate.id] = f"{shown_rank(row, number)} {shown_name(row.candidate, run)}"
    return names


def _grounds(run: RunDocument) -> Iterator[Text]:
    evidence, summary = run.evidence, run.summary
    yield Text(f"evidence: {_counts(evidence)}", style="dim")
    for note in evidence.notes:
        yield Text(f"note: {one_line(note)}", style="yellow")
    for aside in evidence.excluded:
        yield Text(f"set aside: {aside.count} {one_line(aside.what)}: {one_line(aside.why)}", style="dim")
    for sandbox in sorted({row.verdict.sandbox for row in (run.original, *run.results) if row.verdict.sandbox}):
        yield Text(f"sandbox: {one_line(sandbox)}", style="bold red" if sandbox.startswith("unsafe") else "dim")
    if any(is_unsafe(row.verdict) for row in (run.original, *run.results)):
        yield Text(
            "The code above ran NOT ISOLATED: it could read and change everything that you can.", style="bold red"
        )
    cost = money(summary.cost_usd) if summary.cost_known else f"at least {money(summary.cost_usd)}"
    yield Text(
        f"{plural(summary.generated, 'answer')}, {summary.executed} run, {summary.passed} passed, cost {cost}, "
        f"{summary.wall_s:.1f} s",
        style="dim",
    )
    for failure in summary.failures:
        yield Text(f"failed: {one_line(failure)}", style="yellow")
    if summary.stopped:
        yield Text(f"The run ended early: {one_line(summary.stopped)}. What was found is kept.", style="yellow")


def _counts(evidence: Evidence) -> str:
    origins = {"doctest": "doctest", "recorded": "recorded call", "generated": "generated input"}
    origins |= {"test_case": "test case", "pinned": "kept input"}
    parts = [plural(len(evidence.tests), "test")] if evidence.tests else []
    parts += [
        plural(sum(case.origin == origin for case in evidence.cases), noun)
        for origin, noun in origins.items()
        if any(case.origin == origin for case in evidence.cases)
    ]
    if evidence.coverage is not None:
        parts.append(f"{evidence.coverage.percent:.0f} % of the lines")
    return ", ".join(parts) or "none"


def _next_steps(run: RunDocument) -> Iterator[str]:
    best = next((number for number, row in enumerate(run.results, start=1) if row.candidate.id == run.best), None)
    if run.summary.stopped:
        yield f"go on:    codeens run --resume {run.run_id}"
    if best is not None:
        yield f"see it:   codeens runs diff {run.run_id} {best}"
        yield f"apply it: codeens runs apply {run.run_id} {best}"
    elif any(row.rank is not None for row in run.results):
        yield f"see one all the same: codeens runs diff {run.run_id} 1"
    if any(cluster.differences for cluster in run.clusters):
        yield f"where candidates differ: codeens runs show {run.run_id}"
