"""The interval of a race, on races made up from seeded noise."""

from __future__ import annotations

import random

import msgspec
import pytest

from codeens_sandbox_backends.base import TimingPair, TimingResult
from codeens_server.measuring.statistics import (
    HIDDEN_NOTE,
    LOAD_NOTE,
    REMEMBERS_NOTE,
    SLOWED_NOTE,
    UNCONFIRMED_NOTE,
    speed_interval,
    t_quantile,
)


def race(
    rng: random.Random,
    *,
    ratio: float = 1.0,
    pairs: int = 7,
    layout: float = 0.01,
    noise: float = 0.02,
    overhead: float = 0.0,
    remembered: tuple[float, float] = (0.0, 0.0),
) -> TimingResult:
    """A race in which the original needs 10 ms and the candidate 10 ms / ratio for a pass that is not the first.

    `remembered` is what a first pass takes longer on either side, `overhead` what it costs to start any sample.
    """
    inner = 1000
    made: list[TimingPair] = []
    for _ in range(pairs):
        a = 0.01 * rng.lognormvariate(0, layout)
        b = 0.01 / ratio * rng.lognormvariate(0, layout)

        def samples(seconds: float, count: int = 5) -> tuple[float, ...]:
            return tuple(seconds * rng.lognormvariate(0, noise) for _ in range(count))

        made.append(
            TimingPair(
                a=samples(a + (overhead + remembered[0]) / inner),
                b=samples(b + (overhead + remembered[1]) / inner),
                cold_a=samples(a + overhead + remembered[0], 3),
                cold_b=samples(b + overhead + remembered[1], 3),
                again_a=samples(a + overhead, 3),
                again_b=samples(b + overhead, 3),
            )
        )
    return TimingResult(pairs=tuple(made), inner=inner, outcomes_a=(), outcomes_b=())


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(2, 6.9646), (3, 4.5407), (4, 3.7469), (5, 3.3649), (6, 3.1427), (30, 3.1427)]
)
def test_the_t_quantile_is_the_tabulated_one_and_never_too_small(freedom: int, quantile: float) -> None:
    assert t_quantile(freedom) == pytest.approx(quantile, abs=1e-4)


@pytest.mark.parametrize(
    ("pairs", "layout", "noise"), [(7, 0.005, 0.01), (7, 0.02, 0.05), (7, 0.03, 0.3), (3, 0.02, 0.05), (5, 0.03, 0.3)]
)
def test_a_race_against_itself_is_hardly_ever_a_difference(pairs: int, layout: float, noise: float) -> None:
    rng = random.Random(20)
    found = [speed_interval(race(rng, pairs=pairs, layout=layout, noise=noise), 1) for _ in range(3000)]
    assert sum(interval is not None and interval.faster for interval in found) <= 0.02 * len(found)
    assert sum(interval is not None and interval.slower for interval in found) <= 0.02 * len(found)


def test_slow_stretches_that_hit_both_sides_alike_cancel() -> None:
    rng = random.Random(3)
    pairs: list[TimingPair] = []
    for _ in range(7):
        stretches = [rng.uniform(1, 5) for _ in range(5)]
        a = tuple(0.02 * stretch for stretch in stretches)
        b = tuple(0.01 * stretch for stretch in stretches)
        pairs.append(TimingPair(a=a, b=b, cold_a=a, cold_b=b))
    interval = speed_interval(TimingResult(pairs=tuple(pairs), inner=1, outcomes_a=(), outcomes_b=()), 1)
    assert interval is not None
    assert interval.ratio == pytest.approx(2.0)
    assert interval.high / interval.low < 1.03


@pytest.mark.parametrize("ratio", [0.3, 1.5, 40.0])
def test_the_interval_holds_the_true_ratio_and_claims_it(ratio: float) -> None:
    rng = random.Random(7)
    found = [speed_interval(race(rng, ratio=ratio), 12) for _ in range(200)]
    held = [interval for interval in found if interval is not None and interval.low <= ratio <= interval.high]
    assert len(held) >= 190
    assert all(interval.faster == (ratio > 1) and interval.slower == (ratio < 1) for interval in held)
    assert held[0].original_s == pytest.approx(0.01, rel=0.1)
    assert held[0].candidate_s == pytest.approx(0.01 / ratio, rel=0.1)
    assert (held[0].inputs, held[0].pairs) == (12, 7)


def test_a_speed_up_below_one_percent_is_never_claimed() -> None:
    interval = speed_interval(race(random.Random(1), ratio=1.009, layout=0.0, noise=0.0), 1)
    assert interval is not None
    assert not interval.faster


def test_a_candidate_that_remembers_results_gets_the_ratio_of_first_calls() -> None:
    interval = speed_interval(race(random.Random(5), ratio=500.0, remembered=(0.0, 0.01)), 1)
    assert interval is not None
    assert interval.note == REMEMBERS_NOTE
    assert interval.ratio == pytest.approx(1.0, rel=0.1)
    assert interval.candidate_s == pytest.approx(0.01, rel=0.1)
    assert not interval.faster


def test_when_the_original_remembers_too_later_calls_are_compared() -> None:
    interval = speed_interval(race(random.Random(5), ratio=2.0, remembered=(0.1, 0.1)), 1)
    assert interval is not None
    assert interval.note == ""
    assert interval.ratio == pytest.approx(2.0, rel=0.1)


def test_an_original_that_remembers_keeps_its_advantage_over_a_candidate_that_does_not() -> None:
    interval = speed_interval(race(random.Random(5), ratio=0.5, remembered=(0.1, 0.0)), 1)
    assert interval is not None
    assert (interval.note, interval.slower) == ("", True)


@pytest.mark.parametrize("ratio", [1.0, 5.0, 300.0])
def test_the_cost_of_starting_a_sample_is_not_taken_for_memory(ratio: float) -> None:
    rng = random.Random(6)
    found = [speed_interval(race(rng, ratio=ratio, overhead=0.02), 1) for _ in range(200)]
    noted = [interval for interval in found if interval is not None and interval.note]
    assert len(noted) <= 4
    assert len(found) == 200


def test_two_pairs_are_too_few_for_an_interval() -> None:
    assert speed_interval(race(random.Random(2), pairs=2), 1) is None


def test_pairs_without_samples_are_not_counted() -> None:
    timed = race(random.Random(2), pairs=3)
    empty = TimingPair(a=(), b=(), cold_a=(), cold_b=())
    interval = speed_interval(TimingResult(pairs=(*timed.pairs, empty), inner=1, outcomes_a=(), outcomes_b=()), 1)
    assert interval is not None
    assert interval.pairs == 3


def played(
    rng: random.Random, *, hidden: float = 0.0, loading: float = 0.0, alone: float = 0.0, stalls: float = 0.0
) -> TimingResult:
    """A race that shows a candidate five times as fast, with passes of 100 ms, one to a sample, and whole ones.

    `hidden` seconds of a whole pass are in no sample, `loading` it takes longer to load. `stalls` is how many seconds a
    busy machine adds to a whole pass or a load at most; where there are any, whole passes are taken beyond the pairs.
    """

    def about(seconds: float) -> float:
        return seconds * rng.lognormvariate(0, 0.02)

    def stalled(seconds: float) -> float:
        return about(seconds) + stalls * rng.random() ** 2

    def whole() -> TimingPair:
        return TimingPair(
            whole_a=stalled(0.11),
            whole_b=stalled(0.03 + hidden),
            load_a=stalled(0.05),
            load_b=stalled(0.05 + loading),
        )

    def pair() -> TimingPair:
        samples = {side: tuple(about(seconds) for _ in range(5)) for side, seconds in (("a", 0.1), ("b", 0.02))}
        return msgspec.structs.replace(whole(), **samples)

    pairs = (*(pair() for _ in range(7)), *(whole() for _ in range(14 if stalls else 0)))
    return TimingResult(pairs=pairs, inner=1, alone_s=alone, outcomes_a=(), outcomes_b=())


def notes(rng: random.Random, races: int = 200, **changed: float) -> list[tuple[bool, str]]:
    """Whether it was called faster, and the note, of each of many such races."""
    found = [speed_interval(played(rng, **changed), 1) for _ in range(races)]
    return [(interval.faster, interval.note) for interval in found if interval is not None]


def test_a_whole_pass_that_is_as_fast_confirms_the_samples() -> None:
    assert set(notes(random.Random(1))) == {(True, "")}


def test_work_that_is_in_no_sample_is_counted() -> None:
    assert set(notes(random.Random(2), hidden=0.08)) == {(False, HIDDEN_NOTE)}


def test_work_done_when_it_is_loaded_is_no_speed() -> None:
    assert {note for _, note in notes(random.Random(3), loading=0.08)} <= {UNCONFIRMED_NOTE, LOAD_NOTE}
    assert not any(faster for faster, _ in notes(random.Random(3), loading=0.08))


def test_hidden_work_is_hardly_ever_lost_in_the_stalls_of_a_busy_machine() -> None:
    found = notes(random.Random(4), races=2000, hidden=0.08, stalls=0.3)
    assert sum(faster for faster, _ in found) <= 0.02 * len(found)


def test_a_true_speed_up_is_hardly_ever_lost_in_them() -> None:
    found = notes(random.Random(6), races=2000, stalls=0.08)
    assert sum(faster for faster, _ in found) >= 0.98 * len(found)


def test_who_holds_the_original_up_gains_nothing() -> None:
    found = speed_interval(played(random.Random(5), alone=0.015), 1)
    assert found is not None
    assert (found.faster, found.note) == (False, SLOWED_NOTE)
