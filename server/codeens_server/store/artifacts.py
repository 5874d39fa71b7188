"""Files per candidate, for people and tools that do not read the database.

<results>/run_<id>/<candidate>/prompt.txt    what the model was asked
                               response.txt  what it answered
                               solution.py   the new code
                               payload.py    the module as the sandbox was given it
                               result.json   the candidate's row of the result, once the run ended
"""

from __future__ import annotations

from pathlib import Path

from codeens_server.domain.document import RunDocument
from codeens_server.domain.target import Candidate, Target
from codeens_server.errors import InputError, RunError
from codeens_server.files import private_folder, safe_name, write_private
from codeens_server.run.state import RunState
from codeens_server.store.documents import to_json
from codeens_server.workspace.edit import program_for, unified_diff


class Artifacts:
    """Writes below one folder, and nowhere else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run_folder(self, run_id: str) -> Path:
        """Where the files of a run are; the name is made safe for any file system."""
        return self.folder / f"run_{safe_name(run_id)}"

    def candidate_folder(self, run_id: str, candidate_id: str) -> Path:
        """Where a candidate's files are; the name is made safe for any file system."""
        return self.run_folder(run_id) / safe_name(candidate_id)

    def write_candidate(self, run_id: str, target: Target, candidate: Candidate) -> None:
        """Write what is known when a candidate has been generated.

        Raises:
            RunError: the folder cannot be written.
        """
        files = {"prompt.txt": candidate.prompt, "response.txt": candidate.response, "solution.py": candidate.source}
        if (payload := _payload(target, candidate)) is not None:
            files["payload.py"] = payload
        self._write(run_id, candidate.id, files)

    def write_results(self, run: RunDocument) -> None:
        """Write each row of an ended run.

        Raises:
            RunError: the folder cannot be written.
        """
        for row in (run.original, *run.results):
            self._write(run.run_id, row.candidate.id, {"result.json": to_json(row, indent=2) + "\n"})

    def _write(self, run_id: str, candidate_id: str, files: dict[str, str]) -> None:
        try:
            folder = private_folder(self.candidate_folder(run_id, candidate_id))
            for name, text in files.items():
                write_private(folder / name, text)
        except OSError as error:
            message = f"{error.filename or self.folder} cannot be written: {error.strerror}."
            raise RunError(message) from error


def artifact(state: RunState, candidate_id: str, name: str) -> str:
    """Return a file of a candidate, or of `original`, as text.

    Args:
        state: what is known of the run.
        candidate_id: also of an answer with the code of another.
        name: solution, prompt, response, payload, diff or result.

    Raises:
        InputError: there is none of that name, the code has no row, or it cannot be put into its module (any more).
    """
    candidate = state.answers.get(candidate_id)
    replacement = candidate.replacement if candidate else None
    match name:
        case "payload":
            return program_for(state.target, replacement).modules[0].source
        case "result":
            return _row(state, candidate_id)
        case "solution":
            return candidate.source if candidate else state.target.source
        case "prompt":
            return candidate.prompt if candidate else ""
        case "response":
            return candidate.response if candidate else ""
        case "diff":
            return unified_diff(state.target, replacement) if replacement else ""
        case _:
            message = f"no artifact is called {name!r}."
            raise InputError(message, code="no_such_artifact")


def _row(state: RunState, candidate_id: str) -> str:
    document = state.document
    rows = (document.original, *document.results) if document else ()
    row = next((row for row in rows if row.candidate.id == candidate_id), None)
    if row is None:
        message = f"{candidate_id} has no row of its own: the run has no result, or its code is another one's."
        raise InputError(message, code="no_row")
    return to_json(row)


def _payload(target: Target, candidate: Candidate) -> str | None:
    """None: the candidate cannot be put into its module, which its verdict says."""
    try:
        return program_for(target, candidate.replacement).modules[0].source
    except InputError:
        return None
