"""Where candidates stand that pass on conditions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from codeens_sandbox_backends.programs import CallInput
from codeens_server.config.settings import Settings
from codeens_server.domain.document import Cluster, DistinguishingInput, RunDocument
from codeens_server.domain.evidence import Evidence
from codeens_server.domain.terms import ConditionKind, Equality
from codeens_server.domain.verdict import Condition
from codeens_server.ranking.rank import Entry, Ranking, rank, rerank
from codeens_server.views.run_view import document_view
from tests.server.ranking.builders import BROKEN, TARGET, WORKING, entry, speed


def _on(kind: ConditionKind, given: Entry) -> Entry:
    condition = Condition(
        kind=kind,
        said=f"{kind} differs",
        count=3,
        total=120,
        input=CallInput(args=(1,)),
        call="f(1)",
        expected="1",
        got="2",
    )
    return replace(given, verdict=replace(given.verdict, status="conditional", conditions=(condition,)))


def _fast(name: str) -> Entry:
    return entry(name, ratio=speed(9.0, 11.0))


def _slow(name: str) -> Entry:
    return entry(name, ratio=speed(0.4, 0.5))


def _ranked(entries: Sequence[Entry], equality: Equality = "practical", original: Entry = WORKING) -> Ranking:
    return rank(original, entries, target=TARGET, goal="speed", settings=Settings(equality=equality))


def test_what_passes_without_conditions_stands_above() -> None:
    ranking = _ranked([_on("rounding", _fast("near")), _slow("exact")])

    assert [(row.candidate.id, row.rank) for row in ranking.results] == [("exact", 1), ("near", 2)]
    assert ranking.best == "near"
    assert ranking.headline.startswith("offline · near is best on conditions: rounding differs (3 of 120 inputs); ")


def test_an_unconditional_improvement_is_best_whatever_else_is_faster() -> None:
    ranking = _ranked([_on("rounding", _fast("near")), entry("exact", ratio=speed(1.5, 1.6))])

    assert ranking.best == "exact"


@pytest.mark.parametrize(
    ("equality", "allowed"),
    [
        ("exact", set[str]()),
        ("strict-types", {"outside", "rounding"}),
        ("practical", {"outside", "rounding", "names", "types"}),
    ],
)
def test_the_setting_says_on_which_conditions_a_candidate_may_be_best(equality: Equality, allowed: set[str]) -> None:
    kinds: tuple[ConditionKind, ...] = ("outside", "rounding", "names", "types", "ties", "unseen")

    best = {kind for kind in kinds if _ranked([_on(kind, _fast("near"))], equality).best == "near"}

    assert best == allowed


def test_what_may_not_be_best_is_still_told() -> None:
    ranking = _ranked([_on("ties", _fast("near"))])

    assert ranking.best == "original"
    assert ranking.headline.startswith("keep the original: offline · near is better only on conditions: ties differs")


def test_a_broken_original_gives_way_only_to_what_may_be_best() -> None:
    assert _ranked([_on("ties", _fast("near"))], original=BROKEN).best == "original"
    assert _ranked([_on("rounding", _fast("near"))], original=BROKEN).best == "near"


def test_ranking_again_keeps_to_the_setting_of_the_run() -> None:
    ranking = _ranked([_on("rounding", _fast("near"))], "exact")
    run = RunDocument(
        run_id="r",
        target=TARGET,
        mode="improve",
        goal="speed",
        equality="exact",
        evidence=Evidence(mode="improve"),
        original=ranking.original,
        results=ranking.results,
        best=ranking.best,
        headline=ranking.headline,
    )

    assert rerank(run, goal="speed").best == "original"
    assert rerank(replace(run, equality="practical"), goal="speed").best == "near"


def test_the_condition_stands_in_the_row_and_in_its_spoken_form() -> None:
    ranking = _ranked([_on("rounding", _fast("near"))])
    run = RunDocument(
        run_id="r",
        target=TARGET,
        mode="improve",
        goal="speed",
        evidence=Evidence(mode="improve"),
        original=ranking.original,
        results=ranking.results,
        best=ranking.best,
        headline=ranking.headline,
    )

    view = document_view(run)
    row = view.rows[1]

    assert (row.status, row.verdict.trend, row.conditions) == ("conditional", "same", ("rounding",))
    assert row.verdict.detail.startswith("on conditions: rounding differs (3 of 120 inputs)")
    assert "rounding differs" in row.spoken
    assert [detail.term for detail in row.details][:5] == [
        "Reason",
        "Condition",
        "For instance",
        "Original",
        "This one",
    ]
    assert view.short.startswith("0/1 passed, 1 on conditions · best 9.9")
    assert view.short.endswith("on conditions")


def test_a_condition_is_an_input_that_can_be_pinned() -> None:
    ranking = _ranked([replace(_on("rounding", _fast("near")), cluster=1)])
    run = RunDocument(
        run_id="r",
        target=TARGET,
        mode="improve",
        goal="speed",
        evidence=Evidence(mode="improve"),
        original=ranking.original,
        results=ranking.results,
        clusters=(
            Cluster(index=0, members=("original",), weight=1),
            Cluster(index=1, members=("near",), weight=1),
        ),
        best=ranking.best,
        headline=ranking.headline,
    )

    assert run.numbered_differences() == [
        (1, DistinguishingInput(other=0, input=CallInput(args=(1,)), call="f(1)", here="2", there="1"))
    ]
    assert [side.result for side in document_view(run).differences[0].sides] == ["2", "1"]
