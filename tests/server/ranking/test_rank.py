"""The order of candidates and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from codeens_server.config.settings import Settings, Weights
from codeens_server.domain.document import RunDocument
from codeens_server.domain.evidence import Evidence
from codeens_server.domain.measurement import Memory
from codeens_server.domain.terms import Goal, StopReason
from codeens_server.domain.verdict import Verdict
from codeens_server.errors import ConfigError
from codeens_server.ranking.rank import Entry, Ranking, rank, rerank

from .builders import BROKEN, TARGET, WORKING, candidate, entry, measured, passed, rejected, speed


def ranked(
    entries: Sequence[Entry], *, goal: Goal = "balanced", original: Entry = WORKING, settings: Settings | None = None
) -> Ranking:
    return rank(original, entries, target=TARGET, goal=goal, settings=settings or Settings())


def plain(text: str) -> str:
    return text.replace("\N{MULTIPLICATION SIGN}", "x")


def order(ranking: Ranking) -> list[tuple[str, int | None, bool]]:
    return [(row.candidate.id, row.rank, row.tied) for row in ranking.results]


def test_the_faster_candidate_wins_and_the_headline_says_why() -> None:
    found = ranked([entry("slow", ratio=speed(0.98, 1.04)), entry("memoise", ratio=speed(1.9, 2.3), removed=5)])
    assert order(found) == [("memoise", 1, False), ("slow", 2, False)]
    assert found.best == "memoise"
    assert plain(found.headline) == (
        "offline · memoise is best: 2.1x faster [1.9, 2.3], same memory, 3 lines shorter, "
        "34/34 tests and 120 inputs equal"
    )
    assert plain(found.results[0].reason) == "2.1x faster [1.9, 2.3], same memory, 3 lines shorter"
    assert plain(found.results[1].reason) == "not faster: 1.01x [0.98, 1.04], same memory"
    assert found.results[0].cost_usd == 0.25


@pytest.mark.parametrize("goal", ["balanced", "correctness", "speed", "memory", "readability"])
def test_the_original_is_kept_when_no_candidate_is_measurably_better(goal: Goal) -> None:
    entries = [entry("same", ratio=speed(0.97, 1.05)), entry("unmeasured", memory=None)]
    found = ranked(entries, goal=goal)
    assert found.best == "original"
    assert found.headline == "keep the original: no candidate is measurably better"
    assert found.original.rank == 0
    assert found.original.score is not None
    assert all(row.score is not None and row.score.total <= found.original.score.total for row in found.results)


@pytest.mark.parametrize(
    ("goal", "row", "why"),
    [
        ("balanced", {"ratio": speed(1.01, 1.02), "memory": 3.0}, "none is better on balance; the fastest, "),
        ("speed", {"ratio": speed(1.01, 1.02), "memory": 9.0}, "what is faster loses more elsewhere than it gains; "),
        ("memory", {"ratio": speed(2.0, 2.1)}, "none is known to do the same with less memory; the fastest, "),
        ("memory", {"ratio": speed(0.01, 0.02), "memory": 0.94}, "what takes less memory loses more elsewhere than"),
        ("readability", {"ratio": speed(2.0, 2.1)}, "none is known to do the same and read more easily; the fast"),
    ],
)
def test_why_the_original_is_kept_is_said_of_what_the_goal_is_about(goal: Goal, row: dict[str, Any], why: str) -> None:
    found = ranked([entry("x", **row)], goal=goal)
    assert found.best == "original"
    assert found.headline.startswith(f"keep the original: {why}")


def test_a_ratio_whose_interval_holds_one_earns_nothing_however_large() -> None:
    found = ranked([entry("lucky", ratio=speed(0.9, 9.0))], goal="speed")
    assert found.best == "original"
    assert plain(found.results[0].reason).startswith("not faster: 2.85x [0.90, 9.00]")


def test_what_was_not_timed_may_be_slower_and_is_never_best_on_balance() -> None:
    untimed = entry("untimed", memory=0.2, reads=95.0)
    assert ranked([entry("timed", ratio=speed(0.98, 1.04), memory=0.2, reads=95.0)]).best == "timed"
    assert ranked([untimed]).best == "original"
    assert ranked([untimed], goal="readability").best == "untimed"


def test_a_saving_that_is_not_confirmed_earns_nothing() -> None:
    doubtful = msgspec.structs.replace(speed(9.0, 11.0), confirmed=False, note="not to be seen")
    found = ranked([entry("hides", ratio=doubtful)], goal="speed")
    assert found.best == "original"
    assert plain(found.results[0].reason) == "not faster: 9.9x [9.0, 11.0], same memory; not to be seen"


def test_on_speed_the_surer_of_two_equal_ratios_scores_higher() -> None:
    found = ranked([entry("vague", ratio=speed(1.2, 5.0)), entry("sure", ratio=speed(2.4, 2.5))], goal="speed")
    assert [row.candidate.id for row in found.results] == ["sure", "vague"]


def test_overlapping_intervals_are_a_tie_and_share_a_rank() -> None:
    entries = [
        entry("a", ratio=speed(2.0, 2.4)),
        entry("b", ratio=speed(1.9, 2.3)),
        entry("c", ratio=speed(1.2, 1.25)),
    ]
    assert order(ranked(entries, goal="speed")) == [("a", 1, False), ("b", 1, True), ("c", 3, False)]


def test_a_chain_of_overlaps_does_not_tie_its_ends() -> None:
    entries = [
        entry("a", ratio=speed(3.0, 4.0)),
        entry("b", ratio=speed(2.4, 3.1)),
        entry("c", ratio=speed(1.5, 2.5)),
    ]
    assert order(ranked(entries, goal="speed")) == [("a", 1, False), ("b", 1, True), ("c", 3, False)]


def test_rejected_candidates_have_no_rank_and_their_reason_and_come_last() -> None:
    not_run = replace(rejected("lost", ""), not_run="the sandbox broke")
    refused = Entry(candidate=candidate("open"), verdict=Verdict(status="refused", reason="refused: reads files"))
    found = ranked(
        [rejected("far", "wrong on f(1)"), not_run, refused, entry("ok"), rejected("near", "wrong on f(2)", passed=9)]
    )
    assert [(row.candidate.id, row.rank) for row in found.results[:3]] == [("ok", 1), ("near", None), ("far", None)]
    reasons = {row.candidate.id: row.reason for row in found.results}
    assert reasons["far"] == "wrong on f(1)"
    assert reasons["lost"] == "not run: the sandbox broke"
    assert reasons["open"] == "refused: reads files"
    assert all(row.score is None for row in found.results[1:])


def test_when_none_passes_the_original_is_kept_and_the_headline_counts() -> None:
    found = ranked([rejected("a", "wrong"), rejected("b", "wrong")])
    assert found.best == "original"
    assert found.headline == "keep the original: none of 2 candidates passed"


LOST = replace(rejected("lost", ""), not_run="the run was stopped (cancelled)")


@pytest.mark.parametrize(
    ("entries", "stopped", "headline"),
    [
        ([LOST, LOST], "cancelled", "cancelled: none of 2 candidates judged; keep the original"),
        ([], "cancelled", "cancelled: there is no candidate yet; keep the original"),
        (
            [rejected("a", "wrong"), LOST, LOST],
            "timeout",
            "timeout: 1 of 3 candidates judged; keep the original: none of 1 candidate passed",
        ),
        (
            [entry("same"), LOST],
            "cancelled",
            "cancelled: 1 of 2 candidates judged; keep the original: no candidate is measurably better",
        ),
        (
            [entry("same")],
            "budget",
            "budget: 1 of 1 candidate judged; keep the original: no candidate is measurably better",
        ),
        (
            [rejected("a", "wrong"), LOST],
            None,
            "1 of 2 candidates judged; keep the original: none of 1 candidate passed",
        ),
    ],
)
def test_the_headline_says_what_was_done_and_what_not(
    entries: list[Entry], stopped: StopReason | None, headline: str
) -> None:
    found = rank(WORKING, entries, target=TARGET, goal="balanced", settings=Settings(), stopped=stopped)
    assert found.headline == headline


def test_what_was_found_before_the_end_is_still_best() -> None:
    entries = [entry("quick", ratio=speed(1.9, 2.3)), LOST]
    found = rank(WORKING, entries, target=TARGET, goal="speed", settings=Settings(), stopped="cancelled")
    assert plain(found.headline).startswith("cancelled: 1 of 2 candidates judged; offline · quick is best: 2.1x faster")
    assert ranked(entries, original=BROKEN).headline.startswith("1 of 2 candidates judged; offline · quick is best")


def test_a_slower_candidate_never_beats_the_original_on_balance() -> None:
    found = ranked([entry("short", ratio=speed(0.5, 0.6), memory=0.1, reads=99.0)])
    assert found.best == "original"
    assert plain(found.results[0].reason).startswith("slower: 0.55x [0.50, 0.60], 90% less memory, reads easier (+19)")


def test_less_memory_wins_on_memory_and_more_readable_on_readability() -> None:
    entries = [entry("thin", memory=0.2), entry("clear", reads=95.0), entry("quick", ratio=speed(3.0, 3.1))]
    assert {goal: ranked(entries, goal=goal).best for goal in ("memory", "readability", "speed")} == {
        "memory": "thin",
        "readability": "clear",
        "speed": "quick",
    }


def test_small_peaks_of_memory_are_all_the_same() -> None:
    tiny = replace(entry("tiny"), measurement=replace(measured(), memory=Memory(peak_bytes=40, ratio=0.1)))
    found = ranked([tiny], goal="memory")
    assert found.best == "original"
    assert "same memory" in found.results[0].reason


def test_a_large_edit_loses_against_a_small_one_of_equal_effect() -> None:
    found = ranked([entry("large", reads=90.0, added=90, removed=30), entry("small", reads=90.0)])
    assert [row.candidate.id for row in found.results] == ["small", "large"]


def test_what_only_agrees_never_replaces_a_working_original() -> None:
    found = ranked([entry("a", evidence="agreement", ratio=speed(5.0, 6.0), cluster=0)], goal="speed")
    assert found.best == "original"
    assert plain(found.results[0].reason).startswith("by agreement, not proven; 5.5x faster")


def test_a_repair_that_passes_the_tests_is_best_though_nothing_can_be_compared() -> None:
    found = ranked([rejected("no", "wrong"), entry("fix", memory=None)], original=BROKEN)
    assert found.best == "fix"
    assert found.headline == "offline · fix is best: 34/34 tests and 120 inputs right"
    assert found.original.score is None
    assert found.original.reason == "the original does not pass: 3 of 10 tests pass"


def test_when_no_repair_passes_nothing_is_recommended() -> None:
    found = ranked([rejected("no", "wrong")], original=BROKEN)
    assert (found.best, found.headline) == ("original", "none of 1 candidate passed")


def test_without_tests_agreement_chooses_whatever_else_is_faster_and_says_that_nothing_is_proven() -> None:
    entries = [
        entry("fast", evidence="agreement", ratio=speed(9.0, 9.1), cluster=1, agreement=0.5),
        entry("crowd", evidence="agreement", cluster=0, agreement=0.75, same_as=("m · v", "n · w")),
        entry("lone", evidence="none", cluster=2, agreement=0.25),
    ]
    found = ranked(entries, original=BROKEN)
    assert [row.candidate.id for row in found.results] == ["crowd", "fast", "lone"]
    assert found.best == "crowd"
    assert found.headline == (
        "offline · crowd is chosen by agreement, not proven: it agrees with 3 of 5 answers, "
        "and there are no tests or known results"
    )
    assert found.results[0].reason.startswith("agrees with 3 of 5 answers; by agreement, not proven; ")


def test_of_answers_that_do_the_same_where_nothing_is_proven_the_points_decide() -> None:
    entries = [
        entry(name, evidence="agreement", ratio=ratio, cluster=0, agreement=1.0)
        for name, ratio in (("slow", speed(0.5, 0.6)), ("fast", speed(3.0, 3.1)))
    ]
    assert [row.candidate.id for row in ranked(entries, original=BROKEN).results] == ["fast", "slow"]


def test_what_passes_few_checks_is_likelier_right_the_more_answers_do_the_same() -> None:
    entries = [
        entry("pretty", reads=99.0, cluster=1, agreement=0.25),
        entry("common", reads=60.0, cluster=0, agreement=0.75, same_as=("m · v",)),
        entry("usual", reads=62.0, cluster=0, agreement=0.75),
    ]
    found = ranked(entries, original=BROKEN)
    assert [row.candidate.id for row in found.results] == ["usual", "common", "pretty"]
    assert [row.reason.split("; ")[0] for row in found.results] == [
        "agrees with 3 of 4 answers",
        "agrees with 3 of 4 answers",
        "agrees with 1 of 4 answers",
    ]
    assert {row.verdict.evidence for row in found.results} == {"tests"}
    assert found.headline.endswith("34/34 tests and 120 inputs right, agrees with 3 of 4 answers")


def test_agreement_counts_only_answers_that_passed() -> None:
    wrong = replace(rejected("wrong", "wrong on f(1)"), cluster=1)
    found = ranked([entry("a", cluster=0), entry("b", cluster=0), wrong], original=BROKEN)
    assert found.results[0].reason.startswith("agrees with 2 of 2 answers")
    alone = ranked([entry("a", cluster=0), wrong], original=BROKEN)
    assert "agrees" not in alone.results[0].reason + alone.headline


def test_a_working_original_is_asked_and_not_the_majority() -> None:
    together, apart = (ranked([entry("a", cluster=0), entry("b", cluster=other)]) for other in (0, 1))
    assert [row.score for row in together.results] == [row.score for row in apart.results]
    assert not [row for row in (*together.results, *apart.results) if "agrees" in row.reason]


def test_the_built_in_weights_make_100_points_and_settings_replace_them() -> None:
    perfect = entry("a", ratio=speed(2.0, 2.1))
    row = ranked([perfect]).results[0]
    assert row.score is not None
    assert row.score.total == pytest.approx(sum(row.score.parts.values()))
    assert row.score.parts["correctness"] == pytest.approx(40 * 154 / 156)
    only_speed = Settings(weights={"balanced": Weights(correctness=0, quality=0, speed=3, efficiency=0)})
    row = ranked([perfect], settings=only_speed).results[0]
    assert row.score is not None
    assert row.score.parts["speed"] == pytest.approx(row.score.total)
    assert row.score.total > 60


@pytest.mark.parametrize("weights", [Weights(speed=-1), Weights(correctness=0, quality=0, speed=0, efficiency=0)])
def test_weights_that_cannot_be_used_are_refused(weights: Weights) -> None:
    with pytest.raises(ConfigError, match="weights must not be negative"):
        ranked([entry("a")], settings=Settings(weights={"balanced": weights}))


def test_candidates_that_passed_but_were_not_measured_say_so() -> None:
    found = ranked([Entry(candidate=candidate("a"), verdict=passed())])
    assert plain(found.results[0].reason) == "no measured difference; not measured"


def test_notes_of_the_measurement_and_of_the_interval_are_in_the_reason() -> None:
    remembered = speed(0.9, 1.1, note="remembers results between calls")
    one = Entry(candidate=candidate("a"), verdict=passed(), measurement=measured(ratio=remembered, notes=("a note",)))
    assert ranked([one]).results[0].reason.endswith("same memory; remembers results between calls; a note")


def test_a_stored_run_without_a_working_original_is_ranked_again_by_agreement() -> None:
    entries = [
        entry("pretty", reads=99.0, cluster=1, agreement=0.3),
        entry("a", cluster=0, agreement=0.7),
        entry("b", cluster=0, agreement=0.7),
    ]
    first = ranked(entries, original=BROKEN)
    run = RunDocument(
        run_id="r",
        target=TARGET,
        mode="repair",
        goal="balanced",
        evidence=Evidence(mode="repair"),
        original=first.original,
        results=first.results,
        best=first.best,
        headline=first.headline,
    )
    again = rerank(run, goal="correctness")
    assert (again.results, again.headline) == (
        ranked(entries, goal="correctness", original=BROKEN).results,
        ranked(entries, goal="correctness", original=BROKEN).headline,
    )


def test_a_stored_run_is_ranked_again_for_another_goal_from_its_document_alone() -> None:
    entries = [entry("thin", memory=0.2), entry("quick", ratio=speed(3.0, 3.1)), rejected("no", "wrong")]
    first = ranked(entries, goal="memory")
    run = RunDocument(
        run_id="r",
        target=TARGET,
        mode="improve",
        goal="memory",
        evidence=Evidence(mode="improve"),
        original=first.original,
        results=first.results,
        best=first.best,
        headline=first.headline,
    )
    again = rerank(run, goal="speed")
    assert (run.best, again.best, again.goal) == ("thin", "quick", "speed")
    assert again.results == ranked(entries, goal="speed").results
    assert again.headline == ranked(entries, goal="speed").headline
    by_memory = rerank(again, goal="speed", weights=Weights(correctness=1, quality=0, speed=0, efficiency=9))
    assert by_memory.best == "original"
    assert by_memory.results[0].candidate.id == "thin"
