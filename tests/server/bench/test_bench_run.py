"""`run_benchmark` over HTTP: models of the loopback server, programs in the real sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from codeens import Session
from codeens_server.bench.datasets.loading import load_tasks
from codeens_server.bench.records import Record
from codeens_server.bench.results import ResultsFile, read_records
from codeens_server.bench.running import BenchProgress, Outcome, Plan, Watcher, run_benchmark
from codeens_server.bench.selector.choosing import in_order
from codeens_server.errors import InputError
from tests.loopback.server import ChatRequest, Fault, ModelServer
from tests.sandbox_backends.machine import why_not
from tests.server.bench.made import FIRST, TWICE
from tests.server.ranking.selector.made import trusting

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(bool(why_not("local")), reason=why_not("local") or "bubblewrap works"),
]

SUM: dict[str, Any] = {
    "id": "own/sum",
    "prompt": "Print the sum of the two numbers.",
    "entry_point": "main",
    "test_cases": [{"stdin": "1 2\n", "expected_output": "3\n"}, {"stdin": "5 2\n", "expected_output": "7\n"}],
    "reference_solution": "print(sum(map(int, input().split())))\n",
}
RIGHT = {"twice": "def twice(n):\n    return n + n\n", "first": "def first(xs):\n    return xs[0]\n"}


def rows(path: Path, *tasks: dict[str, Any]) -> Path:
    path.write_text("\n".join(map(json.dumps, tasks)), encoding="utf-8")
    return path


def fenced(code: str) -> str:
    return f"```python\n{code}```"


def right(request: ChatRequest) -> str:
    return fenced(next(code for name, code in RIGHT.items() if f"def {name}" in request.prompt))


class Bench:
    """A benchmark of a file of tasks, with what its watcher was told."""

    def __init__(self, folder: Path, server: ModelServer, tasks: Path, *models: str) -> None:
        self.out = folder / "r.jsonl"
        self.expected: list[Any] = []
        self.steps: list[BenchProgress] = []
        self._folder = folder
        self._tasks = tasks
        prices = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}
        self._settings = [
            {"name": name, "model": f"openai/{name}", "api_base": server.url, **prices} for name in models
        ]

    async def run(self, *, name: str = "humaneval", resume: bool = False, **plan: Any) -> Outcome:
        settings: Mapping[str, object] = {
            "models": self._settings,
            "results": str(self._folder / "store"),
            "budget_usd": 1000.0,
        }
        watcher = Watcher(lambda expected, _: self.expected.append(expected), self.steps.append)
        plan = {"variants": ("baseline",)} | plan
        async with Session(self._folder, settings=settings, environ={}) as session:
            with ResultsFile(self.out, resume=resume) as file:
                return await run_benchmark(load_tasks(name, self._tasks, {}), Plan(**plan), file, session, watcher)

    @property
    def records(self) -> list[Record]:
        return list(read_records(self.out))

    def endings(self) -> dict[tuple[str, str], str]:
        return {(one.model, one.task_id): one.ending for one in self.records}


def server_of(answer: Callable[[ChatRequest], str], script: Mapping[str, Sequence[Fault]] | None = None) -> ModelServer:
    return ModelServer(answer=answer, script=script)


async def test_every_answer_of_every_model_becomes_a_line_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    def answer(request: ChatRequest) -> str:
        if request.model == "poor":
            return "I cannot say." if "def first" in request.prompt else fenced("def twice(n):\n    return n\n")
        return right(request)

    async with server_of(answer, {"good": ["429", "ok"]}) as server:
        bench = Bench(tmp_path, server, rows(tmp_path / "h.jsonl", TWICE, FIRST), "good", "poor")
        outcome = await bench.run()
    assert (outcome.wrote, outcome.left, outcome.notes) == (4, 0, ())
    assert bench.endings() == {
        ("good", "Small/0"): "passed",
        ("good", "Small/1"): "passed",
        ("poor", "Small/0"): "failed",
        ("poor", "Small/1"): "no_code",
    }
    line = next(one for one in bench.records if one.passed)
    assert line.last.source.endswith(("return n + n\n", "return xs[0]\n"))
    assert line.last.tokens_in > 0
    assert line.cost_usd == pytest.approx(0.001 * line.last.tokens_in + 0.002 * line.last.tokens_out)
    assert line.last.run_s is not None
    assert (line.digest, line.dataset) == (load_tasks("humaneval", tmp_path / "h.jsonl", {}).digest, "humaneval")
    assert line.machine.python.startswith("3.")
    assert bench.expected[0].items == 4
    assert 0 < bench.expected[0].usd <= bench.expected[0].most_usd
    assert [step.done for step in bench.steps] == [1, 2, 3, 4]


async def test_a_model_that_never_answers_is_told_of_and_asked_again_when_resumed(tmp_path: Path) -> None:
    tasks = rows(tmp_path / "h.jsonl", TWICE, FIRST)
    async with server_of(right, {"dead": ["401"]}) as server:
        bench = Bench(tmp_path, server, tasks, "good", "dead")
        outcome = await bench.run(samples=6, concurrency=1)
        assert (outcome.wrote, outcome.left) == (12 + 8, 4)
        assert "dead is not asked any more" in outcome.notes[0]
        asked = sum(one.model == "good" for one in server.requests)
    async with server_of(right) as server:
        again = Bench(tmp_path, server, tasks, "good", "dead")
        outcome = await again.run(samples=6, resume=True)
        assert (outcome.wrote, outcome.left) == (12, 0)
        assert {one.model for one in server.requests} == {"dead"}
    assert asked == 12
    assert sum(one.passed for one in again.records) == 24


async def test_a_second_round_is_told_what_failed_and_not_what_was_expected(tmp_path: Path) -> None:
    def answer(request: ChatRequest) -> str:
        return right(request) if "You answered this before" in request.prompt else fenced("def twice(n):\n    X\n")

    async with server_of(answer) as server:
        bench = Bench(tmp_path, server, rows(tmp_path / "h.jsonl", TWICE), "m")
        await bench.run(rounds=3)
        (line,) = bench.records
        assert ([one.ending for one in line.attempts], line.metadata["feedback"]) == (["error", "passed"], "judge")
        assert "NameError" in server.requests[1].prompt
        assert "candidate(2) == 4" not in server.requests[1].prompt


async def test_a_repair_is_told_of_public_tests_alone(tmp_path: Path) -> None:
    wrong = {1: "def twice(n):\n    return 1\n", 2: "def twice(n):\n    return 2\n"}
    row = TWICE | {
        "declaration": "def twice(n):\n",
        "buggy_solution": "    return n\n",
        "example_test": "def check(f):\n    assert f(1) == 2\ncheck(twice)\n",
    }

    def answer(request: ChatRequest) -> str:
        return fenced(wrong[2 if "before" in request.prompt else 1])

    async with server_of(answer) as server:
        bench = Bench(tmp_path, server, rows(tmp_path / "h.jsonl", row), "m")
        await bench.run(name="humanevalpack", rounds=4, temperature=0.0, seed=3)
        (line,) = bench.records
        assert [one.ending for one in line.attempts] == ["failed", "failed"]
        assert line.metadata["feedback"] == "public"
        assert "return n\n" in server.requests[0].prompt
        assert [(one.body["temperature"], one.body["seed"]) for one in server.requests] == [(0.0, 3), (0.0, 3)]


@pytest.mark.parametrize(
    "code",
    [
        "def main():\n    print(sum(map(int, input().split())))\n",
        "import sys\na, b = sys.stdin.read().split()\nprint(int(a) + int(b))\n",
    ],
)
async def test_a_script_may_come_as_a_function_or_as_it_is(tmp_path: Path, code: str) -> None:
    async with server_of(lambda _: fenced(code)) as server:
        bench = Bench(tmp_path, server, rows(tmp_path / "t.jsonl", SUM), "m")
        await bench.run(name="tasks")
    assert bench.endings() == {("m", "own/sum"): "passed"}


async def test_a_budget_ends_it_and_what_was_spent_before_counts(tmp_path: Path) -> None:
    tasks = rows(tmp_path / "h.jsonl", TWICE, FIRST)
    async with server_of(right) as server:
        bench = Bench(tmp_path, server, tasks, "m")
        first = await bench.run(samples=4, budget_usd=10.0, concurrency=1)
        spent = sum(one.cost_usd or 0.0 for one in bench.records)
        assert first.wrote < 8
        assert 0 < spent <= 10.0
        assert "the budget is used up." in first.notes
        asked = len(server.requests)
        second = await bench.run(samples=4, budget_usd=10.0, concurrency=1, resume=True)
        assert (second.wrote, len(server.requests)) == (0, asked)


async def test_what_cannot_be_judged_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    broken = TWICE | {"canonical_solution": "    return n\n"}
    async with server_of(right) as server:
        bench = Bench(tmp_path, server, rows(tmp_path / "h.jsonl", broken, FIRST), "m")
        with pytest.raises(InputError, match="1 of 2 tasks fail their own reference solution"):
            await bench.run()
        assert server.requests == []
        assert bench.records == []


async def test_results_of_another_state_of_the_tasks_are_not_gone_on_with(tmp_path: Path) -> None:
    async with server_of(right) as server:
        bench = Bench(tmp_path, server, rows(tmp_path / "h.jsonl", TWICE), "m")
        await bench.run()
        rows(tmp_path / "h.jsonl", TWICE, FIRST)
        with pytest.raises(InputError, match="of another state of the data set"):
            await bench.run(resume=True)


async def test_an_estimate_asks_nobody(tmp_path: Path) -> None:
    async with server_of(right) as server:
        bench = Bench(tmp_path, server, rows(tmp_path / "h.jsonl", TWICE), "m")
        outcome = await bench.run(forecast_only=True, samples=3)
        assert (outcome.forecast.items, server.requests) == (3, [])


async def test_without_executing_answers_are_ranked_and_not_judged_before_a_run_that_goes_on_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a sandbox was asked for")

    async with server_of(right) as server:
        bench = Bench(tmp_path, server, rows(tmp_path / "h.jsonl", TWICE, FIRST), "poor", "good")
        with monkeypatch.context() as patch:
            patch.setattr(Session, "sandbox", refuse)
            await bench.run(no_execute=True)
            assert set(bench.endings().values()) == {"not_run"}
            assert not any(one.passed or one.counts for one in bench.records)
            likely = in_order(bench.out, trusting(poor=-2.0, good=2.0))
            assert [one.model for one in likely] == ["good", "poor"] * 2
            assert {one.status for one in likely} == {"not run"}
            assert (await bench.run(no_execute=True, resume=True)).wrote == 0
        asked = len(server.requests)
        assert (await bench.run(resume=True)).wrote == 4
        assert set(bench.endings().values()) == {"passed"}
        assert len(server.requests) == asked


async def test_of_several_solutions_the_first_that_passes_is_the_reference(tmp_path: Path) -> None:
    right_one = "print(sum(map(int, input().split())))"
    contest = {
        "name": "1_A",
        "description": "Print the sum.",
        "public_tests": {"input": ["1 2\n"], "output": ["3\n"]},
        "generated_tests": {"input": ["5 2\n"], "output": ["7\n"]},
        "solutions": {"language": [2, 3, 3], "solution": ["int main(){}", "print(3)", right_one]},
    }
    async with server_of(lambda _: fenced(f"{right_one}\n")) as server:
        bench = Bench(tmp_path, server, rows(tmp_path / "c.jsonl", contest), "m")
        await bench.run(name="code_contests")
        assert bench.endings() == {("m", "1_A"): "passed"}
        contest["solutions"] = {"language": [3], "solution": ["print(3)"]}
        rows(tmp_path / "c.jsonl", contest)
        bench.out.unlink()
        with pytest.raises(InputError, match="1 of 1 tasks fail their own reference"):
            await bench.run(name="code_contests")
