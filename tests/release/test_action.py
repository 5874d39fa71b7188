"""The action for GitHub: its steps, in a repository of their own, with a loopback API that takes the comment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
import yaml

from tests.release.github import GitHub, Job, served
from tests.sandbox_backends.machine import why_not

pytestmark = [
    pytest.mark.scene,
    pytest.mark.timeout(200),
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]
CLONE = Path(__file__).parents[2]
COMMENT = "Comment on the pull request"


@pytest.fixture
def github() -> Generator[GitHub]:
    with served() as running:
        yield running


@pytest.fixture
def job(tmp_path: Path, github: GitHub) -> Job:
    """A pull request whose one function cannot be held against what it was, so that no candidate runs."""
    repository, folder = tmp_path / "repository", tmp_path / "runner"
    repository.mkdir()
    (folder / "codeens" / "bin").mkdir(parents=True)
    for name in ("codeens", "python"):
        (folder / "codeens" / "bin" / name).symlink_to(Path(sys.executable).with_name(name))
    (repository / "pyproject.toml").touch()
    (repository / "shop.py").write_text("def price(x: int) -> int:\n    return x\n", encoding="utf-8")
    for arguments in ("init --quiet", "add .", "-c user.name=a -c user.email=a@localhost commit --quiet -m begin"):
        subprocess.run(["git", *arguments.split()], cwd=repository, check=True)
    text = "def price(x: int, rate: int) -> int:\n    return x * rate\n"
    (repository / "shop.py").write_text(text, encoding="utf-8")
    event = {"pull_request": {"number": 7, "base": {"sha": "HEAD"}}}
    return Job(action=CLONE, repository=repository, folder=folder, api=github.url, event=event)


def test_the_table_is_commented_once_and_renewed_and_the_job_fails_where_that_was_asked_for(
    job: Job, github: GitHub
) -> None:
    github.comments.append({"id": 1, "body": "Looks good"})

    first = job.run(token="secret")
    again = job.run(token="secret", fail_on="unknown slower")

    assert (first.code, again.code) == (0, 3), first.output + again.output
    assert github.requests == [
        "GET /repos/a/b/issues/7/comments",
        "POST /repos/a/b/issues/7/comments",
        "GET /repos/a/b/issues/7/comments",
        "PATCH /repos/a/b/issues/comments/101",
    ]
    assert github.tokens == {"Bearer secret"}
    mark, _, table = github.comments[-1]["body"].partition("\n")
    assert (mark, len(github.comments)) == ("<!-- codeens check -->", 2)
    assert table.startswith("### codeens: 1 function changed: 1 could not be compared\n")
    assert "| `price` (shop.py:1) | not compared: it demands rate, which no caller gives | - |" in table
    assert (job.folder / "summary.md").read_text(encoding="utf-8") == table + table
    assert "secret" not in first.output + again.output


def test_without_a_token_or_the_right_to_comment_the_table_is_in_the_summary_and_nothing_fails(
    job: Job, github: GitHub
) -> None:
    without = job.run(token="", improve="true", budget_usd="0.5")
    github.status = 403
    refused = job.run(token="secret")

    assert (without.code, refused.code) == (0, 0)
    assert COMMENT not in without.ran
    assert "::warning::no comment: GitHub answers 403" in refused.output
    assert "pull-requests: write" in refused.output
    assert github.comments == []
    assert "- `price` (shop.py): no run: no candidate was made" in (job.folder / "summary.md").read_text(
        encoding="utf-8"
    )


def test_a_base_that_was_not_fetched_fails_the_job_with_what_to_do(job: Job, github: GitHub) -> None:
    ended = job.run(base="0" * 40, token="secret")

    assert (ended.code, github.requests) == (2, [])
    assert "git fetch" in ended.output


def test_the_hook_runs_a_command_that_there_is() -> None:
    (hook,) = yaml.safe_load((CLONE / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    program, *arguments = hook["entry"].split()

    assert (hook["language"], hook["types"]) == ("python", ["python"])
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *arguments, "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
