"""Calls that the tests made, as inputs that can be made again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from codeens_sandbox_backends.base import CallInput, RecordedCall
from codeens_sandbox_backends.values.compare import canonical_call


def distinct_calls(recorded: Iterable[RecordedCall], known: Sequence[CallInput]) -> list[RecordedCall]:
    """The first call with each input that is not among those known."""
    seen = {canonical_call(call) for call in known}
    kept: list[RecordedCall] = []
    for call in recorded:
        key = canonical_call(call.input)
        if key not in seen:
            seen.add(key)
            kept.append(call)
    return kept
