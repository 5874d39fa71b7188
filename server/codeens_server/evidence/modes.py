"""What kind of job it is: improve what works, repair what fails, implement what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from codeens_server.domain import Mode, ModeRequest, Target
from codeens_server.errors import EvidenceError

_NAMED = 3


def resolve_mode(
    asked: ModeRequest, target: Target, *, failing_tests: Sequence[str], failing_examples: Sequence[str]
) -> Mode:
    """The mode of the run. `auto` repairs what fails before any change.

    A failing example in the docstring does not forbid `improve` when that is asked for: docstrings may be stale.

    Raises:
        EvidenceError: `improve` was asked for, and there is no body, or tests fail before any change.
    """
    if asked == "auto":
        if target.body_missing:
            return "implement"
        return "repair" if failing_tests or failing_examples else "improve"
    if asked == "improve" and target.body_missing:
        message = f"{target.qualname} has no body to improve. Use --mode implement."
        raise EvidenceError(message)
    if asked == "improve" and failing_tests:
        message = (
            f"tests that reach {target.qualname} fail before any change: {_listed(failing_tests)}. "
            "Use --mode repair, or leave them out with --tests."
        )
        raise EvidenceError(message)
    return asked


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
