"""How much of the original the evidence exercises, and the words for it when that is little."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from codeens_sandbox_backends.base import CallsJob, Limits, Program, Sandbox
from codeens_server.domain import Case, Coverage

_FEW_INPUTS = 10
_LITTLE_COVERAGE = 80.0
_SLOWER = 4.0
"""Lines that are watched run slower."""


async def measure_coverage(
    program: Program, cases: Sequence[Case], *, limits: Limits, sandbox: Sandbox
) -> Coverage | None:
    """Lines of the original's body that the cases run; None where there are no cases or lines cannot be watched.

    Raises:
        SandboxError: the sandbox failed.
    """
    if not cases:
        return None
    slower = structs.replace(limits, wall_s=limits.wall_s * _SLOWER, cpu_s=limits.cpu_s * _SLOWER)
    job = CallsJob(program=program, inputs=tuple(case.input for case in cases), coverage=True, limits=slower)
    result = await sandbox.run(job)
    if not result.lines_total:
        return None
    return Coverage(hit=len(result.lines_hit), total=len(result.lines_total))


def thinness(cases: Sequence[Case], coverage: Coverage | None, *, reaching_tests: int) -> tuple[str, ...]:
    """A sentence when the evidence is thin, in numbers; nothing when it is not."""
    if not cases:
        held_by = f"only the {reaching_tests} tests that reach it hold candidates" if reaching_tests else "nothing does"
        return (f"no call of the function is known that could be compared; {held_by}",)
    lines = f"{coverage.percent:.0f} % of the lines run" if coverage is not None else "lines run: not measured"
    if len(cases) >= _FEW_INPUTS and (coverage is None or coverage.percent >= _LITTLE_COVERAGE):
        return ()
    inputs = "1 input" if len(cases) == 1 else f"{len(cases)} inputs"
    return (f"thin evidence: {inputs}, {lines}",)
