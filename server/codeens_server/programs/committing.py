"""Commits a win to the repository that its file is in, with the evidence in the message."""

from __future__ import annotations

from pathlib import Path

from codeens_server.domain.document import RankedResult, RunDocument
from codeens_server.errors import Hint, InputError
from codeens_server.programs.worth import Worth
from codeens_server.ranking.wording import TIMES, evidence, label
from codeens_server.text import one_line
from codeens_server.workspace.edit import apply_edit
from codeens_server.workspace.git import git


def refuse_without_author(folder: Path) -> None:
    """Refuse a folder in which no commit can be made: it is in no repository, or git does not know whose it is. Blocks.

    Raises:
        InputError: so it is.
    """
    try:
        git(folder, "rev-parse", "--show-toplevel")
    except InputError as error:
        if error.code == "no_git":
            raise
        message = f"{folder} is in no repository of git that a win could be committed to."
        raise InputError(
            message, code="no_repository", hint=Hint("fix", "Make one with git init, or leave out --git.")
        ) from None
    try:
        git(folder, "var", "GIT_AUTHOR_IDENT")
        git(folder, "var", "GIT_COMMITTER_IDENT")
    except InputError:
        message = "git does not know whose name a commit is made in."
        advice = "Say it: git config user.name NAME, and git config user.email ADDRESS."
        raise InputError(message, code="no_author", hint=Hint("fix", advice)) from None


def refuse_unclean(path: Path) -> None:
    """Refuse a file that a commit of its own cannot be made of. Blocks.

    Raises:
        InputError: it is in no repository, is not followed by it, or holds changes that are not committed.
    """
    if not git(path.parent, "ls-files", "--", str(path)).strip():
        message = f"git does not follow {path}, so a win in it would be no commit of its own."
        raise InputError(message, code="unclean", hint=Hint("fix", "Add and commit it first."))
    changes = git(path.parent, "status", "--porcelain", "--", str(path))
    if changes.strip():
        message = f"{path} holds changes that are not committed; a commit of a win would take them along."
        raise InputError(message, code="unclean", hint=Hint("fix", "Commit or stash them first."))


def commit_win(document: RunDocument, program: str, worth: Worth | None) -> str:
    """Write what a run advises into its file, commit that file alone, and return the commit's id. Blocks.

    Args:
        document: a run that advises something new.
        program: what was run, as a command.
        worth: what the change is worth in it.

    Raises:
        InputError: the file holds changes that are not committed, or git refuses; the file is as it was then.
        ChangedError: the file is not what it was when the run began.
    """
    path = Path(document.target.path)
    refuse_unclean(path)
    best = next(row for row in document.results if row.candidate.id == document.best)
    before = path.read_bytes()
    apply_edit(document.target, best.candidate.replacement)
    try:
        git(path.parent, "commit", "--quiet", "-m", _message(document, best, program, worth), "--", str(path))
    except InputError:
        # A hook may have refused it, and may have written into the file as well.
        path.write_bytes(before)
        raise
    return git(path.parent, "rev-parse", "HEAD").strip()


def _message(document: RunDocument, best: RankedResult, program: str, worth: Worth | None) -> str:
    how = f"{best.speed.ratio:.1f}{TIMES} as fast" if best.speed and best.speed.faster else "better"
    lines = [f"Make {document.target.qualname} {how}", "", one_line(document.headline)]
    lines.append(f"Evidence: {one_line(evidence(best.verdict, improving=document.mode == 'improve'))}")
    lines += [f"On condition: {one_line(condition.text)}" for condition in best.verdict.conditions]
    if best.speed:
        lines.append(f"Speed: {best.speed.ratio:.2f}{TIMES} [{best.speed.low:.2f}, {best.speed.high:.2f}]")
    if worth:
        lines.append(f"In `{one_line(program)}`: {worth.ratio:.2f}{TIMES} [{worth.low:.2f}, {worth.high:.2f}]")
    lines += [f"Written by {label(best.candidate)}; codeens run {document.run_id}"]
    return "\n".join(lines)
