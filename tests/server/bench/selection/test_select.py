"""`codeens bench select`, through the command, in the real sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from codeens._scripts.codeens import main
from tests.sandbox_backends.machine import why_not

in_sandbox = pytest.mark.skipif(bool(why_not("local")), reason=why_not("local") or "bubblewrap works")
TASK = {
    "task_id": "Small/0",
    "prompt": "def twice(n: int) -> int:\n",
    "entry_point": "twice",
    "test": "def check(candidate):\n    assert candidate(3) == 6\n",
    "solutions": [
        "    return n + n\n",
        "    return 2 * n\n",
        "    return n * n\n",
        "    return n.x\n",
        "    return (\n",
    ],
    "generated_tests": ["twice(2) == 4\nassert twice(3) == 6", "twice(0) == 0", "twice(3) == 9\nassert twice(4) == "],
}


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "pool.jsonl"
    file.write_text(json.dumps(TASK), encoding="utf-8")
    return file


def select(pool: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["bench", "select", str(pool), *options])


@in_sandbox
def test_answers_run_once_and_methods_are_compared_on_what_they_did(pool: Path) -> None:
    matrix = pool.with_name("matrix.jsonl")
    options = ("--generated-tests", str(pool), "--n", "2,100", "--matrix", str(matrix), "--json")
    first = select(pool, *options)
    assert first.exit_code == 0, first.stderr
    found = json.loads(first.stdout)
    assert {name: rate["pass@1"] for name, rate in found["methods"].items()} == {
        "random": 0.4,
        "maxpass": 1 / 3 * 2,
        "mbr": 1.0,
        "codet": 1.0,
        "b4": 1.0,
        "cosplay": 1.0,
        "inputs": 1.0,
        "best": 1.0,
        "oracle": 1.0,
    }
    assert set(found["by_n"]) == {"2", "100"}
    kept = matrix.read_bytes()
    matrix.write_bytes(kept + b'{"task_id": "torn')
    assert json.loads(select(pool, *options).stdout) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file has no answers"),
        ("{", "pool.jsonl:1: "),
        ('{"task_id": "A", "prompt": "p", "entry_point": "f", "test": "t"}', "A has no answers"),
        ('{"task_id": "A", "solutions": ["x"]}', "pool.jsonl:1: the first line of A needs"),
        (json.dumps({**TASK, "generated_tests": []}), "has no generated tests"),
    ],
)
def test_a_file_that_is_no_pool_gets_one_clear_error(pool: Path, text: str, says: str) -> None:
    pool.write_text(text, encoding="utf-8")
    done = select(pool)
    assert done.exit_code == 2
    assert says in done.stderr


def test_an_unknown_method_is_answered_with_the_known_ones(pool: Path) -> None:
    done = select(pool, "--method", "b5")
    assert done.exit_code == 2
    assert "b4" in done.stderr
