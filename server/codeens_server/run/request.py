"""What is asked of a run: options as a door takes them, and the request that they become."""

from __future__ import annotations

from typing import Literal, TypeVar

from msgspec import Struct

from codeens_server.config.settings import Settings
from codeens_server.domain.systems import System
from codeens_server.domain.terms import Effort, Goal, ModeRequest
from codeens_server.errors import Hint, InputError

T = TypeVar("T")


class RunOptions(Struct, frozen=True, kw_only=True):
    """What can be asked of a run. What is None, or empty, was not asked: the settings decide."""

    goal: Goal | None = None
    effort: Effort | None = None
    mode: ModeRequest = "auto"
    models: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    samples: int | None = None
    rounds: int | None = None
    sandbox: str | None = None
    python: tuple[str, ...] = ()
    """Interpreters in all of which a candidate must hold, the first for all that is gathered once."""
    tests: tuple[str, ...] = ()
    deselect: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    bench: tuple[str, ...] = ()
    budget_usd: float | None = None
    budget_tokens: int | None = None
    budget_calls: int | None = None
    timeout_s: float | None = None
    fresh: bool = False


class RunRequest(Struct, frozen=True, kw_only=True):
    """What a run is asked, every option resolved. All that is needed to go on with it is here; keys are not."""

    target: str
    """`path.py::qualname` or `path.py:LINE`."""
    goal: Goal
    effort: Effort = "normal"
    mode: ModeRequest
    models: tuple[str, ...]
    """Names; empty: those that are configured or can be reached."""
    variants: tuple[str, ...]
    """Names; empty: all that are enabled."""
    systems: tuple[System, ...] = ()
    """Models with the variants that alone they are asked with; empty: each with all."""
    samples: int
    """Answers of each model to each variant."""
    rounds: int
    sandbox: str
    tests: tuple[str, ...]
    """Test files or ids to judge by; empty: all that reach the target."""
    deselect: tuple[str, ...] = ()
    """Tests, or beginnings of their ids, to leave out."""
    calls: tuple[str, ...] = ()
    """Inputs to judge and time by beside what is found, as calls with literal arguments."""
    bench: tuple[str, ...] = ()
    """Benchmarks to time on: `path.py::name` of tests that call the target, or of functions that make inputs."""
    budget_usd: float | None
    budget_tokens: int | None
    budget_calls: int | None = None
    """Answers that are paid for, at the most."""
    timeout_s: float
    fresh: bool
    """Ask the models again, also what they answered before."""
    max_inputs: int
    """Inputs to generate at the most."""
    rewrites: Literal["auto", "always", "never"]
    environments: tuple[str, ...] = ()
    """Interpreters in all of which a candidate must hold: paths or versions; empty: the workspace's own."""


def resolve(target: str, options: RunOptions, settings: Settings) -> RunRequest:
    """Return the request for a run: what was asked, else what is configured.

    Args:
        target: `path.py::qualname` or `path.py:LINE`.
        options: what was asked.
        settings: what holds where nothing was asked.

    Raises:
        InputError: a limit would let nothing happen.
    """
    request = RunRequest(
        target=target,
        goal=_asked(options.goal, settings.goal),
        effort=_asked(options.effort, settings.effort),
        mode=options.mode,
        models=options.models,
        variants=options.variants or settings.variants,
        samples=_asked(options.samples, settings.samples),
        rounds=_asked(options.rounds, 1),
        sandbox=_asked(options.sandbox, settings.sandbox),
        tests=options.tests,
        deselect=tuple(dict.fromkeys((*settings.deselect, *options.deselect))),
        calls=options.calls,
        bench=options.bench,
        budget_usd=_asked(options.budget_usd, settings.budget_usd),
        budget_tokens=_asked(options.budget_tokens, settings.budget_tokens),
        budget_calls=_asked(options.budget_calls, settings.budget_calls),
        timeout_s=_asked(options.timeout_s, settings.timeout_s),
        fresh=options.fresh,
        max_inputs=settings.max_inputs,
        rewrites=settings.rewrites,
        environments=options.python or settings.environments,
    )
    for name in ("samples", "rounds", "budget_usd", "budget_tokens", "budget_calls", "timeout_s", "max_inputs"):
        refuse_not_positive(name, getattr(request, name))
    refuse_not_positive("parallel", settings.parallel)
    return request


def refuse_not_positive(name: str, value: float | None) -> None:
    """Refuse a limit that would let nothing happen; None is no limit.

    Raises:
        InputError: it is not more than 0.
    """
    if value is not None and value <= 0:
        message = f"{name} must be more than 0, not {value}."
        raise InputError(message, code="limit_not_positive", hint=Hint("option", name))


def _asked(asked: T | None, configured: T) -> T:
    return configured if asked is None else asked
