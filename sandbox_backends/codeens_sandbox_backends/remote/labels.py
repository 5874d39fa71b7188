"""What is written on every sandbox of a service, so that it is found again."""

from __future__ import annotations

import uuid

from codeens_sandbox_backends.owner import owner, whereabouts
from codeens_sandbox_backends.remote.calls import Calls

OURS = "codeens"
"""On every sandbox that codeens makes, with the value `VERSION`."""
VERSION = "1"
OWNER = "codeens-owner"
SANDBOX = "codeens-sandbox"
"""Its value is different for each sandbox: it finds one that was made while the answer was lost."""


def labels_for_one() -> dict[str, str]:
    """Labels for a sandbox that is to be made."""
    return {OURS: VERSION, OWNER: owner(), SANDBOX: uuid.uuid4().hex}


async def remove_orphans(calls: Calls) -> None:
    """Delete sandboxes of codeens processes of this machine that are gone.

    Those of others, of living ones, and of other machines stay; the service ends them when their time is over.
    """
    for one in await calls.listed({OURS: VERSION}):
        if one.labels.get(OURS) == VERSION and whereabouts(one.labels.get(OWNER, "")) == "gone":
            await calls.delete(one.id)


async def remove_made(calls: Calls, labels: dict[str, str]) -> None:
    """Delete what was made with these labels, if anything was."""
    for one in await calls.listed({SANDBOX: labels[SANDBOX]}):
        if one.labels.get(SANDBOX) == labels[SANDBOX]:
            await calls.delete(one.id)
