"""Short ways to run jobs on source texts, without isolation. For our own harmless code only."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from codeens_sandbox_backends.driver.sandbox import run_job
from codeens_sandbox_backends.jobs import (
    CallsJob,
    CallsResult,
    CheckJob,
    CheckResult,
    Limits,
    StdioJob,
    StdioResult,
    SuiteJob,
    SuiteResult,
)
from codeens_sandbox_backends.programs import CallInput, ModuleSource, Program
from codeens_sandbox_backends.races import RaceJob, RacePlan, RaceResult
from codeens_sandbox_backends.worker.values.codec import encode
from tests.sandbox_backends.plain_launcher import PlainLauncher

ROOMY = Limits(wall_s=60.0, cpu_s=60.0, call_s=30.0)
"""For tests that are not about limits."""


def program(source: str, qualname: str = "f") -> Program:
    """A program of one module in memory, called `solution`."""
    return Program(
        module="solution",
        qualname=qualname,
        modules=(ModuleSource(name="solution", source=textwrap.dedent(source)),),
    )


def call(*args: Any, **kwargs: Any) -> CallInput:
    """The input of one call, from plain values."""
    return CallInput(
        args=tuple(encode(value) for value in args), kwargs={name: encode(value) for name, value in kwargs.items()}
    )


def run_calls(
    code: str | Program,
    *inputs: CallInput,
    limits: Limits = ROOMY,
    effects: bool = False,
    memory: bool = False,
    coverage: bool = False,
    counts: bool = False,
) -> CallsResult:
    """Outcomes of `f` of that source, or of a program."""
    code = program(code) if isinstance(code, str) else code
    job = CallsJob(
        program=code, inputs=inputs, effects=effects, memory=memory, coverage=coverage, counts=counts, limits=limits
    )
    with PlainLauncher() as launcher:
        result = run_job(launcher, job, Limits())
    assert isinstance(result, CallsResult)
    return result


def run_race(
    original: str,
    *candidates: str,
    inputs: Sequence[CallInput],
    rounds: int = 1,
    direct: bool = True,
    limits: Limits = ROOMY,
    budget_s: float = 20.0,
    plans: tuple[RacePlan, ...] = (),
    parts: tuple[int, ...] = (0,),
    apart: bool = False,
) -> RaceResult:
    """A short race of `f` against others; `direct`: by processor time, in one block."""
    job = RaceJob(
        original=program(original),
        candidates=tuple(map(program, candidates)),
        inputs=tuple(inputs),
        parts=parts,
        apart=apart,
        rounds=rounds,
        plans=plans,
        min_sample_s=0.001,
        budget_s=budget_s,
    )
    with PlainLauncher(direct=direct) as launcher:
        result = run_job(launcher, job, limits)
    assert isinstance(result, RaceResult)
    return result


def run_suite(job: SuiteJob, python: str | None = None) -> SuiteResult:
    """A suite job."""
    with PlainLauncher(python) if python else PlainLauncher() as launcher:
        result = run_job(launcher, job, ROOMY)
    assert isinstance(result, SuiteResult)
    return result


def run_check(source: str, tests: str, *, name: str = "f", prelude: str = "", limits: Limits = ROOMY) -> CheckResult:
    """Test source against `f` of a source."""
    job = CheckJob(program=program(source), name=name, tests=textwrap.dedent(tests), prelude=textwrap.dedent(prelude))
    with PlainLauncher() as launcher:
        result = run_job(launcher, job, limits)
    assert isinstance(result, CheckResult)
    return result


def run_stdio(source: str, *stdins: str, argv: tuple[str, ...] = (), limits: Limits = ROOMY) -> StdioResult:
    """A script, once per standard input."""
    with PlainLauncher() as launcher:
        result = run_job(launcher, StdioJob(source=textwrap.dedent(source), stdins=stdins, argv=argv), limits)
    assert isinstance(result, StdioResult)
    return result
