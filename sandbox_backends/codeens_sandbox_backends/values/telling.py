"""Says which calls must wait for the answers to the ones before them; see `worker/telling.py`."""

from __future__ import annotations

from collections.abc import Sequence

from codeens_sandbox_backends.programs import CallInput, Encoded, Outcome, Raised, Returned
from codeens_sandbox_backends.worker.telling import told_early


def telling(calls: Sequence[CallInput], answers: Sequence[Outcome | None]) -> list[int]:
    """Return the indexes of calls whose arguments tell an answer to an earlier call, as far as answers are known."""
    return told_early([_arguments(call) for call in calls], [_said(answer) for answer in answers])


def _arguments(call: CallInput | Returned | Raised) -> list[Encoded]:
    return [*call.args, *call.kwargs.values()]


def _said(answer: Outcome | None) -> list[Encoded]:
    """Return what a call answered: its value, and the arguments as it left them."""
    value = [answer.value] if isinstance(answer, Returned) else []
    return value + _arguments(answer) if isinstance(answer, (Returned, Raised)) else []
