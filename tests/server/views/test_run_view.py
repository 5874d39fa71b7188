"""What people are shown of a run: the words, numbers and order that every door has from one place."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from codeens_sandbox_backends.programs import CallInput
from codeens_server.domain.document import Cluster, DistinguishingInput, ModelFailure, RankedResult, RunDocument
from codeens_server.domain.evidence import Excluded
from codeens_server.domain.measurement import Interval, Measurement, Memory, Readability
from codeens_server.domain.verdict import Verdict
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    CandidatePlanned,
    GenerationFailed,
    Progress,
    RunEvent,
    RunFinished,
    RunStarted,
    SandboxFailed,
)
from codeens_server.run.state import RunState
from codeens_server.views.cells import verdict_cell
from codeens_server.views.model import CellView, RowView, RunView
from codeens_server.views.run_view import document_view, view_of
from tests.server import facts


@pytest.fixture
def run(tmp_path: Path) -> RunDocument:
    return facts.run_document("r1", facts.target_in(tmp_path))


def row(run: RunDocument, *, measurement: Measurement | None = None, **changes: object) -> RowView:
    """The view of the best row with other facts."""
    best = replace(run.results[0], measurement=measurement or run.results[0].measurement, **changes)
    return document_view(replace(run, results=(best, *run.results[1:]))).rows[1]


def live(run: RunDocument, *events: RunEvent) -> RunState:
    """What is known of a run after these events."""
    return RunState.of([RunStarted(run_id="r1", request=facts.request(run.target), target=run.target), *events])


def titles(view: RunView) -> list[tuple[str, tuple[str, ...]]]:
    return [(group.title, group.rows) for group in view.groups]


def test_rows_are_grouped_by_behaviour_and_the_rejected_come_last(run: RunDocument) -> None:
    other = replace(run.results[0], rank=2, candidate=facts.candidate("c2"), cluster=2)
    original = replace(run.original, cluster=0)
    view = document_view(replace(run, original=original, results=(run.results[0], other, run.results[1])))
    assert titles(view) == [
        ("Behaves as the original", ("original", "c1")),
        ("Group 2", ("c2",)),
        ("Rejected", ("c3",)),
    ]


def test_a_candidate_that_nobody_ran_is_not_called_wrong(run: RunDocument) -> None:
    verdict = Verdict(status="error", reason="the run was stopped")
    lost = replace(run.results[1], judged=False, verdict=verdict, reason="not run: the run was stopped")
    view = document_view(replace(run, results=(lost,), best="original"))
    assert titles(view)[-1] == ("Not run", ("c3",))
    assert (view.rows[1].status, view.rows[1].verdict) == (
        "not_run",
        CellView(text="not run", detail="the run was stopped"),
    )
    assert view.short == "1 not run · keep the original"


def test_an_original_that_fails_has_a_row_and_no_rank(run: RunDocument) -> None:
    failing = replace(run.original, rank=None, verdict=facts.failed())
    best = replace(run.results[0], cluster=None)
    view = document_view(replace(run, original=failing, results=(best,), mode="repair"))
    assert titles(view) == [("Behaviour not compared", ("c1",)), ("The original", ("original",))]


def test_a_row_says_its_numbers_and_whether_they_are_better(run: RunDocument) -> None:
    best = document_view(
        replace(run, original=replace(run.original, measurement=Measurement(readability=_readability())))
    ).rows[1]
    assert (best.place, best.number, best.best) == ("1", 1, True)
    assert best.speed == CellView(
        text="2.3\N{MULTIPLICATION SIGN}",
        detail="[2.2, 2.5]",
        trend="better",
        word="faster",
        whole="200 ms → 100 ms a pass",
    )
    assert best.readability == CellView(text="96", trend="better", word="easier", whole="90 → 96")
    assert (best.numbers.speed, best.numbers.memory, best.numbers.lines) == (2.31, 0.52, 5)
    assert best.diff == CellView(text="+1 \N{MINUS SIGN}4")
    assert best.cost == "$0.0020"
    assert best.verdict == CellView(text="passed", detail="34/34 tests and 120 inputs equal", trend="better")


def changed(text: str, word: str, after: str) -> CellView:
    """The cell of a peak that was 977 KiB before."""
    return CellView(text=text, trend="better" if word == "less" else "worse", word=word, whole=f"977 KiB → {after}")


@pytest.mark.parametrize(
    ("memory", "cell"),
    [
        (None, CellView()),
        (Memory(peak_bytes=2048), CellView(text="2 KiB")),
        (Memory(peak_bytes=1_000_000, ratio=0.98), CellView(text="same", trend="same")),
        (Memory(peak_bytes=880_000, ratio=0.88), changed("\N{MINUS SIGN}12 %", "less", "859 KiB")),
        (Memory(peak_bytes=1_500_000, ratio=1.5), changed("+50 %", "more", "1.4 MiB")),
        (Memory(peak_bytes=2_400_000, ratio=2.4), changed("2.4\N{MULTIPLICATION SIGN}", "more", "2.3 MiB")),
    ],
)
def test_memory_is_told_as_a_change_and_noise_as_none(run: RunDocument, memory: Memory | None, cell: CellView) -> None:
    assert row(run, measurement=Measurement(memory=memory)).memory == cell


def test_a_speed_up_that_may_be_none_is_not_called_better(run: RunDocument) -> None:
    assert row(run, measurement=Measurement(speed=Interval(ratio=9.4, low=1.0, high=12.1))).speed.trend == "same"


def test_what_is_the_same_code_is_as_fast_and_not_unclear(run: RunDocument) -> None:
    first, *others = run.results
    speed = Interval(ratio=1.0, low=1.0, high=1.0, note="same bytecode, same speed")
    untimed = replace(first, measurement=replace(first.measurement, speed=speed))
    view = document_view(replace(run, results=(untimed, *others), best=first.candidate.id))
    assert view.rows[1].speed == CellView(text="same", trend="same", whole=speed.note)
    assert view.short.endswith("best maker/small · performance (c1)")


def test_a_pass_without_proof_or_isolation_says_so(run: RunDocument) -> None:
    voted = replace(facts.passed("unsafe: NOT ISOLATED"), evidence="agreement", isolation="shared")
    shown = row(run, verdict=voted)
    assert shown.unsafe
    assert shown.verdict.detail.endswith("by agreement, not proven, NOT ISOLATED, reported by the process it ran in")


def test_tests_that_were_set_aside_are_named_beside_what_a_pass_rests_on() -> None:
    aside = ("t.py::a", "t.py::b", "t.py::c", "t.py::d")
    verdict = Verdict(status="passed", passed=5, total=5, tests_passed=5, tests_total=5, set_aside=aside)
    assert "5/5 tests, without flaky t.py::a, t.py::b and 2 more" in verdict_cell(verdict, "", improving=True).detail


def test_an_offline_rewrite_is_called_by_its_rewrite_and_cannot_be_asked_again(run: RunDocument) -> None:
    rewrite = replace(facts.candidate("offline-ruff-RET"), model="offline")
    shown = row(run, candidate=rewrite)
    assert (shown.label, shown.can_ask_again) == ("offline · ruff-RET", False)


def test_rows_of_one_label_are_told_apart_by_their_ids(run: RunDocument) -> None:
    view = document_view(run)
    assert [row.label for row in view.rows] == [
        "original",
        "maker/small · performance (c1)",
        "maker/small · performance (c3)",
    ]


def test_a_screen_reader_hears_a_row_as_one_sentence(run: RunDocument) -> None:
    tied = replace(run.results[0], tied=True)
    spoken = document_view(replace(run, results=(tied,))).rows[1].spoken
    assert spoken == (
        "rank 1, tied; maker/small · performance; best; passed 34/34 tests and 120 inputs equal; "
        "speed faster 2.3\N{MULTIPLICATION SIGN} [2.2, 2.5]; "
        "memory less \N{MINUS SIGN}48 %; readability 96; lines +1 \N{MINUS SIGN}4"
    )


def test_a_rejection_is_told_with_the_input_that_shows_it(run: RunDocument) -> None:
    details = document_view(run).rows[2].details
    assert [(each.term, each.text) for each in details if each.code] == [
        ("On", "total([1, 2])"),
        ("Expected", "3"),
        ("Got", "4"),
    ]


def test_what_models_and_candidates_wrote_cannot_drive_a_terminal(run: RunDocument) -> None:
    shown = row(run, candidate=replace(facts.candidate(), model="m\x1b[2J\nx"), reason="a\nb\x07")
    assert (shown.label, shown.reason) == ("m\\x1b[2J x · performance", "a b\\x07")


def test_a_pair_of_clusters_differs_once_numbered_with_both_answers(run: RunDocument) -> None:
    mirrored = DistinguishingInput(other=0, input=CallInput(), call="total([])", here="4", there="0")
    twice = replace(run, clusters=(run.clusters[0], replace(run.clusters[1], differences=(mirrored,))))
    (difference,) = document_view(twice).differences
    assert (difference.number, difference.call, difference.must_choose) == (1, "total([])", False)
    assert [(side.group, side.name, side.result) for side in difference.sides] == [
        (0, "original", "0"),
        (1, "maker/small · performance (c3)", "4"),
    ]
    assert document_view(replace(twice, mode="repair")).differences[0].must_choose


def test_a_difference_that_only_the_later_cluster_knows_is_told_by_it(run: RunDocument) -> None:
    found = DistinguishingInput(other=0, input=CallInput(), call="total([])", here="4", there="0")
    clusters = (
        Cluster(index=0, members=("original",), weight=1),
        Cluster(index=1, members=("c3",), weight=1, differences=(found,)),
    )
    assert replace(run, clusters=clusters).numbered_differences() == [(1, found)]


def test_notes_say_what_was_left_out_what_failed_and_why_it_ended(run: RunDocument) -> None:
    evidence = replace(facts.evidence(), excluded=(Excluded(what="tests", count=3, why="they fail"),))
    summary = replace(run.summary, failures=("m · v: no key",), stopped="budget")
    view = document_view(replace(run, evidence=evidence, summary=summary))
    assert [(note.kind, note.text) for note in view.notes] == [
        ("evidence", "only 3 inputs, which run 40 % of the lines"),
        ("excluded", "excluded: 3 tests: they fail"),
        ("failure", "failed: m · v: no key"),
        ("stopped", "The run ended early: budget. What was found is kept."),
    ]
    assert view.summary == "1 pinned input · $0.0060 · 12 s · ended early: budget"


def test_models_that_gave_nothing_stand_in_the_headline_with_what_mends_it(run: RunDocument) -> None:
    failures = (
        ModelFailure(model="m", why="the key was refused: set M_KEY", remedy="key", calls=2),
        ModelFailure(model="slow", why="no answer within 60 s", remedy="later", calls=1, answers=3),
    )
    summary = replace(run.summary, models_asked=3, model_failures=failures, stopped="budget")
    view = document_view(replace(run, summary=summary))
    assert view.headline == f"1 of 3 models failed (m: the key was refused: set M_KEY); {run.headline}"
    assert view.short.endswith(" · 1 model failed")
    assert [(each.text, each.remedy, each.is_silent) for each in view.failures] == [
        ("m: the key was refused: set M_KEY (2 calls)", "key", True),
        ("slow: no answer within 60 s", "later", False),
        ("The budget was spent before all was asked", "budget", False),
    ]


def test_a_run_under_way_shows_candidates_as_they_stand(run: RunDocument) -> None:
    events: list[RunEvent] = [CandidatePlanned(count=4)]
    for name in ("a", "b", "c"):
        code = f"def total(items):\n    return {name}\n"
        events.append(CandidateGenerated(candidate=replace(facts.candidate(name, code), variant=name)))
    events += [
        GenerationFailed(call="d", model="m", variant="v", why="no key"),
        SandboxFailed(candidate_id="c", why="the sandbox failed"),
        CandidateJudged(candidate_id="a", verdict=facts.passed()),
        CandidateMeasured(candidate_id="a", measurement=facts.measurement()),
    ]
    known = live(run, *events)
    view = view_of(known)
    assert (view.status, titles(view)) == ("running", [("Candidates so far", ("a", "b", "c"))])
    assert [row.status for row in view.rows] == ["passed", "waiting", "not_run"]
    assert view.short == "3/4 generated, 1 executed, 1 passed · 1 model failed"
    assert [(each.text, each.is_silent) for each in view.failures] == [("m: no key", True)]
    assert view.progress.text == (
        "3/4 generated (2 failures), 1 executed, "
        "best so far: maker/small · a 2.3\N{MULTIPLICATION SIGN} [2.2, 2.5], $0.0060"
    )
    assert (view.progress.done, view.progress.total) == (4, 8)


def test_a_candidate_that_passed_and_is_not_measured_yet_is_racing(run: RunDocument) -> None:
    generated = CandidateGenerated(candidate=facts.candidate("a", "def total(items):\n    return sum(items)\n"))
    events = [CandidatePlanned(count=1), generated, CandidateJudged(candidate_id="a", verdict=facts.passed())]
    measured = CandidateMeasured(candidate_id="a", measurement=facts.measurement())
    assert view_of(live(run, *events)).rows[0].speed.text == "still racing"
    decided = view_of(live(run, *events, measured)).rows[0]
    assert (decided.speed.text, decided.speed.word) == ("2.3\N{MULTIPLICATION SIGN}", "decided: faster")
    assert decided.bar is not None
    assert decided.bar.one < decided.bar.low < decided.bar.high


def test_a_run_that_has_not_begun_to_ask_says_what_it_does(run: RunDocument) -> None:
    view = view_of(live(run, Progress(message="looking for tests")))
    assert (view.headline, view.summary, view.short) == ("looking for tests",) * 3


def test_a_run_that_came_to_no_result_says_why(run: RunDocument) -> None:
    view = view_of(live(run), failure="no sandbox")
    assert (view.status, view.headline) == ("failed", "no sandbox")
    assert view_of(live(run), status="interrupted").status == "interrupted"


def test_a_run_with_a_document_is_shown_from_it(run: RunDocument) -> None:
    assert view_of(live(run, RunFinished(run=run))) == document_view(run)
    assert view_of(live(run, RunFinished(run=run)), status="running").status == "running"


def test_a_function_is_called_by_its_own_name_where_it_is_nested(run: RunDocument) -> None:
    nested = replace(run.target, qualname="outer.<locals>.inner")
    assert document_view(replace(run, target=nested)).function.name == "inner"


def _readability() -> Readability:
    return Readability(cyclomatic=1, cognitive=0, lines=2, findings=0, score=90.0)


def test_the_best_row_and_the_counts_are_told_in_a_few_words(run: RunDocument) -> None:
    view = document_view(run)
    assert view.short == "1/2 passed · best 2.3\N{MULTIPLICATION SIGN} [2.2, 2.5]"
    assert view.totals == "3 answers, 2 run, 1 passed, cost $0.0060, 12.5 s"
    unknown = replace(run, summary=replace(run.summary, cost_known=False))
    assert "at least $0.0060" in document_view(unknown).totals


def test_ranked_results_are_not_needed_for_a_view(run: RunDocument) -> None:
    none: tuple[RankedResult, ...] = ()
    assert document_view(replace(run, results=none, best="original")).short == "no candidate · keep the original"


def test_what_is_drawn_shows_which_rows_are_beaten_in_speed_and_memory(run: RunDocument) -> None:
    worse = replace(
        run.results[0],
        rank=2,
        candidate=facts.candidate("c2", "def total(items):\n    return sum(list(items))\n"),
        measurement=replace(
            facts.measurement(),
            speed=Interval(ratio=1.5, low=1.4, high=1.6, inputs=120, rounds=5),
            memory=Memory(peak_bytes=2048, ratio=1.04),
        ),
    )
    view = document_view(replace(run, results=(run.results[0], worse, *run.results[1:])))
    assert [(point.id, point.is_beaten) for point in view.points] == [("original", True), ("c1", False), ("c2", True)]
    best, second = (next(row.bar for row in view.rows if row.id == key) for key in ("c1", "c2"))
    assert best is not None
    assert second is not None
    assert (best.one, best.trend) == (second.one, "better"), "all bars have one scale"
    assert second.high < best.low
    assert [column.key for column in view.columns][3:5] == ["speed", "memory"]


def test_noise_beats_no_row(run: RunDocument) -> None:
    first = run.results[0]
    less = Memory(peak_bytes=100_000, ratio=0.5)

    def second(speed: Interval, memory: Memory) -> list[tuple[str, bool]]:
        best = replace(first, measurement=replace(first.measurement, memory=less))
        row = replace(
            first,
            rank=2,
            candidate=facts.candidate("c2", "def total(items):\n    return sum(list(items))\n"),
            measurement=replace(first.measurement, speed=speed, memory=memory),
        )
        shown = document_view(replace(run, results=(best, row, *run.results[1:]))).points
        return [(point.id, point.is_beaten) for point in shown if point.id != "original"]

    overlapping = Interval(ratio=2.2, low=2.1, high=2.3, inputs=120, rounds=5)
    slower = Interval(ratio=2.0, low=1.9, high=2.1, inputs=120, rounds=5)
    alike, more = Memory(peak_bytes=102_000, ratio=0.51), Memory(peak_bytes=150_000, ratio=0.75)
    unconfirmed = Interval(ratio=9.0, low=8.5, high=9.5, inputs=120, rounds=5, confirmed=False)
    assert second(overlapping, alike) == [("c1", False), ("c2", False)]
    assert second(overlapping, more) == [("c1", False), ("c2", True)]
    assert second(slower, alike) == [("c1", False), ("c2", True)]
    assert second(unconfirmed, alike) == [("c1", False), ("c2", False)], "what is not confirmed is no gain"


def test_what_is_no_measured_difference_is_drawn_beside_the_original(run: RunDocument) -> None:
    alike = replace(
        run.results[0],
        measurement=replace(
            facts.measurement(),
            speed=Interval(ratio=1.04, low=0.99, high=1.09, inputs=120, rounds=5),
            memory=Memory(peak_bytes=1024, ratio=1.0),
        ),
    )
    original, candidate = document_view(replace(run, results=(alike, *run.results[1:]))).points
    assert abs(original.x - candidate.x) < 5
    assert original.y == candidate.y


def test_a_rejected_row_has_its_smallest_counterexample(run: RunDocument) -> None:
    rejected = document_view(run).rows[2]
    assert (rejected.counterexample, rejected.has_code) == ("total([1, 2]): 4, must be 3", True)


def test_a_file_is_named_by_its_path_in_the_workspace(run: RunDocument) -> None:
    below = replace(run.target, path=f"{run.target.root}/sub dir/日本.py")
    assert document_view(replace(run, target=below)).function.file == "sub dir/日本.py"
