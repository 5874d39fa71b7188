"""Turns an input that somebody decided about into a case, to which candidates are held without asking a model again."""

from __future__ import annotations

import hashlib

from codeens_sandbox_backends.base import CallInput, CallsJob, Outcome, Program, Sandbox
from codeens_sandbox_backends.values.compare import canonical_call
from codeens_sandbox_backends.values.render import render_outcome
from codeens_server.domain import Case, DistinguishingInput
from codeens_server.errors import InputError
from codeens_server.judging.replay import proves_something


def pinned_case(call: CallInput, expected: Outcome) -> Case:
    """A case that demands `expected`. The same input always gets the same id.

    Raises:
        InputError: `expected` is nothing to hold a candidate to: no answer, a dead process, no exact encoding.
    """
    if not proves_something(expected):
        message = f"this input cannot be kept: {render_outcome(expected)}. Keep one that returns or raises."
        raise InputError(message)
    digest = hashlib.sha256(canonical_call(call).encode("utf-8")).hexdigest()
    return Case(id=f"kept-{digest[:12]}", origin="pinned", input=call, expected=expected, label="kept by hand")


async def keep(difference: DistinguishingInput, chosen: Program, *, sandbox: Sandbox) -> Case:
    """The case that says: on this input, what the `chosen` program does is right.

    The program is run once more, since a difference has only the text of what it did.

    Raises:
        InputError: it does nothing there that a candidate can be held to.
        SandboxError: the sandbox failed.
    """
    result = await sandbox.run(CallsJob(program=chosen, inputs=(difference.input,)))
    return pinned_case(difference.input, result.outcomes[0])
