"""What the original does in a further interpreter: candidates are held to that there, not to what it does elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import anyio.to_thread
from msgspec import structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, Limits, SuiteJob, TestReport
from codeens_sandbox_backends.programs import NOT_LIVE, Outcome, Program, Raised, Returned
from codeens_sandbox_backends.values.outcomes import same_outcome
from codeens_sandbox_backends.values.render import render_outcome
from codeens_server.domain.evidence import EnvironmentEvidence, Evidence
from codeens_server.domain.target import Target
from codeens_server.errors import EvidenceError, Hint
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.installed import version_of

_LEAST_SUITE_S = 30.0
_SUITE_FACTOR = 4.0
"""Seconds allowed for tests, by those that they took in the first interpreter."""


class FurtherEvidence(NamedTuple):
    """What was found out in an interpreter, and sentences about it; without evidence nothing is held to it there."""

    evidence: EnvironmentEvidence | None
    notes: tuple[str, ...] = ()


async def gather_in(
    target: Target, evidence: Evidence, interpreter: str, *, limits: Limits, sandbox: Sandbox
) -> FurtherEvidence:
    """Ask the original in a further interpreter.

    Args:
        target: the function.
        evidence: what was gathered in the first interpreter.
        interpreter: absolute path.
        limits: of each job.
        sandbox: one with that interpreter.

    Raises:
        EvidenceError: the module cannot be loaded there.
        SandboxError: the sandbox failed.
    """
    program = await anyio.to_thread.run_sync(program_for, target, None)
    inputs = tuple(case.input for case in evidence.cases)
    first = await sandbox.run(CallsJob(program=program, inputs=inputs, limits=limits))
    label = _label(first.python, interpreter, evidence)
    if isinstance(first.failure, Raised) and first.failure.type == NOT_LIVE:
        return FurtherEvidence(None, (f"nothing is held to Python {label}: {first.failure.message}",))
    if inputs and not first.loaded:
        why = render_outcome(first.failure) if first.failure else "no answer"
        message = f"{target.module} cannot be loaded with {interpreter}: {why}. Check what is installed there."
        raise EvidenceError(message, code="not_loadable", hint=Hint("option", "python"))
    again = await sandbox.run(CallsJob(program=program, inputs=inputs, limits=limits, fresh=True))
    expected = _expected(evidence, first.outcomes, again.outcomes)
    tests, why = await _tests(target, program, evidence, limits, sandbox)
    notes = [_differs(evidence, expected, label), f"with Python {label} no test counts: {why}" if why else ""]
    found = EnvironmentEvidence(python=label, interpreter=interpreter, expected=expected, tests=tests)
    return FurtherEvidence(found, tuple(filter(None, notes)))


def _label(version: str, interpreter: str, evidence: Evidence) -> str:
    if not version:
        told = version_of(Path(interpreter))
        version = f"{told[0]}.{told[1]}" if told else interpreter
    taken = {evidence.python, *(environment.python for environment in evidence.environments)}
    return f"{version} ({interpreter})" if version in taken else version


def _expected(evidence: Evidence, first: Sequence[Outcome], again: Sequence[Outcome]) -> tuple[Outcome | None, ...]:
    """Return what must come out: what people wrote, else what the original did twice."""
    if evidence.mode != "improve":
        return tuple(case.expected for case in evidence.cases)
    return tuple(
        case.expected if case.value_only else once if same_outcome(once, twice) and _tells(once) else None
        for case, once, twice in zip(evidence.cases, first, again, strict=True)
    )


def _tells(outcome: Outcome) -> bool:
    return isinstance(outcome, (Returned, Raised))


async def _tests(
    target: Target, program: Program, evidence: Evidence, limits: Limits, sandbox: Sandbox
) -> tuple[tuple[TestReport, ...], str]:
    """Return how the tests end there, and why they could not be run."""
    if not evidence.tests:
        return (), ""
    seconds = max(_LEAST_SUITE_S, limits.wall_s, _SUITE_FACTOR * sum(test.seconds for test in evidence.tests))
    job = SuiteJob(
        kind="pytest",
        root=target.root,
        program=program,
        selection=tuple(test.id for test in evidence.tests),
        limits=structs.replace(limits, wall_s=seconds, cpu_s=seconds),
    )
    result = await sandbox.run(job)
    ended = {report.id: report for report in result.tests}
    known = tuple(structs.replace(ended[test.id], entered=test.entered) for test in evidence.tests if test.id in ended)
    if result.failure is None:
        return known, ""
    return (), render_outcome(result.failure)


def _differs(evidence: Evidence, expected: Sequence[Outcome | None], label: str) -> str:
    pairs = zip(evidence.cases, expected, strict=True)
    known = [(case.expected, outcome) for case, outcome in pairs if case.expected is not None]
    others = sum(outcome is None or not same_outcome(here, outcome) for here, outcome in known)
    if not others:
        return ""
    return f"with Python {label} the original does something else on {others} of {len(known)} inputs"
