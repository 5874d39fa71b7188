"""What can be asked of a run, and how it becomes a request: what is not asked is as configured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import msgspec

from codeens_sandbox_backends.reading import converted
from codeens_server.config.settings import Settings
from codeens_server.domain.target import Target
from codeens_server.domain.terms import Effort, Goal, ModeRequest
from codeens_server.errors import Hint, InputError, unknown
from codeens_server.run.request import RunOptions, RunRequest
from codeens_server.run.request import resolve as resolved

_NONE_ASKED = RunOptions()


class RunKeywords(TypedDict, total=False):
    """The options of a run. Each that is left out, or None, is as the settings say; one text is a list of one."""

    goal: Goal | None
    effort: Effort | None
    """`quick` races for seconds and tries few changes; `thorough` takes its time. The settings' when left out."""
    mode: ModeRequest | None
    models: Sequence[str] | None
    """Names; `"auto"`: who is likeliest to win here for a dollar."""
    variants: Sequence[str] | None
    samples: int | None
    """Answers for each model and variant."""
    rounds: int | None
    sandbox: str | None
    python: Sequence[str] | None
    """Interpreters in all of which a candidate must hold: paths, or versions as `3.12`; the workspace's own when left
    out."""
    tests: Sequence[str] | None
    """Files or test ids, relative to the workspace, to judge by; all that reach the function when left out."""
    deselect: Sequence[str] | None
    """Files or test ids, or beginnings of these, to leave out, beside those of the settings."""
    calls: Sequence[str] | None
    """Inputs to judge and time by beside what is found: `f([3, 1])`, `f(list(range(10_000)))`."""
    bench: Sequence[str] | None
    """Benchmarks whose inputs are timed, `path.py::name`, in place of others: tests that call the function, those of
    pytest-benchmark too, or functions that make inputs."""
    budget_usd: float | None
    budget_tokens: int | None
    budget_calls: int | None
    """Answers of models that are paid for, at the most."""
    timeout_s: float | None
    fresh: bool | None
    """Ask the models again, also what they answered before."""


def resolve(target: Target, options: RunKeywords, settings: Settings) -> RunRequest:
    """Return the request for a run: what was asked, else what is configured.

    Raises:
        InputError: there is no such option, it cannot have that value, or a limit would let nothing happen.
    """
    asked = {name: _whole(name, value) for name, value in options.items() if value is not None}
    for name, value in asked.items():
        _check(name, value)
    return resolved(f"{target.path}:{target.line}", converted(asked, RunOptions), settings)


def listed(names: Sequence[str]) -> tuple[str, ...]:
    """Return names as a list; one text is one name, and no list of letters."""
    return (names,) if isinstance(names, str) else tuple(names)


def _whole(name: str, value: object) -> object:
    is_list = isinstance(getattr(_NONE_ASKED, name, None), tuple)
    return listed(value) if is_list and isinstance(value, str) else value


def _check(name: str, value: object) -> None:
    if name not in RunOptions.__struct_fields__:
        raise InputError(unknown("option", name, list(RunOptions.__struct_fields__)), code="no_such_option")
    try:
        converted({name: value}, RunOptions)
    except msgspec.ValidationError as error:
        message = f"{name} cannot be {value!r}: {error}."
        raise InputError(message, code="wrong_option", hint=Hint("option", name)) from None
