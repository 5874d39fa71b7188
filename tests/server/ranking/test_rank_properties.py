"""What holds of every ranking, whatever was measured."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, groupby
from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from codeens_server.config.settings import Settings
from codeens_server.domain.document import RankedResult
from codeens_server.domain.measurement import Interval, Measurement
from codeens_server.domain.terms import EvidenceGrade, Goal
from codeens_server.ranking.rank import Entry, Ranking, rank

from .builders import BROKEN, TARGET, WORKING, candidate, measured, passed, rejected, speed

GOALS: tuple[Goal, ...] = get_args(Goal)
GRADES: tuple[EvidenceGrade, ...] = get_args(EvidenceGrade)
many = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ratios = st.floats(0.05, 20.0)
intervals = st.tuples(ratios, st.floats(1.0, 4.0)).map(lambda drawn: speed(drawn[0], drawn[0] * drawn[1]))
measurements = st.builds(
    measured,
    ratio=st.none() | intervals,
    memory=st.none() | ratios,
    reads=st.floats(0.0, 100.0),
    added=st.integers(0, 200),
    removed=st.integers(0, 200),
)
originals = st.sampled_from([WORKING, BROKEN])
goals = st.sampled_from(GOALS)


def named(measurements: Sequence[Measurement], grade: EvidenceGrade) -> list[Entry]:
    return [
        Entry(candidate=candidate(f"c{number}"), verdict=passed(grade), measurement=one)
        for number, one in enumerate(measurements)
    ]


entries = st.builds(named, st.lists(measurements, min_size=1, max_size=6), st.sampled_from(GRADES))


def ranked(entries: Sequence[Entry], goal: Goal, original: Entry) -> Ranking:
    return rank(original, entries, target=TARGET, goal=goal, settings=Settings())


def row_of(ranking: Ranking, name: str) -> RankedResult:
    return next(row for row in ranking.results if row.candidate.id == name)


def rank_of(ranking: Ranking, name: str) -> int:
    found = row_of(ranking, name).rank
    assert found is not None
    return found


@many
@given(given=entries, goal=goals, original=originals, data=st.data())
def test_the_order_is_total_and_does_not_depend_on_the_order_of_arrival(
    given: list[Entry], goal: Goal, original: Entry, data: st.DataObject
) -> None:
    everything = [*given, rejected("r0", "wrong", passed=3), rejected("r1", "wrong", passed=3)]
    first = ranked(everything, goal, original)
    assert ranked(data.draw(st.permutations(everything)), goal, original) == first
    assert sorted(row.candidate.id for row in first.results) == sorted(entry.candidate.id for entry in everything)
    assert [row.rank for row in first.results][-2:] == [None, None]


@many
@given(given=entries, goal=goals, original=originals)
def test_ranks_count_the_rows_above_and_ties_share_one(given: list[Entry], goal: Goal, original: Entry) -> None:
    above = 0
    for number, group in groupby(ranked(given, goal, original).results, key=lambda row: row.rank):
        rows = list(group)
        assert number == above + 1
        assert [row.tied for row in rows] == [False, *[True] * (len(rows) - 1)]
        above += len(rows)


@many
@given(given=entries, goal=goals, original=originals)
def test_rows_of_one_rank_are_tied_in_pairs_whichever_is_named_first(
    given: list[Entry], goal: Goal, original: Entry
) -> None:
    found = ranked(given, goal, original)
    for one, other in combinations(given, 2):
        if rank_of(found, one.candidate.id) == rank_of(found, other.candidate.id):
            swapped = [replace(one, candidate=other.candidate), replace(other, candidate=one.candidate)]
            for pair in ([one, other], swapped):
                assert [row.rank for row in ranked(pair, goal, original).results] == [1, 1]


@many
@given(given=entries, goal=goals, original=originals, faster=st.floats(1.0, 10.0), data=st.data())
def test_a_candidate_that_gets_faster_never_loses_points_or_rank(
    given: list[Entry], goal: Goal, original: Entry, faster: float, data: st.DataObject
) -> None:
    before = data.draw(intervals)
    after = Interval(ratio=before.ratio * faster, low=before.low * faster, high=before.high * faster)
    slow, quick = (
        ranked(
            [*given, Entry(candidate=candidate("x"), verdict=passed(), measurement=measured(ratio=ratio))],
            goal,
            original,
        )
        for ratio in (before, after)
    )
    assert points_of(quick, "x") >= points_of(slow, "x")
    assert rank_of(quick, "x") <= rank_of(slow, "x")
    assert not (slow.best == "x" and quick.best != "x")


@many
@given(given=entries, goal=goals, original=originals)
def test_points_are_from_0_to_100_and_the_sum_of_their_parts(given: list[Entry], goal: Goal, original: Entry) -> None:
    for row in ranked(given, goal, original).results:
        assert row.score is not None
        assert 0.0 <= row.score.total <= 100.0
        assert abs(row.score.total - sum(row.score.parts.values())) < 1e-9


def points_of(ranking: Ranking, name: str) -> float:
    score = row_of(ranking, name).score
    assert score is not None
    return score.total
