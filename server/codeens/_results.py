"""What a run came to."""

from __future__ import annotations

from codeens_server.domain import Run as RunDocument


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
