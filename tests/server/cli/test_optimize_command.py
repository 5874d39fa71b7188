"""`codeens optimize` and `codeens record`: what cannot be done is refused before a program is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.programs import inside
from tests.server.cli.conftest import Codeens


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.delattr(inside, "_SCRIPT")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--command", ""], "nothing is said that could be run"),
        (["sums.py", "--budget-usd", "-1"], "budget_usd must be more than 0, not -1.0. The option is --budget-usd."),
        (["sums.py", "--rounds", "0"], "rounds must be more than 0, not 0. The option is --rounds."),
        (["sums.py", "--model", "nosuch"], "no model is called 'nosuch'"),
        (["sums.py", "--git"], "is in no repository of git that a win could be committed to. Make one with git init"),
        (["--profile", "sums.py"], "sums.py is no profile that can be read: neither cProfile nor py-spy wrote it."),
        (["--profile", "gone"], "gone is no profile that can be read: No such file or directory."),
    ],
)
def test_what_cannot_be_optimized_is_one_line_and_nothing_is_run(
    codeens: Codeens, arguments: list[str], why: str
) -> None:
    done = codeens("optimize", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("out", "why"), [("none/calls", "there is no folder"), (".", "'.' is a folder")])
def test_a_file_that_cannot_be_written_is_refused_before_a_program_is_run(
    codeens: Codeens, here: Path, out: str, why: str
) -> None:
    done = codeens("record", "sums.py::total", "--command", "sums.py", "--out", out)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"Invalid value for '--out': {why}" in done.stderr
