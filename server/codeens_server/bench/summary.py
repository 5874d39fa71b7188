"""What the lines of a benchmark come to: pass@k of each system, comparisons, and what ensembles could reach."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from codeens_server.bench.records import Ending, Record
from codeens_server.bench.statistics import Counts, Difference, Estimate, compare_all, coverage, pass_at


class System(Struct, frozen=True, kw_only=True):
    """One model asked in one way."""

    name: str
    """`model · variant`, or the model alone where there is one variant."""
    model: str
    variant: str
    samples: int
    tasks: int
    pass_at: dict[str, Estimate]
    """By `pass@k`; only the k that every task has samples for."""
    first_round: Estimate | None
    """pass@1 of first answers, where there were more rounds."""
    usd: float | None
    """None: the price is not known."""
    tokens: int
    seconds: float
    """In the median, from a question to its reply; of replies that were not kept from before."""
    endings: dict[Ending, int]


class EqualBudget(Struct, frozen=True, kw_only=True):
    """What as many answers can reach, always picking a right one where there is one."""

    answers: int
    ensemble: Estimate
    """One answer of each system."""
    best: str
    """The system with the best pass@1."""
    best_of_n: Estimate | None
    """As many answers of that one alone; None: there are not as many samples of it."""


class Summary(Struct, frozen=True, kw_only=True):
    """A benchmark in numbers."""

    dataset: str
    digest: str
    records: int
    unanswered: int
    systems: tuple[System, ...]
    comparisons: tuple[Difference, ...]
    equal_budget: EqualBudget | None


class _Gathered:
    """What is remembered of the lines of a system."""

    def __init__(self) -> None:
        self.counts: dict[str, tuple[int, int]] = {}
        self.first: dict[str, tuple[int, int]] = {}
        self.endings: Counter[Ending] = Counter()
        self.usd: float | None = 0.0
        self.tokens = 0
        self.more_rounds = False
        self.times: list[float] = []

    def add(self, record: Record) -> None:
        self.endings[record.ending] += 1
        cost = record.cost_usd
        self.usd = None if self.usd is None or cost is None else self.usd + cost
        self.tokens += sum(attempt.tokens_in + attempt.tokens_out for attempt in record.attempts)
        self.times += [attempt.ask_s for attempt in record.attempts if not attempt.cached]
        if not record.counts:
            return
        self.more_rounds = self.more_rounds or record.rounds > 1
        _count(self.counts, record.task_id, passed=record.passed)
        _count(self.first, record.task_id, passed=record.attempts[0].ending == "passed")


def _count(counts: dict[str, tuple[int, int]], task: str, *, passed: bool) -> None:
    total, right = counts.get(task, (0, 0))
    counts[task] = total + 1, right + passed


def summarise(records: Iterable[Record], ks: Sequence[int], *, seed: int = 0) -> Summary:
    """Return what lines come to; of those with the same key the last one that says something counts."""
    latest: dict[tuple[str, str, str, int], Record] = {}
    for record in records:
        if record.counts or record.key not in latest:
            latest[record.key] = record
    gathered: defaultdict[tuple[str, str], _Gathered] = defaultdict(_Gathered)
    for record in latest.values():
        gathered[record.model, record.variant].add(record)
    any_record = next(iter(latest.values()), None)
    names = _names(list(gathered))
    by_name: dict[str, Counts] = {names[key]: one.counts for key, one in gathered.items() if one.counts}
    systems = [_system(names[key], key, one, ks, seed) for key, one in gathered.items()]
    return Summary(
        dataset=any_record.dataset if any_record else "",
        digest=any_record.digest if any_record else "",
        records=len(latest),
        unanswered=sum(one.endings["no_answer"] for one in gathered.values()),
        systems=tuple(sorted(systems, key=_by_pass_at_1, reverse=True)),
        comparisons=tuple(compare_all(by_name, seed=seed)),
        equal_budget=_equal_budget(by_name, seed),
    )


def _by_pass_at_1(system: System) -> float:
    found = system.pass_at.get("pass@1")
    return found.value if found else -1.0


def _names(keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    variants = Counter(model for model, _ in keys)
    return {(model, variant): model if variants[model] == 1 else f"{model} · {variant}" for model, variant in keys}


def _system(name: str, key: tuple[str, str], one: _Gathered, ks: Sequence[int], seed: int) -> System:
    times = sorted(one.times)
    estimates = {f"pass@{k}": found for k in ks if (found := pass_at(k, one.counts, seed=seed)) is not None}
    return System(
        name=name,
        model=key[0],
        variant=key[1],
        samples=sum(total for total, _ in one.counts.values()),
        tasks=len(one.counts),
        pass_at=estimates,
        first_round=pass_at(1, one.first, seed=seed) if one.more_rounds else None,
        usd=one.usd,
        tokens=one.tokens,
        seconds=times[len(times) // 2] if times else 0.0,
        endings=dict(one.endings),
    )


def _equal_budget(by_name: Mapping[str, Counts], seed: int) -> EqualBudget | None:
    """Return what an ensemble of all systems could reach, beside the best one with as many answers."""
    ensemble = coverage(by_name, seed=seed) if len(by_name) > 1 else None
    if ensemble is None:
        return None
    means = {name: found.value for name, counts in by_name.items() if (found := pass_at(1, counts, seed=seed))}
    best = max(means, key=lambda name: means[name])
    common = {task: by_name[best][task] for task in by_name[best] if all(task in other for other in by_name.values())}
    return EqualBudget(
        answers=len(by_name), ensemble=ensemble, best=best, best_of_n=pass_at(len(by_name), common, seed=seed)
    )
