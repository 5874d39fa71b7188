"""A sandbox that runs the tests' own harmless functions right here, and counts its jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import msgspec

from codeens_sandbox_backends.base import IsolationLevel, Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Job, Usage
from codeens_sandbox_backends.programs import CallInput, Outcome, Program
from codeens_sandbox_backends.worker.calling import perform

R = TypeVar("R")


class InProcess:
    """Programs are named after the functions they stand for; only calls are supported."""

    def __init__(self, **functions: Callable[..., Any]) -> None:
        self.functions = functions
        self.jobs = 0

    @property
    def isolation(self) -> IsolationLevel:
        return IsolationLevel(filesystem=False, network=False, processes=False, kernel=False, label="in process")

    async def run(self, job: Job[CallsResult]) -> CallsResult:
        assert isinstance(job, CallsJob)
        self.jobs += 1
        function = self.functions[job.program.module]
        outcomes = tuple(outcome_of(function, call) for call in job.inputs)
        result: Any = CallsResult(outcomes=outcomes, loaded=True, usage=Usage(wall_s=0.0))
        return result

    async def aclose(self) -> None:
        """Nothing to end."""

    def as_sandbox(self) -> Sandbox:
        return cast("Sandbox", self)


def outcome_of(function: Callable[..., Any], call: CallInput) -> Outcome:
    answer = perform(function, msgspec.to_builtins(call))
    fields = answer["outcome"]
    if answer.get("same"):
        fields = {**fields, "args": call.args, "kwargs": call.kwargs}
    return msgspec.convert(fields, Outcome)


def program(name: str) -> Program:
    return Program(module=name, qualname=name)
