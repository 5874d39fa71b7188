"""`codeens bench run`, and a task of a data set as the target of `codeens run`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from codeens import Session
from codeens._scripts.codeens import main
from codeens_server.cli.bench_task import code_of, task_of, told_by_its_tests
from codeens_server.errors import InputError
from tests.loopback.server import ModelServer
from tests.sandbox_backends.machine import why_not
from tests.server.bench.made import FIRST, TWICE


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "humaneval"
    folder.mkdir()
    text = "\n".join(map(json.dumps, (TWICE, FIRST)))
    (folder / "HumanEval.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    monkeypatch.setenv("CODEENS_DATA", str(tmp_path))
    return tmp_path


def test_a_task_is_named_by_its_data_set_and_number(data: Path) -> None:
    named = task_of("humaneval/1")
    assert named is not None
    assert named.task.id == "Small/1"
    drawn = task_of("humaneval/random")
    assert drawn is not None
    assert drawn.task.id in {"Small/0", "Small/1"}
    assert task_of("humaneval/a.py::f") is None
    assert task_of("src/a.py:3") is None
    with pytest.raises(InputError, match="no task is called '9'"):
        task_of("humaneval/9")


@pytest.mark.anyio
@pytest.mark.scene
@pytest.mark.skipif(bool(why_not("local")), reason=why_not("local") or "bubblewrap works")
async def test_the_tests_of_the_data_set_say_which_candidates_pass(data: Path) -> None:
    item = task_of("humaneval/0")
    assert item is not None
    async with ModelServer(answer=lambda _: "```python\ndef twice(n):\n    return n + n\n```") as server:
        model = {"name": "m", "model": "openai/m", "api_base": server.url}
        settings = {"models": [model], "results": str(data / "store"), "variants": ["baseline"]}
        async with Session(data, settings=settings, environ={}) as session:
            run = await session.run(code_of(item), mode="implement")
            told = await told_by_its_tests(session, item, run.document)
    assert "tests of Small/0, which the run did not have, 1 of 1 pass: m-baseline-0" in told


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["humanevil", "--out", "r.jsonl"], "Did you mean 'humaneval'?"),
        (["humaneval"], "--out"),
        (["humaneval", "--out", "r.jsonl", "--k", "one"], "no list of numbers"),
        (["humaneval", "--out", "r.jsonl", "--id", "7"], "no task is called '7'"),
        (["absent.jsonl", "--out", "r.jsonl"], "cannot be read: No such file"),
        (["humaneval", "--out", "r.jsonl", "--no-execute"], "ranked by a selector"),
        (["humaneval", "--out", "full.jsonl"], "has results already. The option is --resume."),
    ],
)
def test_wrong_input_gets_one_clear_error(
    data: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], complaint: str
) -> None:
    monkeypatch.chdir(data)
    (data / "full.jsonl").write_text("{}\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["bench", "run", *arguments])
    assert (done.exit_code, complaint in done.stderr) == (2, True), done.stderr
    assert not (data / "r.jsonl").exists()
