"""A win becomes a commit of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from codeens_server.errors import InputError
from codeens_server.programs.committing import commit_win
from codeens_server.programs.worth import Worth
from tests.server import facts


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_the_file_alone_is_committed_with_the_evidence_and_what_it_is_worth_in_the_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "a")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@localhost")
    target = facts.target_in(tmp_path)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "begin")
    (tmp_path / "other.txt").write_text("staged", encoding="utf-8")
    git(tmp_path, "add", "other.txt")
    document = facts.run_document("20260101-aaaaaa", target)

    made = commit_win(document, "python -m app", Worth(ratio=1.07, low=1.04, high=1.10, runs=5))

    message = git(tmp_path, "log", "-1", "--format=%B")
    assert git(tmp_path, "rev-parse", "HEAD").strip() == made
    assert git(tmp_path, "show", "--name-only", "--format=").split() == ["sums.py"]
    assert message.startswith("Make total 2.3\N{MULTIPLICATION SIGN} as fast\n\n")
    assert "Evidence: 34/34 tests and 120 inputs equal" in message
    assert "In `python -m app`: 1.07\N{MULTIPLICATION SIGN} [1.04, 1.10]" in message
    assert "codeens run 20260101-aaaaaa" in message
    Path(target.path).write_text(facts.SOURCE, encoding="utf-8")
    with pytest.raises(InputError, match="not committed"):
        commit_win(document, "python -m app", None)
    with pytest.raises(InputError, match="git status"):
        commit_win(facts.run_document("20260101-bbbbbb", facts.target_in(tmp_path.parent)), "", None)
