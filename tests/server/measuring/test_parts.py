"""Speed on each kind of inputs."""

from __future__ import annotations

import random

from codeens_sandbox_backends.programs import CallInput, Program, Returned
from codeens_sandbox_backends.races import RacePlan, SideTimes
from codeens_server.domain.document import RankedResult
from codeens_server.domain.evidence import VARIED, Case
from codeens_server.domain.measurement import Interval, Measurement, PartSpeed
from codeens_server.measuring.measure import Baseline
from codeens_server.measuring.parts import LIKE_BENCHMARK, PassPart, in_parts, part_speeds, parts_of
from codeens_server.measuring.race import BENCHMARK_NOTE, SpeedComparison, claimable
from codeens_server.measuring.statistics import PairedRound
from codeens_server.ranking.wording import TIMES, merits
from tests.server.facts import candidate, passed

PLAN = RacePlan(groups=((0, 2), (2, 5)), inner=1)
PARTS = (PassPart("recorded calls", 0, 2), PassPart("drawn inputs", 2, 3))
CANDIDATE = candidate()


def pairs(*seconds: tuple[float, float]) -> list[PairedRound]:
    """Five rounds in which each part takes the original and the candidate about so long."""
    chance = random.Random(1)

    def side(at: int) -> SideTimes:
        parts = tuple((both[at] * chance.uniform(0.99, 1.01),) for both in seconds)
        whole = (sum(part[0] for part in parts),)
        return SideTimes(passes_s=whole, busy_passes_s=whole, first_s=1.0, busy_first_s=1.0, load_s=0.0, parts_s=parts)

    return [PairedRound(original=side(0), candidate=side(1)) for _ in range(5)]


def speed(*parts: PartSpeed) -> Interval:
    return Interval(ratio=2.0, low=1.9, high=2.1, parts=parts)


def part(of: str, ratio: float) -> PartSpeed:
    return PartSpeed(of=of, inputs=3, ratio=ratio, low=0.95 * ratio, high=1.05 * ratio)


def test_a_row_tells_that_a_candidate_is_faster_on_some_inputs_and_slower_on_others() -> None:
    found = part_speeds(pairs((0.03, 0.01), (0.008, 0.01)), PARTS, (PLAN, PLAN))
    assert [one.of for one in found] == ["recorded calls", "drawn inputs"]
    assert found[0].low < 3 < found[0].high
    assert found[1].low < 0.8 < found[1].high
    row = RankedResult(
        rank=1,
        candidate=CANDIDATE,
        verdict=passed(),
        measurement=Measurement(speed=speed(*found)),
    )
    assert f"3.0{TIMES} on recorded calls, 0.80{TIMES} on drawn inputs" in merits(row, row)


def test_parts_that_are_alike_or_too_short_are_not_told() -> None:
    alike = part_speeds(pairs((0.03, 0.01), (0.003, 0.001)), PARTS, (PLAN, PLAN))
    assert len(alike) == 2
    assert not speed(*alike).parts_disagree
    assert len(part_speeds(pairs((0.03, 0.01), (0.003, 0.0001)), PARTS, (PLAN, PLAN))) == 1


def test_inputs_of_a_kind_are_timed_beside_each_other() -> None:
    given = Case(id="1", origin="benchmark", input=CallInput(args=(1,)), expected=Returned(value=1), label="b")
    like = Case(id="2", origin="generated", input=CallInput(args=(2,)), expected=Returned(value=2), label=VARIED)
    drawn = Case(id="3", origin="generated", input=CallInput(args=(3,)), expected=Returned(value=3))
    assert in_parts((like, drawn, like, drawn)) == (like, like, drawn, drawn)
    assert [(one.kind, one.first) for one in parts_of((like, like, drawn))] == [
        ("inputs like known calls", 0),
        ("drawn inputs", 2),
    ]
    assert [one.kind for one in parts_of((given, like))] == ["benchmark inputs", LIKE_BENCHMARK]


def test_who_is_faster_on_the_benchmark_alone_may_have_looked_it_up() -> None:
    baseline = Baseline(
        cases=(),
        program=Program(module="m", qualname="f"),
        compared=True,
        unseen=True,
        benchmark="timed on b",
        measurement=Measurement(),
    )
    table = SpeedComparison(speed=speed(part("benchmark inputs", 1000.0), part(LIKE_BENCHMARK, 1.0)))
    honest = SpeedComparison(speed=speed(part("benchmark inputs", 2.0), part(LIKE_BENCHMARK, 2.0)))
    refused = claimable(table, CANDIDATE, baseline).speed
    assert refused is not None
    assert not refused.faster
    assert BENCHMARK_NOTE in refused.note
    assert claimable(honest, CANDIDATE, baseline) == honest
