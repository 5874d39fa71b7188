"""Whether calls are late because of the candidate, or of the machine: confirmed beside the original."""

from __future__ import annotations

from msgspec import structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Limits, Usage
from codeens_sandbox_backends.programs import Program, TimedOut

_TRIED = 2
"""Calls that were late and are made again, to see whether they are late each time."""
_MOST_SLOWDOWN = 60.0
_SPARE = 2.0


async def run_calls(job: CallsJob, original: Program | None, limits: Limits | None, sandbox: Sandbox) -> CallsResult:
    """Run calls; where some are late, as often as it takes to see that nobody else is to blame.

    Args:
        job: the calls of a candidate.
        original: the program that tells how slow the machine is now; None where lateness is taken as it is.
        limits: of a job, as the settings have them; None, those of the sandbox, and as before.
        sandbox: where they run.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    result = await sandbox.run(job)
    late = [index for index, outcome in enumerate(result.outcomes) if isinstance(outcome, TimedOut)]
    if original is None or not late:
        return result
    few = structs.replace(job, inputs=tuple(job.inputs[index] for index in late[:_TRIED]), waits=())
    reference = await sandbox.run(structs.replace(few, program=original))
    longer = _longer(limits or job.limits or Limits(), reference.usage)
    again = await sandbox.run(structs.replace(few, limits=longer))
    if all(isinstance(outcome, TimedOut) for outcome in again.outcomes):
        return result
    return await sandbox.run(structs.replace(job, limits=longer))


def _longer(limits: Limits, usage: Usage) -> Limits:
    """Return limits of processor time as they are, and of time by the clock as slow as this machine is now."""
    slowdown = usage.wall_s / usage.cpu_s if usage.cpu_s else 1.0
    times = _SPARE * min(max(slowdown, 1.0), _MOST_SLOWDOWN)
    return structs.replace(limits, wall_s=times * limits.wall_s, call_s=times * limits.call_s)
