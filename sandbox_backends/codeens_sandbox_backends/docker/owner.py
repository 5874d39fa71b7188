"""Who a container belongs to, and the removal of containers whose owner is gone.

The owner removes its containers itself, and they end with it by themselves; what is left is what a daemon kept that was
stopped at the wrong moment.
"""

from __future__ import annotations

from contextlib import suppress

from codeens_sandbox_backends.docker.engine import Engine
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.owner import whereabouts

SANDBOX_LABEL = "codeens.sandbox"
OWNER_LABEL = "codeens.owner"


def remove_orphans(engine: Engine) -> None:
    """Remove containers of codeens processes that are gone; containers of others, and of living ones, stay."""
    for container in engine.listed(OWNER_LABEL):
        if _is_orphan(container.labels[OWNER_LABEL], running=container.running):
            with suppress(SandboxBroken):  # tried again by the next one
                engine.remove(container.id)


def _is_orphan(label: str, *, running: bool) -> bool:
    """Whether its owner is known to be gone. Of what is out of sight from here only what has ended is an orphan."""
    where = whereabouts(label)
    return where == "gone" or (where == "another boot" and not running)
