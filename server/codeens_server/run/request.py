"""What is asked of a run."""

from __future__ import annotations

from msgspec import Struct

from codeens_server.domain import Goal, ModeRequest


class RunRequest(Struct, frozen=True, kw_only=True):
    """What was asked for. Everything needed to resume is here; keys are not."""

    target: str
    """`path.py::qualname` or `path.py:LINE`."""
    goal: Goal = "balanced"
    mode: ModeRequest = "auto"
    models: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    samples: int = 1
    rounds: int = 1
    sandbox: str = "local"
    tests: tuple[str, ...] = ()
    budget_usd: float | None = None
    budget_tokens: int | None = None
    timeout_s: float | None = None
    fresh: bool = False
