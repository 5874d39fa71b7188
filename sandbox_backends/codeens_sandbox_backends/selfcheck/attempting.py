"""Sends attempts into a sandbox and looks at what came of them."""

from __future__ import annotations

from pathlib import Path

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import CallInput, Encoded, ModuleSource, Outcome, Program, Returned
from codeens_sandbox_backends.worker.values.codec import decode, encode

_FOLDER = Path(__file__).with_name("attempts")
_PACKAGE = "codeens_attempts"
_LIMITS = Limits(wall_s=30.0, call_s=20.0, cpu_s=20.0)
LONG_LIMITS = Limits(wall_s=60.0, call_s=60.0, cpu_s=60.0)
"""For what waits until it is ended."""


def program(area: str, function: str) -> Program:
    """Return a function of a module in the folder `attempts`."""
    names = {_PACKAGE: "__init__.py", f"{_PACKAGE}.trying": "trying.py", f"{_PACKAGE}.{area}": f"{area}.py"}
    modules = tuple(
        ModuleSource(
            name=name, source=(_FOLDER / file).read_text(encoding="utf-8"), path=f"/codeens/attempts/{_PACKAGE}/{file}"
        )
        for name, file in names.items()
    )
    return Program(module=f"{_PACKAGE}.{area}", qualname=function, modules=modules)


async def attempt(
    sandbox: Sandbox, area: str, function: str, *arguments: object, limits: Limits | None = None
) -> list[str]:
    """Return what worked of the attempts that a function makes.

    An attempt that ends its worker has not reached anything, which the outside must confirm.

    Raises:
        SandboxError: the sandbox failed.
    """
    outcome = await outcome_of(sandbox, program(area, function), *arguments, limits=limits or _LIMITS)
    value: Encoded = decode(outcome.value, classes=False) if isinstance(outcome, Returned) else None
    if isinstance(value, list):
        return [str(line) for line in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return [f"the attempt could not be made: {outcome}"]


async def outcome_of(sandbox: Sandbox, wanted: Program, *arguments: object, limits: Limits) -> Outcome:
    """Return what one call of a program came to.

    Raises:
        SandboxError: the sandbox failed.
    """
    call = CallInput(args=tuple(encode(value) for value in arguments))
    result = await sandbox.run(CallsJob(program=wanted, inputs=(call,), limits=limits))
    return result.outcomes[0]
