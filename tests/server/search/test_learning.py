"""Who is asked, by what came of it before."""

from __future__ import annotations

from collections import Counter
from random import Random

from codeens_server.domain.systems import Share, SystemRecord
from codeens_server.search.learning import drawn, joined, records_of
from codeens_server.store.statistics import SystemLine

GOOD, POOR, NEW = ("good", "plain"), ("poor", "plain"), ("new", "plain")


def record(model: str, wins: float, tries: float, usd: float | None = 0.01) -> SystemRecord:
    return SystemRecord(model=model, variant="plain", wins=wins, tries=tries, usd=usd)


def first_of(*records: SystemRecord, draws: int = 300) -> Counter[str]:
    """How often each of three is drawn first."""
    random = Random(1)
    known = joined(records, ())
    return Counter(drawn((GOOD, POOR, NEW), known, random)[0][0] for _ in range(draws))


def test_who_wins_more_is_asked_more_and_who_is_new_is_tried() -> None:
    counts = first_of(record("good", 12, 20), record("poor", 1, 20))

    assert counts["good"] > counts["poor"]
    assert counts["new"] > 50
    assert counts["poor"] < 10


def test_a_win_that_costs_ten_times_as_much_counts_as_a_tenth() -> None:
    dear = first_of(record("good", 12, 20, 0.10), record("poor", 6, 20, 0.01), record("new", 0, 200, 0.01))

    assert dear["poor"] > 290


def test_earlier_runs_weigh_as_much_as_a_few_answers_of_this_one() -> None:
    known = joined([record("good", 300, 500)], [record("good", 0, 10)])[GOOD]

    assert (known.tries, known.wins) == (30, 12)


def test_what_the_store_says_of_a_system_is_its_record() -> None:
    line = SystemLine(
        model="good",
        variant="plain",
        runs=4,
        answers=8,
        usable=8,
        passed=Share.of(8, 8),
        won=Share.of(3, 4),
        speed=2.0,
        tokens=100,
        cost_usd=0.02,
        cost_known=True,
    )

    assert records_of([line]) == (SystemRecord(model="good", variant="plain", tries=4, wins=3, usd=0.0025),)
