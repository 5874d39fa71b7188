"""What judging came to."""

from __future__ import annotations

from codeens_server.domain import RunDocument
from codeens_server.tasks.schema import ScoreReport


class Run:
    """A finished run: its document, and ways to look at it."""

    def __init__(self, document: RunDocument) -> None:
        self.document = document

    @property
    def run_id(self) -> str:
        """The id under which the store keeps it."""
        return self.document.run_id

    @property
    def headline(self) -> str:
        """Which candidate is best and why, in one sentence."""
        return self.document.headline

    def __repr__(self) -> str:
        return f"<Run {self.run_id}: {self.headline}>"


class Report:
    """What became of candidates that were judged by a task."""

    def __init__(self, document: ScoreReport) -> None:
        self.document = document

    @property
    def passed(self) -> tuple[str, ...]:
        """Ids of the candidates that meet every demand."""
        return tuple(result.candidate.id for result in self.document.results if result.rank is not None)

    def __repr__(self) -> str:
        return f"<Report on {self.document.task}: {len(self.passed)} of {len(self.document.results)} passed>"
