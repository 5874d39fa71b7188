"""What the evidence allows: which mode, whether the function can be run here at all, how much of it is exercised."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from msgspec import structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import Outcome, Program, Raised
from codeens_server.domain.evidence import Case, Coverage, MissedChange, MutationScore
from codeens_server.domain.target import Target
from codeens_server.domain.terms import Mode, ModeRequest
from codeens_server.errors import EvidenceError, Hint
from codeens_server.evidence.strategies.definitions import Definitions
from codeens_server.syntax.parsing import ParseFailure, parse

EXIT = "SystemExit"
"""Ends a program: what `sys.exit` raises is no error of the function."""
_NETWORK = frozenset(
    {"requests", "httpx", "aiohttp", "urllib3", "socket", "ftplib", "smtplib", "websockets", "paramiko"}
)
_NETWORK_CALLS = ("urllib.request.", "http.client.", "asyncio.open_connection")
_REFUSED = frozenset(
    {
        "EOFError",
        "PermissionError",
        "ConnectionError",
        "ConnectionRefusedError",
        "socket:gaierror",
        "urllib.error:URLError",
        "requests.exceptions:ConnectionError",
        "httpx:ConnectError",
        "aiohttp.client_exceptions:ClientConnectorError",
    }
)
_NUMBERED = frozenset({"PermissionError", "ConnectionError", "ConnectionRefusedError"})
_FEW_INPUTS = 10
_LITTLE_COVERAGE = 80.0
_LITTLE_NOTICED = 80.0
FEW_CHANGES = 5
"""Of fewer, a share says little."""
_TOLD = 3
_SLOWER = 4.0
"""Lines that are watched run slower."""


def resolve_mode(
    asked: ModeRequest, target: Target, *, failing_tests: Sequence[str], failing_examples: Sequence[str]
) -> Mode:
    """Return the mode of the run. `auto` repairs what fails before any change.

    What fails does not forbid `improve` when that is asked for: docstrings may be stale, and tests fail for reasons of
    their own. It is set aside.

    Raises:
        EvidenceError: `improve` was asked for, and there is no body.
    """
    if asked == "auto":
        if target.body_missing:
            return "implement"
        return "repair" if failing_tests or failing_examples else "improve"
    if asked == "improve" and target.body_missing:
        message = f"{target.qualname} has no body to improve. The mode that writes one is implement."
        raise EvidenceError(message, code="no_body", hint=Hint("option", "mode"))
    return asked


def what_it_needs(target: Target, source: str) -> str:
    """Return `input()` or `the network` where the function's own text calls for it, else an empty text."""
    tree = parse(target.source)
    if isinstance(tree, ParseFailure):
        return ""
    definitions = Definitions(source)
    names = [definitions.full_name(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if any(name == "input" or name.startswith("sys.stdin.") for name in names):
        return "input()"
    if any(name.partition(".")[0] in _NETWORK or name.startswith(_NETWORK_CALLS) for name in names):
        return "the network"
    return ""


def is_refused(outcome: Outcome) -> bool:
    """Return whether a call failed at the sandbox's walls, which says nothing of the function.

    What has no number was raised by a statement, here or of a function that was given, and not by the system.
    """
    if not isinstance(outcome, Raised) or outcome.type not in _REFUSED:
        return False
    return outcome.type not in _NUMBERED or outcome.attributes.get("errno", ...) is not None


async def measure_coverage(
    program: Program, cases: Sequence[Case], *, limits: Limits, sandbox: Sandbox
) -> Coverage | None:
    """Run the cases and count which lines of the original's body they run.

    Returns:
        None where there are no cases, or lines cannot be watched.

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
    """Return a sentence, in numbers, when the evidence is thin; nothing when it is not."""
    if not cases:
        held_by = f"only the {reaching_tests} tests that reach it hold candidates" if reaching_tests else "nothing does"
        return (f"no call of the function is known that could be compared; {held_by}",)
    lines = f"{coverage.percent:.0f} % of the lines run" if coverage is not None else "lines run: not measured"
    if len(cases) >= _FEW_INPUTS and (coverage is None or coverage.percent >= _LITTLE_COVERAGE):
        return ()
    inputs = "1 input" if len(cases) == 1 else f"{len(cases)} inputs"
    return (f"thin evidence: {inputs}, {lines}",)


def missed_changes(score: MutationScore) -> tuple[str, ...]:
    """Return a sentence where the evidence would let small changes through, or there are few; else nothing."""
    missed = [_told(change) for change in score.missed]
    if score.undecided:
        missed.append(f"{score.undecided} not decided in time")
    if not missed:
        return (_few(score),) if score.total < FEW_CHANGES else ()
    more = [f"and {len(missed) - _TOLD} more"] if len(missed) > _TOLD else []
    is_thin = score.total < FEW_CHANGES or score.percent < _LITTLE_NOTICED
    first = "thin evidence: it would notice only" if is_thin else "it would notice"
    named = ", ".join([*missed[:_TOLD], *more])
    return (f"{first} {score.noticed} of {score.total} small changes of the original; not seen to: {named}",)


def _few(score: MutationScore) -> str:
    changes = "1 small change" if score.total == 1 else f"{score.total} small changes"
    return f"thin evidence: only {changes} of the original could be tried, which says little"


def _told(change: MissedChange) -> str:
    done = f"changed to `{change.after}`" if change.after else "left out"
    return f"`{change.before}` {done} (line {change.line})"
