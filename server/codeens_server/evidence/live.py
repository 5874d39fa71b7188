"""Whether the target's definition is the one that runs, found out before anything rests on it."""

from __future__ import annotations

from collections.abc import Iterator

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Limits
from codeens_sandbox_backends.programs import NOT_LIVE, Program, Raised
from codeens_server.domain.target import Target
from codeens_server.errors import EvidenceError


async def find_live(program: Program, *, limits: Limits, sandbox: Sandbox) -> CallsResult:
    """Load the original, and return what was found: its interpreter, and what holds the function.

    Raises:
        EvidenceError: other code than the target's stands there: whatever candidates did, nobody would run them.
        SandboxError: the sandbox failed.
    """
    result = await sandbox.run(CallsJob(program=program, inputs=(), limits=limits))
    if isinstance(result.failure, Raised) and result.failure.type == NOT_LIVE:
        message = f"{result.failure.message}. Name the one that runs."
        raise EvidenceError(message, code="not_live")
    return result


def held(target: Target, holder: str | None) -> Iterator[str]:
    """Yield a sentence where something holds the function: it is called itself, not through that."""
    if holder:
        yield f"{target.qualname} is held by a {holder.replace(':', '.')}: the function itself is called and compared"
