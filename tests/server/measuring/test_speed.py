"""The interval of a race, on races made up from seeded noise."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypedDict, Unpack

import pytest
from msgspec import structs

from codeens_sandbox_backends.races import SideTimes
from codeens_server.domain.measurement import Interval
from codeens_server.measuring.statistics import (
    BUSY_NOTE,
    FEW_NOTE,
    FIRST_NOTE,
    LOAD_NOTE,
    LOOKS,
    REMEMBERS_NOTE,
    UNCONFIRMED_NOTE,
    WAITING_NOTE,
    WALL_NOTE,
    PairedRound,
    is_decided,
    is_too_wide,
    speed_interval,
    t_quantile,
)

Noise = Callable[[random.Random], float]


class Changed(TypedDict, total=False):
    """What is said of a round, in place of the defaults of `pair`."""

    pass_s: float
    ratio: float
    noise: Noise
    hidden_s: float
    loading_s: float
    remembered_s: float
    waiting_s: float
    jitter_s: float
    single_noise_s: Noise


def quiet(rng: random.Random) -> float:
    return rng.gauss(0, 0.01)


def silent(_: random.Random) -> float:
    return 0.0


def heavy(rng: random.Random) -> float:
    """Of Student's t with three degrees of freedom: now and then a round is far off."""
    return 0.03 * rng.gauss(0, 1) / (sum(rng.gauss(0, 1) ** 2 for _ in range(3)) / 3) ** 0.5


def off(rng: random.Random) -> float:
    """Of single passes, in seconds: as on a machine where so much runs that one in seven is far off."""
    return rng.gauss(0, 0.0005 if rng.random() < 0.15 else 0.0001)


def pair(
    rng: random.Random,
    *,
    pass_s: float = 0.03,
    ratio: float = 1.0,
    noise: Noise = quiet,
    hidden_s: float = 0.0,
    loading_s: float = 0.0,
    remembered_s: float = 0.0,
    waiting_s: float = 0.0,
    jitter_s: float = 0.0003,
    single_noise_s: Noise = silent,
) -> PairedRound:
    """One round: what the candidate hides from its samples, loads longer, or remembers after its first pass."""

    def side(seconds: float, hidden: float, loading: float, remembered: float) -> SideTimes:
        timed = seconds * 2.718281828 ** noise(rng)
        load = 0.001 + loading + abs(rng.gauss(0, jitter_s / 10))
        first = load + 0.003 + seconds + hidden + rng.gauss(0, jitter_s)
        single = seconds + abs(rng.gauss(0, 2e-6)) + single_noise_s(rng)
        fresh = (single + hidden + remembered) if seconds < 0.02 else 0.0
        return SideTimes(
            passes_s=(timed,),
            busy_passes_s=(timed + waiting_s,),
            first_s=first,
            busy_first_s=first + waiting_s,
            load_s=load,
            fresh_s=fresh,
            busy_fresh_s=fresh and fresh + waiting_s,
            cold_s=single + remembered,
            again_s=single,
        )

    return PairedRound(
        original=side(pass_s, 0.0, 0.0, 0.0), candidate=side(pass_s / ratio, hidden_s, loading_s, remembered_s)
    )


def raced(
    rng: random.Random, rounds: int = 12, *, repeated: int = 1, wall: bool = False, **changed: Unpack[Changed]
) -> Interval:
    pairs = [pair(rng, **changed) for _ in range(rounds)]
    found = speed_interval(pairs, repeated=repeated, inputs=7, clock="wall" if wall else "processor")
    assert found is not None
    return found


def ended(rng: random.Random, *, repeated: int = 1, **changed: Unpack[Changed]) -> Interval:
    """A race that is ended as soon as it is decided."""
    pairs: list[PairedRound] = []
    for look in LOOKS:
        pairs += [pair(rng, **changed) for _ in range(look - len(pairs))]
        found = speed_interval(pairs, repeated=repeated, inputs=7, clock="processor")
        assert found is not None
        if look == LOOKS[-1] or is_decided(found, 0.0):
            return found
    raise AssertionError


@pytest.mark.parametrize(
    ("tail", "freedom", "quantile"),
    [(0.01, 2, 6.965), (0.002, 2, 15.764), (0.001, 4, 7.173), (0.01, 5, 3.365), (0.005, 11, 3.106), (0.01, 1, 31.821)],
)
def test_the_quantile_of_t_is_the_tabulated_one(tail: float, freedom: int, quantile: float) -> None:
    assert t_quantile(tail, freedom) == pytest.approx(quantile, rel=2e-3)


@pytest.mark.parametrize("noise", [quiet, heavy])
@pytest.mark.parametrize("ratio", [1.0, 1.1, 2.0, 10.0])
def test_wherever_a_race_ends_its_interval_holds_the_true_ratio(ratio: float, noise: Noise) -> None:
    rng = random.Random(7)
    found = [ended(rng, ratio=ratio, noise=noise) for _ in range(400)]
    assert sum(speed.low <= ratio <= speed.high for speed in found) >= 0.97 * len(found)
    if ratio == 1.0:
        assert sum(speed.faster or speed.slower for speed in found) <= 0.01 * len(found)


def test_a_race_is_ended_the_sooner_the_clearer_it_is() -> None:
    rng = random.Random(3)
    rounds = {ratio: [ended(rng, ratio=ratio).rounds for _ in range(50)] for ratio in (1.0, 10.0)}
    assert sum(rounds[10.0]) < sum(rounds[1.0])
    assert set(rounds[10.0]) <= {3, 5}


def test_who_cannot_win_any_more_is_dropped_before_it_is_known_exactly() -> None:
    vague = Interval(ratio=1.2, low=1.1, high=1.32, rounds=8)
    assert not is_decided(vague, 1.1)
    assert is_decided(vague, 1.5)
    assert is_decided(Interval(ratio=0.5, low=0.45, high=0.56, rounds=3), 0.0)


def test_fewer_than_three_rounds_say_nothing() -> None:
    rng = random.Random(2)
    pairs = [pair(rng), pair(rng)]
    assert speed_interval(pairs, repeated=1, inputs=1, clock="processor") is None


def test_a_speed_up_below_one_percent_is_never_claimed() -> None:
    assert not raced(random.Random(1), ratio=1.009, noise=silent).faster


def test_an_interval_wider_than_a_factor_of_three_is_none() -> None:
    assert is_too_wide(Interval(ratio=0.73, low=0.05, high=10.99))
    assert not is_too_wide(Interval(ratio=10.0, low=6.0, high=17.0))
    assert is_too_wide(Interval(ratio=2000.0, low=500.0, high=9000.0))
    assert "too busy" in BUSY_NOTE


def test_the_seconds_of_both_sides_stand_beside_the_ratio() -> None:
    found = raced(random.Random(4), ratio=2.0)
    assert found.original_s == pytest.approx(0.03, rel=0.05)
    assert found.candidate_s == pytest.approx(0.015, rel=0.05)
    assert (found.inputs, found.rounds, found.note, found.confirmed) == (7, 12, "", True)


def test_work_that_is_done_before_or_after_the_clock_earns_no_claim() -> None:
    rng = random.Random(5)
    found = [raced(rng, rounds, ratio=10.0, hidden_s=0.027) for rounds in LOOKS for _ in range(100)]
    assert not any(speed.faster for speed in found)
    assert {speed.note for speed in found if speed.rounds >= 5} == {FIRST_NOTE}
    late = raced(rng, ratio=10.0, hidden_s=0.027)
    assert late.ratio == pytest.approx(1.0, rel=0.1)


def test_work_that_is_done_when_it_is_loaded_earns_no_claim_and_leaves_the_ratio_alone() -> None:
    found = raced(random.Random(6), ratio=10.0, loading_s=0.027)
    assert (found.faster, found.note) == (False, UNCONFIRMED_NOTE)
    assert found.ratio == pytest.approx(10.0, rel=0.1)


def test_what_a_short_pass_remembers_is_seen_in_single_ones() -> None:
    found = raced(random.Random(8), pass_s=1e-4, ratio=100.0, remembered_s=1e-4, repeated=50)
    assert (found.faster, found.note) == (False, REMEMBERS_NOTE)
    assert found.ratio == pytest.approx(1.0, rel=0.1)


def test_what_remembers_is_claimed_by_no_race_that_had_time_for_a_few_rounds_only() -> None:
    for rounds in LOOKS:
        found = [
            raced(random.Random(seed), rounds, pass_s=6e-4, ratio=6000.0, remembered_s=6e-4, repeated=8)
            for seed in range(200)
        ]
        assert not any(speed.faster for speed in found)
    few, enough = (raced(random.Random(10), rounds, pass_s=6e-4, ratio=2.0, repeated=8) for rounds in (3, 5))
    assert (few.faster, few.note) == (False, FEW_NOTE)
    assert enough.faster


def test_a_table_made_when_it_is_loaded_must_pay_off() -> None:
    assert raced(random.Random(9), pass_s=4e-5, ratio=2.0, loading_s=0.05, repeated=100).note == LOAD_NOTE
    assert raced(random.Random(9), pass_s=4e-5, ratio=2.0, loading_s=0.0005, repeated=100).faster


@pytest.mark.parametrize("pass_s", [5e-6, 1e-4, 0.005, 0.05])
def test_an_honest_speed_up_is_hardly_ever_refused_and_never_said_to_hide_anything(pass_s: float) -> None:
    rng = random.Random(10)
    found = [ended(rng, pass_s=pass_s, ratio=10.0, repeated=max(1, int(0.005 / pass_s))) for _ in range(300)]
    assert sum(speed.faster for speed in found) >= 0.99 * len(found)
    assert sum(bool(speed.note) for speed in found) <= 0.005 * len(found)


def test_single_passes_that_are_far_off_now_and_then_do_not_refuse_an_honest_claim() -> None:
    rng = random.Random(15)
    found = [ended(rng, pass_s=0.0006, ratio=2.5, repeated=8, single_noise_s=off) for _ in range(200)]
    cheats = [
        ended(rng, pass_s=0.0006, ratio=2.5, remembered_s=0.00036, repeated=8, single_noise_s=off) for _ in range(200)
    ]
    assert sum(not speed.faster for speed in found) <= 15
    assert sum(speed.faster for speed in cheats) <= 1


def test_a_race_whose_interval_says_nothing_goes_on() -> None:
    vague = Interval(ratio=40_000.0, low=22_000.0, high=70_000.0, rounds=3)
    assert not is_decided(vague, 0.0)
    assert not is_decided(structs.replace(vague, rounds=12), 0.0)
    assert is_decided(structs.replace(vague, low=25_000.0, rounds=12), 0.0)


def test_where_one_side_is_sampled_more_often_all_of_its_samples_count() -> None:
    rng = random.Random(16)
    rounds: list[PairedRound] = []
    for _ in range(3):
        alike, short_s = pair(rng, noise=silent), (rng.uniform(2e-6, 8e-6), 4e-6, *(1.4e-6,) * 7)
        rounds.append(
            PairedRound(
                original=structs.replace(alike.original, passes_s=(0.06,) * 3, busy_passes_s=(0.06,) * 3),
                candidate=structs.replace(alike.candidate, passes_s=short_s, busy_passes_s=short_s),
            )
        )
    found = speed_interval(rounds, repeated=1, inputs=3, clock="processor")
    assert found is not None
    assert found.ratio == pytest.approx(0.06 / 1.4e-6)


def test_what_saves_little_is_confirmed_by_fresh_processes_whose_births_vary_by_as_much() -> None:
    rng = random.Random(5)
    speeds = [raced(rng, 8, pass_s=0.003, ratio=3.0, jitter_s=0.0015) for _ in range(200)]
    assert sum(not speed.faster for speed in speeds) <= 2


def test_what_does_the_work_in_the_first_pass_of_each_process_is_not_confirmed_however_little_it_saves() -> None:
    rng = random.Random(6)
    speeds = [raced(rng, pass_s=0.003, ratio=3.0, hidden_s=0.002, jitter_s=0.0015) for _ in range(200)]
    assert not [speed for speed in speeds if speed.faster]


def test_where_first_passes_are_noise_nothing_is_said_of_them_and_the_ratio_stays() -> None:
    rng = random.Random(11)
    found = [raced(rng, ratio=10.0, jitter_s=0.02) for _ in range(200)]
    assert all(speed.ratio == pytest.approx(10.0, rel=0.1) for speed in found)
    assert {speed.note for speed in found} <= {"", UNCONFIRMED_NOTE}


def test_a_saving_of_milliseconds_is_confirmed_by_wall_too_and_never_goes_unlooked_at() -> None:
    rng = random.Random(14)
    honest = [raced(rng, pass_s=0.004, ratio=10.0, wall=True, jitter_s=0.002) for _ in range(200)]
    hidden = [raced(rng, pass_s=0.004, ratio=10.0, wall=True, hidden_s=0.0036, jitter_s=0.002) for _ in range(200)]
    assert sum(not speed.faster for speed in honest) <= 2
    assert not [speed for speed in hidden if speed.faster]


def test_functions_that_sleep_or_wait_are_compared_by_the_time_that_they_are_busy() -> None:
    found = raced(random.Random(12), ratio=100.0, waiting_s=0.05)
    assert found.note == WAITING_NOTE
    assert found.ratio == pytest.approx(0.08 / 0.0503, rel=0.05)


def test_a_sandbox_without_a_clock_outside_says_that_it_is_timed_by_wall() -> None:
    assert raced(random.Random(13), ratio=3.0, wall=True).note == WALL_NOTE
