"""A win becomes a commit of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from codeens_server.errors import InputError
from codeens_server.programs.committing import commit_win, refuse_without_author
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
    with pytest.raises(InputError, match="git ls-files"):
        commit_win(facts.run_document("20260101-bbbbbb", facts.target_in(tmp_path.parent)), "", None)


def test_a_win_that_git_refuses_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "a")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@localhost")
    target = facts.target_in(tmp_path)
    git(tmp_path, "init", "--quiet")
    document = facts.run_document("20260101-aaaaaa", target)
    with pytest.raises(InputError, match="git does not follow"):
        commit_win(document, "app.py", None)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "begin")
    hook = tmp_path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho it is Friday >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)

    with pytest.raises(InputError, match="it is Friday"):
        commit_win(document, "app.py", None)

    assert Path(target.path).read_text(encoding="utf-8") == facts.SOURCE
    assert git(tmp_path, "log", "--format=%s").split() == ["begin"]


def test_a_folder_without_a_repository_or_an_author_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="in no repository of git"):
        refuse_without_author(tmp_path)
    git(tmp_path, "init", "--quiet")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, "/dev/null")
    git(tmp_path, "config", "user.useConfigOnly", "true")
    for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="whose name a commit is made in"):
        refuse_without_author(tmp_path)
