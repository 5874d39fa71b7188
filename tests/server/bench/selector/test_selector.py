"""`codeens selector`, through the command, over answers whose rightness is written in their code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from codeens._scripts.codeens import main
from codeens_server.errors import InputError
from codeens_server.ranking.selector.features import NAMES, Submission, features_of, shape_of
from codeens_server.ranking.selector.model import load_selector
from tests.server.bench.made import record

RIGHT = 'def f(xs):\n    """Doc {n}."""\n    total = 0\n    for x in xs:\n        total += x\n    return total + {n}\n'
WRONG = "def f(xs):\n    print(xs, {n})\n"


def lines(tasks: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for task in range(tasks):
        for number in range(10):
            right = number % 2 == 0
            model = "good" if right or number == 9 else "bad"
            code = (RIGHT if right else WRONG).format(n=task) if number != 7 else None
            label = "pass" if right else "fail:assert"
            found.append({"task_id": f"T/{task}", "code": code, "model": model, "style": "s", "label": label})
    return found


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    file = tmp_path / "labelled.jsonl"
    file.write_text("\n".join(map(json.dumps, lines(8))) + "\n", encoding="utf-8")
    return file


def selector(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["selector", *map(str, arguments)])


def test_a_selector_is_kept_as_numbers_and_used_without_scikit_learn(labelled: Path) -> None:
    pytest.importorskip("sklearn")
    out = labelled.with_name("selector.json")
    done = selector("train", labelled, "--out", out)
    assert done.exit_code == 0, done.stderr
    found = load_selector(out)
    pool = [Submission(code=WRONG.format(n=1), model="bad"), Submission(code=RIGHT.format(n=1), model="new")]
    wrong, right = found.probabilities(pool)
    assert 0.0 < wrong < 0.5 < right < 1.0


def test_answers_that_nobody_ran_are_put_in_order_of_how_likely_they_are_right(labelled: Path) -> None:
    pytest.importorskip("sklearn")
    trained, answers = labelled.with_name("selector.json"), labelled.with_name("answers.jsonl")
    assert selector("train", labelled, "--out", trained).exit_code == 0
    codes = [WRONG.format(n=1), None, "raise SystemExit('it was run')\n" + RIGHT.format(n=1)]
    rows = [{"task_id": task, "code": code, "model": "new"} for task in ("B", "A") for code in codes]
    answers.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    done = selector("choose", trained, answers, "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(one["task_id"], one["line"]) for one in found] == [("B", 3), ("B", 1), ("A", 6), ("A", 4)]
    assert found[0]["probability"] > 0.5 > found[1]["probability"]
    assert "not run, not proven" in selector("choose", trained, answers).stdout
    for file, says in (("none.jsonl", "cannot be read"), (trained.name, "selector.json:1")):
        wrong = selector("choose", trained, labelled.with_name(file))
        assert (wrong.exit_code, says in wrong.stderr) == (2, True)


def test_results_of_a_benchmark_teach_and_are_chosen_from(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    results, trained = tmp_path / "r.jsonl", tmp_path / "selector.json"
    made = [
        record(f"T/{task}", model, sample, "not_run" if task == 9 else "passed" if model == "good" else "failed")
        for task in range(10)
        for model in ("poor", "good")
        for sample in range(3)
    ]
    again = record("T/9", "poor", 0, "not_run")
    results.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in (*made, again)))
    assert selector("train", results, "--out", trained).exit_code == 0
    assert load_selector(trained).answers == 54
    found = json.loads(selector("choose", trained, results, "--json").stdout)
    last = [one for one in found if one["task_id"] == "T/9"]
    assert [one["model"] for one in last] == ["good"] * 3 + ["poor"] * 3
    assert [one["line"] for one in last if one["model"] == "poor" and one["sample"] == 0] == [61]


def test_it_is_held_against_chance_majority_and_the_best_model_on_tasks_it_has_not_seen(labelled: Path) -> None:
    pytest.importorskip("sklearn")
    done = selector("eval", labelled, "--folds", 4, "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    top1 = {name: one["value"] for name, one in found["top1"].items()}
    assert top1["selector"] == top1["oracle"] == 1.0
    assert 0.3 < top1["random"] < 0.7 < top1["best_model"] < 1.0
    assert set(found["over"]) == {"random", "majority_ast", "best_model"}
    assert found["calibration_error"] < 0.1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "right and answers that are wrong"),
        ('{"task_id": "a", "code": "x", "label": "pass"}\n', "right and answers that are wrong"),
        ('{"code": "x"}\n', "labelled.jsonl:1: "),
    ],
)
def test_a_file_that_teaches_nothing_gets_one_clear_error(labelled: Path, text: str, says: str) -> None:
    labelled.write_text(text, encoding="utf-8")
    done = selector("eval", labelled)
    assert (done.exit_code, says in done.stderr) == (2, True)


def test_more_folds_than_tasks_are_refused(labelled: Path) -> None:
    assert "8 tasks" in selector("eval", labelled, "--folds", 9).stderr


def test_names_of_variables_docstrings_and_comments_do_not_tell_code_apart() -> None:
    one = "def f(a):\n    '''Doc.'''\n    b = a  # same\n    return b\n"
    other = "def f(x) -> int:\n    y = x\n    return y\n"
    assert shape_of(one).normal == shape_of(other).normal != shape_of("def f(a):\n    return a\n").normal


def test_code_that_is_no_python_agrees_with_nobody() -> None:
    broken, also, fine = features_of(
        [Submission(code="def f("), Submission(code="def f("), Submission(code="x = 1")], [(0, 0)] * 3
    )
    assert dict(zip(NAMES, broken, strict=True))["same_code"] == 0.0
    assert broken == also
    assert dict(zip(NAMES, fine, strict=True))["readable"] == 1.0


def test_a_selector_of_other_features_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "selector.json"
    rates: dict[str, object] = {"mean": 0, "models": {}, "variants": {}}
    old: dict[str, object] = {
        "names": ["x"],
        "means": [0],
        "scales": [1],
        "weights": [0],
        "bias": 0,
        "rates": rates,
        "tasks": 1,
        "answers": 1,
    }
    file.write_text(json.dumps(old), encoding="utf-8")
    with pytest.raises(InputError, match="train it again"):
        load_selector(file)
