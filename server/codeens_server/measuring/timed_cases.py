"""Which inputs are worth timing."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence

import msgspec

from codeens_sandbox_backends.base import CallInput, Returned
from codeens_sandbox_backends.values import compare as trees
from codeens_server.domain import Case

MOST = 50


def timed_cases(cases: Sequence[Case], most: int = MOST) -> tuple[Case, ...]:
    """Up to `most` cases on which the original returns, the largest of every origin, each input once.

    The origins take turns, so that no kind of input is crowded out. An input is there once, because a second call with
    equal arguments is what memory between calls would make cheap. The order is that of `cases`.
    """
    by_origin: defaultdict[str, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for index, case in enumerate(cases):
        identity = trees.canonical_call(case.input)
        if isinstance(case.expected, Returned) and identity not in seen:
            seen.add(identity)
            by_origin[case.origin].append(index)
    queues = deque(
        deque(sorted(found, key=lambda at: size(cases[at].input), reverse=True)) for found in by_origin.values()
    )
    chosen: list[int] = []
    while queues and len(chosen) < most:
        queue = queues.popleft()
        chosen.append(queue.popleft())
        if queue:
            queues.append(queue)
    return tuple(cases[index] for index in sorted(chosen))


def smaller_half(cases: Sequence[Case]) -> tuple[Case, ...]:
    """The cases of smaller input, at least one, in their order."""
    by_size = sorted(range(len(cases)), key=lambda index: size(cases[index].input))
    return tuple(cases[index] for index in sorted(by_size[: max(1, len(cases) // 2)]))


def size(call: CallInput) -> tuple[int, bytes]:
    """Orders inputs: the longer text is the larger, and of two equally long ones the one with the larger digits."""
    text = msgspec.json.encode(call)
    return len(text), text
