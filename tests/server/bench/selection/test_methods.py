"""Methods of selection, over views made by hand."""

from __future__ import annotations

import pytest

from codeens_sandbox_backends.programs import Raised, Returned
from codeens_server.bench.selection.asserts import claims_of
from codeens_server.bench.selection.evaluate import rate, right_by_task
from codeens_server.bench.selection.matrix import MatrixTest, TaskMatrix
from codeens_server.bench.selection.methods import METHODS, ORACLE
from codeens_server.bench.selection.view import MethodView, SeenTest
from codeens_server.ranking.agreement import NOTHING


def chosen(name: str, view: MethodView) -> set[int]:
    scores = METHODS[name](view)
    return {at for at, score in enumerate(scores) if score == max(scores)}


def view(
    rows: list[tuple[int, ...]], tests: list[tuple[int, set[int]]], examples: list[tuple[int, set[int]]]
) -> MethodView:
    return MethodView(
        rows,
        [SeenTest(at, frozenset(holds)) for at, holds in tests],
        [SeenTest(at, frozenset(holds)) for at, holds in examples],
    )


def test_an_outlier_that_passes_most_tests_wins_by_their_number_and_loses_by_agreement() -> None:
    rows = [(0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0), (1, 1, 0)]
    tests = [(0, {0}), (0, {1}), (1, {1}), (2, {0})]
    seen = view(rows, tests, [])
    assert chosen("maxpass", seen) == {4}
    assert chosen("mbr", seen) == chosen("codet", seen) == chosen("b4", seen) == chosen("best", seen) == {0, 1, 2, 3}


def test_without_any_test_answers_that_return_and_agree_are_chosen() -> None:
    seen = view([(NOTHING, NOTHING), (0, 0), (0, 1), (0, 1)], [], [])
    assert chosen("b4", seen) == {0, 1, 2, 3}
    assert chosen("best", seen) == {2, 3}


def test_without_tests_an_answer_is_chosen_that_agrees_on_drawn_inputs_by_what_it_returns_or_raises() -> None:
    raised = NOTHING - 1
    rows = [(0, 0, raised), (0, 0, raised), (0, 0, 7), (9, 1, 8), (9, 1, 8)]
    seen = MethodView(rows, [], [], drawn=2)
    assert chosen("inputs", seen) == {0, 1}
    assert chosen("inputs", MethodView(rows, [], [SeenTest(0, frozenset({9}))], drawn=2)) == {3, 4}
    assert chosen("inputs", MethodView([(raised, raised), (raised, raised), (0, 1)], [], [], drawn=2)) == {2}


def test_the_best_method_without_generated_tests_is_what_runs_choose_by() -> None:
    raised = NOTHING - 1
    seen = MethodView([(0, raised), (0, raised), (0, 1), (2, 3)], [], [], drawn=2)
    assert METHODS["best"](seen) == METHODS["inputs"](seen)
    assert chosen("best", seen) == {0, 1}


def test_trusted_tests_raise_the_answers_that_pass_them_above_larger_agreement() -> None:
    rows = [(0, 5, 5), (0, 5, 5), (0, 6, 6), (0, 6, 7)]
    seen = view(rows, [(0, {0}), (1, {6}), (2, {6})], [])
    assert chosen("best", MethodView(rows, [], [])) == {0, 1}
    assert chosen("best", seen) == {2}


def test_an_example_of_the_prompt_counts_more_than_all_generated_tests() -> None:
    seen = view([(0,), (0,), (1,)], [(0, {0})], [(0, {1})])
    assert chosen("codet", seen) == {0, 1}
    assert chosen("best", seen) == {2}


def test_tests_and_answers_prune_each_other() -> None:
    rows = [(0, 0, 0), (0, 0, 0), (0, 1, 1), (1, 2, 2)]
    tests = [(0, {0}), (1, {0}), (2, {0}), (2, {2}), (2, {1})]
    assert chosen("cosplay", view(rows, tests, [])) == {0, 1}


@pytest.mark.parametrize("name", METHODS)
def test_every_method_scores_every_answer(name: str) -> None:
    assert len(METHODS[name](view([(0,), (NOTHING,)], [], []))) == 2
    assert len(METHODS[name](view([(), ()], [], []))) == 2


def test_among_equals_the_share_of_right_ones_counts_and_the_oracle_is_the_bound() -> None:
    matrix = TaskMatrix(
        task_id="T/0",
        digest="",
        program_of=(0, 1, 1, 1),
        right=(True, False),
        outputs=((0,), (1,)),
        tests=(MatrixTest(input=0, holds=frozenset({0}), blocks=(0,)),),
    )
    found = right_by_task(matrix, ["random", "maxpass", "mbr", ORACLE], 4)
    assert found == {"random": 0.25, "maxpass": 1.0, "mbr": 0.0, ORACLE: 1.0}


def test_an_interval_holds_its_mean_and_has_no_width_without_spread() -> None:
    mixed = rate([0.0, 1.0] * 20)
    assert mixed.low < mixed.pass_at_1 == 0.5 < mixed.high
    assert rate([1.0] * 5).low == 1.0


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("\n    f([1, 2]) == 3, 'sum'\nassert f(", 3, True),
        ("assert f([1]) == 3\nassert f([", 3.0, True),
        ("assert f(1) == [1]", ["tuple", 1], False),
        ("assert f(1) == [1]", ["list", 1], True),
        ("assert f(1) is True", 1, True),
        ("assert not f(1)", ["list"], True),
        ("assert f(1)", ["list"], False),
        ("assert 3 == f(x=1)", 3, True),
        ("assert f(1) != 2", 2, False),
    ],
)
def test_a_claim_is_read_from_what_a_model_wrote_and_held_by_python_equality(
    text: str, value: object, holds: bool
) -> None:
    claims = claims_of(text, "f")
    assert len(claims) == 1
    assert claims[0].holds(Returned(value=value)) is holds
    assert not claims[0].holds(Raised(type="ValueError"))


@pytest.mark.parametrize("text", ["", "\n", "assert g(1) == 1", "assert f(a) == 1", "assert f(*[1]) == 1", "f(1) = "])
def test_what_calls_nothing_with_literals_claims_nothing(text: str) -> None:
    assert claims_of(text, "f") == []
