"""`codeens bench report`, through the command, over records made by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from codeens._scripts.codeens import main
from codeens_server.bench.records import Attempt, Ending, Provenance, Record
from codeens_server.bench.report.build import cause_of
from codeens_server.tasks.schema import Difficulty

MACHINE = Provenance(codeens="0", python="3.11", system="Linux", cpus=2, sandbox="none")
HOSTILE = "</script><script>document.title = 'owned'</script>"


def record(task: int, model: str, ending: Ending = "passed", **more: Any) -> Record:
    level: Difficulty = "easy" if task < 10 else "hard"
    attempt = Attempt(
        ending=ending,
        reason="" if ending == "passed" else f"returned {task} instead of [1, {task}]",
        source=HOSTILE,
        ask_s=0.5,
        run_s=0.01,
        cost_usd=0.002,
    )
    return Record(
        dataset="small",
        digest="0123456789abcdef",
        task_id=f"Small/{task}",
        difficulty=level,
        model=model,
        variant="plain",
        sample=more.get("sample", 0),
        passed=ending == "passed",
        ending=ending,
        attempts=(attempt,),
        machine=MACHINE,
    )


def write(path: Path, records: list[Record]) -> Path:
    path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in records))
    return path


def failing_on(tasks: Sequence[int], path: Path) -> Path:
    return write(path, [record(task, "good", "failed" if task in tasks else "passed") for task in range(20)])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    good = [record(task, "good", "passed" if task else "no_answer") for task in range(20)]
    bad = [record(task, "bad", "passed" if task < 4 else "failed") for task in range(20)]
    return write(tmp_path / "results.jsonl", [*good, *bad, *bad[:2]])


def report(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["bench", "report", *map(str, arguments)])


def test_systems_stand_in_the_order_of_pass_at_1_with_intervals_difficulty_cost_and_time(results: Path) -> None:
    done = report(results, "--format", "json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    good, bad = found["systems"]
    assert (found["datasets"], found["records"]) == (["small (0123456789ab)"], 40)
    assert (good["name"], good["samples"], good["unjudged"]) == ("good · plain", 19, 1)
    assert good["pass_at"]["pass@1"]["value"] == 1.0 > good["pass_at"]["pass@1"]["low"]
    assert bad["pass_at"]["pass@1"]["value"] == 0.2
    assert {level: one["value"] for level, one in bad["by_difficulty"].items()} == {"easy": 0.4, "hard": 0.0}
    assert (bad["ask_s"], bad["run_s"], round(bad["cost_usd"], 6)) == (0.5, 0.01, 0.04)
    assert bad["endings"] == {"failed": 16, "passed": 4}
    assert list(found["grid"])[:3] == ["Small/0", "Small/1", "Small/2"]


def test_failures_that_differ_in_values_only_are_one_cause(results: Path) -> None:
    failures = json.loads(report(results, "--format", "json").stdout)["failures"]
    assert [(one["ending"], one["samples"]) for one in failures] == [("failed", 16), ("no_answer", 1)]
    assert cause_of("returned 3 instead of [1, 3]") == cause_of("returned -4.5 instead of ['a']")
    assert cause_of("raises NameError: x") != cause_of("raises TypeError: x")


def test_who_beats_whom_is_said_only_where_it_holds(results: Path, tmp_path: Path) -> None:
    assert "good · plain beats bad · plain" in report(results, "--format", "md").stdout
    few = write(tmp_path / "few.jsonl", [record(1, "a"), record(1, "b", "failed"), record(2, "a"), record(2, "b")])
    assert "1 pair cannot be told apart" in report(few, "--format", "md").stdout


def test_an_earlier_run_is_compared_task_by_task_and_noise_is_called_so(results: Path, tmp_path: Path) -> None:
    worse = write(
        tmp_path / "worse.jsonl", [record(task, "good", "failed" if task < 15 else "passed") for task in range(20)]
    )
    text = report(worse, "--against", results, "--format", "md").stdout
    assert "worse beyond noise" in text
    once = write(
        tmp_path / "once.jsonl", [record(task, "good", "failed" if task == 3 else "passed") for task in range(20)]
    )
    text = report(once, "--against", results, "--format", "md").stdout
    assert "which may be noise" in text
    assert "1: Small/3" in text


def test_a_page_holds_what_models_wrote_as_data_only_and_loads_nothing(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert report(results, "--out", out).exit_code == 0
    page = out.read_text(encoding="utf-8")
    assert HOSTILE not in page
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    data = json.loads(page.partition('type="application/json">')[2].partition("</script>")[0])
    assert data["records"]["texts"][0][0] == HOSTILE
    assert len(data["records"]["task"]) == 42


def test_markdown_keeps_markup_of_strangers_from_working(tmp_path: Path) -> None:
    results = write(tmp_path / "r.jsonl", [record(1, "![x](http://evil/p.png) | <b>")])
    assert "![x]" not in report(results, "--format", "md").stdout


@pytest.mark.parametrize(("kind", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_pictures_are_drawn(results: Path, tmp_path: Path, kind: str, begins: bytes) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / f"report.{kind}"
    done = report(results, "--out", out, "--theme", "dark")
    assert done.exit_code == 0, done.stderr
    assert out.read_bytes().startswith(begins)


def test_a_torn_last_line_is_passed_over_and_other_lines_are_named(results: Path, tmp_path: Path) -> None:
    results.write_bytes(results.read_bytes() + b'{"dataset": "sm')
    assert json.loads(report(results, "--format", "json").stdout)["records"] == 40
    other = tmp_path / "other.jsonl"
    other.write_text("{}\n", encoding="utf-8")
    done = report(other)
    assert (done.exit_code, "other.jsonl:1" in done.stderr) == (2, True)
    assert report(results, "--format", "png").exit_code == 2
    assert report(tmp_path / "none.jsonl").exit_code == 2


def test_in_a_terminal_the_leaderboard_comes_first(results: Path) -> None:
    done = report(results)
    assert done.stdout.index("Leaderboard") < done.stdout.index("Failures by cause")


def scored(path: Path, *options: str) -> dict[str, Any]:
    done = report(path, "--format", "json", *options)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def with_attempt(task: int, model: str, ending: Ending = "passed", **more: Any) -> Record:
    one = record(task, model, ending)
    given: dict[str, Any] = {"source": "def f(a):\n    return a\n", "ask_s": 10.0, "run_s": 0.09, "peak_bytes": 0}
    return msgspec.structs.replace(one, attempts=(msgspec.structs.replace(one.last, **given | more),))


def test_scores_weigh_correctness_replies_quality_and_efficiency_per_task_and_overall(tmp_path: Path) -> None:
    slow: dict[str, Any] = {"run_s": 0.39, "peak_bytes": (4 << 20) - (1 << 20)}
    records = [
        with_attempt(1, "a"),
        with_attempt(1, "b", ask_s=30.0, **slow),
        with_attempt(11, "a"),
        with_attempt(11, "b", "failed", share=0.5),
    ]
    found = scored(write(tmp_path / "r.jsonl", records), "--scores")["scores"]
    assert found["weights"] == {"correctness": 40, "quality": 25, "speed": 20, "efficiency": 15}
    a, b = found["systems"]
    assert (a["name"], b["name"]) == ("a · plain", "b · plain")
    assert set(a["by_task"]) == {"Small/1", "Small/11"}
    assert (
        a["score"]["value"] == pytest.approx(sum(a["parts"].values())) == pytest.approx(sum(a["by_task"].values()) / 2)
    )
    assert b["by_task"]["Small/11"] == pytest.approx(20.0)
    assert b["parts"]["speed"] == pytest.approx(20 * 0.25 / 2)
    assert a["parts"]["speed"] == pytest.approx(20 * 0.5)
    assert a["parts"]["efficiency"] > 7.5 > 2 * b["parts"]["efficiency"]
    assert a["parts"]["quality"] == pytest.approx(25, abs=3)
    assert a["by_difficulty"]["easy"]["value"] == pytest.approx(a["by_task"]["Small/1"])
    assert a["by_difficulty"]["hard"]["value"] == pytest.approx(a["by_task"]["Small/11"])


def test_models_are_ranked_over_all_their_variants_and_by_difficulty(tmp_path: Path) -> None:
    plain = [with_attempt(task, "a", "failed") for task in (1, 11)]
    other = [msgspec.structs.replace(with_attempt(task, "a"), variant="other") for task in (1, 11)]
    results = write(tmp_path / "r.jsonl", [*plain, *other, with_attempt(1, "b"), with_attempt(11, "b", "failed")])
    found = scored(results, "--scores")["scores"]
    assert [one["name"] for one in found["systems"]] == ["a · other", "b · plain", "a · plain"]
    assert [one["name"] for one in found["models"]] == ["a", "b"]
    text = report(results, "--scores", "--format", "md").stdout
    assert (
        text.index("Scores by system") < text.index("Scores by model\n") < text.index("Scores by model and difficulty")
    )
    assert "| model | easy | hard |" in text


SCORERS = "def short(record):\n    return 0.25\n\n\ndef broken(record):\n    raise OSError('no')\n"


def test_scores_are_weighed_as_asked_and_by_scorers_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_scorers.py").write_text(SCORERS, encoding="utf-8")
    about = tmp_path / "own_scorers-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: own-scorers\nVersion: 1\n", encoding="utf-8")
    entries = "[codeens.bench_scorers]\nshort = own_scorers:short\nbroken = own_scorers:broken\n"
    (about / "entry_points.txt").write_text(entries, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    results = write(tmp_path / "r.jsonl", [with_attempt(1, "a")])
    only = ["--weight", "quality=0", "--weight", "speed=0", "--weight", "efficiency=0", "--weight", "correctness=3"]
    found = scored(results, *only, "--scorer", "short=1", "--scorer", "broken=5")
    assert found["scores"]["systems"][0]["score"]["value"] == pytest.approx(75 + 25 * 0.25)
    assert found["notes"] == ["scorer 'broken' left out: it raised OSError: no"]


def test_what_is_not_known_of_every_system_is_in_no_score(tmp_path: Path) -> None:
    kept = with_attempt(1, "b", ask_s=0.0, cached=True)
    found = scored(write(tmp_path / "r.jsonl", [with_attempt(1, "a"), kept]), "--scores")
    assert set(found["scores"]["weights"]) == {"correctness", "quality", "efficiency"}
    assert sum(found["scores"]["weights"].values()) == pytest.approx(100)
    assert found["notes"] == ["scores are without speed, which is not known of every system"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--weight", "quality"], "is not of the form PART=N"),
        (["--weight", "qualty=3"], "quality"),
        (["--weight", "quality=-1"], "weights must not be negative"),
        (["--scorer", "none=3"], "none"),
    ],
)
def test_weights_and_scorers_that_cannot_be_used_are_refused(tmp_path: Path, options: list[str], says: str) -> None:
    done = report(write(tmp_path / "r.jsonl", [with_attempt(1, "a")]), *options)
    assert (done.exit_code, says in done.stderr) == (2, True)
