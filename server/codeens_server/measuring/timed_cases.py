"""Which inputs programs are timed on: large ones, and ones that the original works long on, of every origin."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CallsResult
from codeens_sandbox_backends.programs import CallInput, Program, Returned
from codeens_sandbox_backends.values.compare import canonical_call
from codeens_sandbox_backends.values.telling import telling
from codeens_server.domain.evidence import Case

LONGEST_PASS_S = 0.1
"""Inputs are dropped, those first that take longest, until the original needs less for all of them: rounds tell more
than long passes do."""
LONGEST_CALL_S = 1.0
MOST = 50
_TRIED = 3 * MOST
"""Of these the original is asked how long it works on each."""


async def costly_cases(cases: Sequence[Case], program: Program, sandbox: Sandbox) -> tuple[Case, ...]:
    """Choose as `timed_cases` does, but half of them by how long the original works on each, within a pass.

    How much work a number is cannot be seen from its length.

    Args:
        cases: to choose from.
        program: the original.
        sandbox: where it runs.

    Raises:
        SandboxError: the sandbox failed.
    """
    tried = sorted(timed_cases(cases, _TRIED), key=lambda case: size(case.input))
    if len(tried) < 2:
        return tuple(tried)
    inputs = tuple(case.input for case in tried)
    result = await sandbox.run(CallsJob(program=program, inputs=inputs, waits=tuple(range(1, len(inputs))), fresh=True))
    costs = _costs_s(tried, result)
    answered = [case for case in cases if case.id in costs] or tried[:1]
    chosen = {case.id for case in timed_cases(answered, MOST // 2)}
    by_cost = sorted(costs, key=lambda key: costs[key])[::-1]
    chosen.update([key for key in by_cost if key not in chosen][: MOST - len(chosen)])
    dropped = ""
    for key in by_cost:
        if len(chosen) > 1 and _together_s(chosen, costs) > LONGEST_PASS_S:
            chosen.discard(key)
            dropped = key
    # Where each input that is any work takes longer than a pass, one of them is timed all the same.
    if _together_s(chosen, costs) < LONGEST_PASS_S / 10 and costs.get(dropped, LONGEST_CALL_S) < LONGEST_CALL_S:
        chosen.add(dropped)
    return tuple(case for case in answered if case.id in chosen)


def _together_s(chosen: Iterable[str], costs: Mapping[str, float]) -> float:
    return sum(costs.get(key, 0.0) for key in chosen)


def _costs_s(cases: Sequence[Case], result: CallsResult) -> dict[str, float]:
    """Return how long each call that returned took, by the case's id, in seconds of processor time, about."""
    waited_s = sum(result.took_s)
    # Processor time where it is known: on a busy machine the same inputs shall be timed as on a quiet one.
    spent_s = result.usage.wall_s if result.usage.cpu_s is None else result.usage.cpu_s
    share = min(1.0, spent_s / waited_s) if waited_s else 0.0
    took = zip(cases, result.outcomes, result.took_s, strict=False)
    return {case.id: share * seconds for case, outcome, seconds in took if isinstance(outcome, Returned)}


def timed_cases(cases: Sequence[Case], most: int = MOST) -> tuple[Case, ...]:
    """Choose at most `most` cases inside the domain on which the original returns, the largest of every origin, once.

    The origins take turns, so that no kind of input is crowded out. An input is there once, because a second call with
    equal arguments is what memory between calls would make cheap; one that tells the answer to an earlier one is not,
    because all inputs of a pass are there at once. The order is that of `cases`.
    """
    cases = _without_tellers(cases)
    by_origin: defaultdict[str, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for index, case in enumerate(cases):
        identity = canonical_call(case.input)
        if isinstance(case.expected, Returned) and case.outside is None and identity not in seen:
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


def _without_tellers(cases: Sequence[Case]) -> Sequence[Case]:
    """Leave out what people or tests wrote down that tells an answer to an earlier input."""
    while True:
        written = [index for index, case in enumerate(cases) if case.origin != "generated"]
        told = telling([cases[index].input for index in written], [cases[index].expected for index in written])
        if not told:
            return cases
        dropped = {written[place] for place in told}
        cases = [case for index, case in enumerate(cases) if index not in dropped]


def size(call: CallInput) -> tuple[int, bytes]:
    """Order inputs by length of text; of two equally long ones the one with the larger digits is the larger."""
    text = msgspec.json.encode(call)
    return len(text), text
