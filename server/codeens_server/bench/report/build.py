"""From the lines of a benchmark to its report."""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

from codeens_server.bench.records import Record
from codeens_server.bench.report.model import (
    BenchReport,
    DataSource,
    EarlierComparison,
    FailureCause,
    Scores,
    SystemRow,
)
from codeens_server.bench.statistics import Counts, compare_all, pass_at

KS = (1, 5, 10, 100)
_MOST_CAUSES = 40
_MOST_COMPARED = 20
"""Systems that are compared pair by pair: beyond, the pairs tell nobody anything."""
_CASE = re.compile(r"'[^']*'|\"[^\"]*\"|\[[^\]]*\]|\([^)]*\)|\{[^}]*\}|-?\d[\d.e+-]*")


class _System:
    """What is added up of one model and variant while records are read."""

    def __init__(self, model: str, variant: str) -> None:
        self.model, self.variant = model, variant
        self.counts: dict[str, tuple[int, int]] = {}
        self.difficulty: dict[str, str] = {}
        self.endings: Counter[str] = Counter()
        self.unjudged = 0
        self.ask_s: list[float] = []
        self.run_s: list[float] = []
        self.cost_usd: float | None = 0.0
        self.tokens = 0

    @property
    def name(self) -> str:
        return f"{self.model} · {self.variant}"

    def add(self, record: Record) -> None:
        if not record.counts:
            self.unjudged += 1
            return
        total, right = self.counts.get(record.task_id, (0, 0))
        self.counts[record.task_id] = total + 1, right + record.passed
        if record.difficulty is not None:
            self.difficulty[record.task_id] = record.difficulty
        self.endings[record.ending] += 1
        self.ask_s += [attempt.ask_s for attempt in record.attempts if not attempt.cached]
        if record.last.run_s is not None:
            self.run_s.append(record.last.run_s)
        cost = record.cost_usd
        self.cost_usd = None if self.cost_usd is None or cost is None else self.cost_usd + cost
        self.tokens += sum(attempt.tokens_in + attempt.tokens_out for attempt in record.attempts)

    def row(self) -> SystemRow:
        found = {f"pass@{k}": pass_at(k, self.counts) for k in KS}
        levels = {
            level: {task: self.counts[task] for task, its in self.difficulty.items() if its == level}
            for level in ("easy", "medium", "hard", "extreme")
        }
        by_difficulty = {level: pass_at(1, counts) for level, counts in levels.items() if counts}
        return SystemRow(
            name=self.name,
            model=self.model,
            variant=self.variant,
            samples=self.endings.total(),
            tasks=len(self.counts),
            pass_at={name: estimate for name, estimate in found.items() if estimate is not None},
            by_difficulty={level: estimate for level, estimate in by_difficulty.items() if estimate is not None},
            endings=dict(self.endings.most_common()),
            unjudged=self.unjudged,
            ask_s=median(self.ask_s) if self.ask_s else None,
            run_s=median(self.run_s) if self.run_s else None,
            cost_usd=self.cost_usd,
            tokens=self.tokens,
        )


def latest(records: Iterable[Record]) -> list[Record]:
    """Return one record of each item, the last."""
    return list({(record.dataset, *record.key): record for record in records}.values())


def build_report(kept: Sequence[Record], earlier: Iterable[Record] = (), scores: Scores | None = None) -> BenchReport:
    """Return the report of records.

    Args:
        kept: of any number of data sets, models and variants; one of each item.
        earlier: another run, that each system is compared with.
        scores: of the same records.
    """
    systems = _systems(kept)
    rows = sorted((system.row() for system in systems.values()), key=_order)
    counts: dict[str, Counts] = {name: system.counts for name, system in systems.items() if system.counts}
    compared = {row.name: counts[row.name] for row in rows[:_MOST_COMPARED] if row.name in counts}
    notes = (
        [f"only the first {_MOST_COMPARED} of {len(rows)} systems are compared"] if len(rows) > _MOST_COMPARED else []
    )
    digests = {f"{record.dataset} ({record.digest[:12]})" for record in kept}
    if len({label.split(" (")[0] for label in digests}) < len(digests):
        notes.append("the same data set stands here in several versions: their numbers are not of the same tasks")
    earlier = list(earlier)
    notes += _elsewhere(kept, earlier)
    return BenchReport(
        datasets=tuple(sorted(digests)),
        records=len(kept),
        systems=tuple(rows),
        comparisons=tuple(compare_all(compared)),
        grid=_grid(systems, [row.name for row in rows]),
        failures=_failures(kept),
        changes=_changes(counts, {name: system.counts for name, system in _systems(earlier).items()}),
        scores=scores,
        notes=(*notes, *(scores.notes if scores else ())),
        data=tuple(_sources(kept)),
    )


def _sources(records: Iterable[Record]) -> Iterator[DataSource]:
    groups: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        groups[record.dataset, record.digest].append(record)
    for (dataset, digest), group in sorted(groups.items()):
        words = ["codeens", "bench", "run", dataset]
        words += [word for name in sorted({record.model for record in group}) for word in ("--model", name)]
        words += [word for name in sorted({record.variant for record in group}) for word in ("--variant", name)]
        words += ["--samples", str(1 + max(record.sample for record in group)), "--out", "RESULTS.jsonl"]
        tasks = len({record.task_id for record in group})
        yield DataSource(dataset=dataset, digest=digest, tasks=tasks, command=shlex.join(words))


def _elsewhere(now: Iterable[Record], before: Iterable[Record]) -> Iterator[str]:
    """Say in what the machines of two runs differ: their seconds do not compare then."""
    ours, theirs = ({record.machine for record in records} for records in (now, before))
    for name in ("cpus", "system", "python", "sandbox") if theirs else ():
        here, there = (", ".join(sorted({str(getattr(one, name)) for one in some})) for some in (ours, theirs))
        if here != there:
            yield f"the earlier run was made elsewhere, so seconds do not compare: {name} {there}, now {here}"


def _systems(records: Iterable[Record]) -> dict[str, _System]:
    systems: dict[str, _System] = {}
    for record in records:
        system = _System(record.model, record.variant)
        systems.setdefault(system.name, system).add(record)
    return systems


def _order(row: SystemRow) -> tuple[float, str]:
    first = row.pass_at.get("pass@1")
    return -first.value if first else 1.0, row.name


def _grid(systems: Mapping[str, _System], names: list[str]) -> dict[str, dict[str, float]]:
    grid: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for name in names:
        for task, (total, right) in systems[name].counts.items():
            grid[task][name] = right / total
    return dict(sorted(grid.items(), key=lambda entry: _by_number(entry[0])))


def _by_number(task: str) -> list[tuple[int, str]]:
    """Order `T/9` before `T/10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", task) if part]


def cause_of(reason: str) -> str:
    """Return what is common to reasons of one kind: values and numbers left out."""
    return _CASE.sub("…", reason.split("\n", maxsplit=1)[0])[:120].strip()


def _failures(records: Iterable[Record]) -> tuple[FailureCause, ...]:
    groups: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        if not record.passed and record.ending != "not_run":
            groups[record.ending, cause_of(record.last.reason)].append(record)
    largest = sorted(groups.items(), key=lambda entry: -len(entry[1]))[:_MOST_CAUSES]
    return tuple(
        FailureCause(
            ending=ending,
            cause=cause,
            samples=len(group),
            systems=tuple(sorted({f"{record.model} · {record.variant}" for record in group})),
            example=f"{group[0].task_id} of {group[0].model} · {group[0].variant}, sample {group[0].sample}",
            reason=group[0].last.reason[:2000],
        )
        for (ending, cause), group in largest
    )


def _changes(now: Mapping[str, Counts], before: Mapping[str, Counts]) -> tuple[EarlierComparison, ...]:
    changes: list[EarlierComparison] = []
    for name in now.keys() & before.keys():
        for difference in compare_all({"now": now[name], "before": before[name]}):
            gains = {
                task: _share(now[name][task]) - _share(before[name][task]) for task in now[name] if task in before[name]
            }
            changes.append(
                EarlierComparison(
                    name=name,
                    difference=difference,
                    better=tuple(task for task, gain in gains.items() if gain > 0),
                    worse=tuple(task for task, gain in gains.items() if gain < 0),
                )
            )
    return tuple(sorted(changes, key=lambda change: change.name))


def _share(counted: tuple[int, int]) -> float:
    total, right = counted
    return right / total
