"""What can be asked of a run, and how it becomes a request: what is not asked is as configured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, TypeVar

from codeens_server.config.settings import Settings
from codeens_server.domain import Goal, ModeRequest, Target
from codeens_server.run.request import RunRequest

T = TypeVar("T")


class RunKeywords(TypedDict, total=False):
    """The options of a run. Each that is left out, or None, is as the settings say."""

    goal: Goal | None
    mode: ModeRequest | None
    models: Sequence[str] | None
    variants: Sequence[str] | None
    samples: int | None
    """Answers for each model and variant."""
    rounds: int | None
    sandbox: str | None
    tests: Sequence[str] | None
    """Files or test ids, relative to the workspace, to judge by; all that reach the function when left out."""
    budget_usd: float | None
    budget_tokens: int | None
    timeout_s: float | None
    fresh: bool | None
    """Ask the models again, also what they answered before."""


def resolve(target: Target, options: RunKeywords, settings: Settings) -> RunRequest:
    """Return the request for a run: what was asked, else what is configured."""
    return RunRequest(
        target=f"{target.path}:{target.line}",
        goal=_first(options.get("goal"), settings.goal),
        mode=options.get("mode") or "auto",
        models=tuple(options.get("models") or ()),
        variants=tuple(options.get("variants") or ()),
        samples=_first(options.get("samples"), settings.samples),
        rounds=_first(options.get("rounds"), 1),
        sandbox=_first(options.get("sandbox"), settings.sandbox),
        tests=tuple(options.get("tests") or ()),
        budget_usd=_first(options.get("budget_usd"), settings.budget_usd),
        budget_tokens=_first(options.get("budget_tokens"), settings.budget_tokens),
        timeout_s=_first(options.get("timeout_s"), settings.timeout_s),
        fresh=bool(options.get("fresh")),
    )


def _first(asked: T | None, configured: T) -> T:
    return configured if asked is None else asked
