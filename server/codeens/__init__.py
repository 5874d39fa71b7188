"""Ask several models for a better function, prove every answer in a sandbox, and take the one that is best.

This package is the only stable surface: everything that a door of codeens does is done by it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codeens._api import compare, compare_sync, judge, judge_sync, run, run_code, run_code_sync, run_sync, stream
    from codeens._comparing import Comparison
    from codeens._generating import Generated, Prompt
    from codeens._options import RunKeywords
    from codeens._results import Report, Run
    from codeens._running import CallResult, CodeResult
    from codeens._session import Session
    from codeens._targets import Code
    from codeens_sandbox_backends.errors import SandboxError
    from codeens_sandbox_backends.jobs import Limits
    from codeens_server.config.settings import ModelSettings, Settings
    from codeens_server.domain.document import RankedResult, RunDocument
    from codeens_server.domain.evidence import Case, Coverage, Evidence, Excluded, MutationScore
    from codeens_server.domain.measurement import DiffSize, EnvironmentSpeed, Interval, Memory, Readability
    from codeens_server.domain.target import Candidate, Target
    from codeens_server.domain.verdict import Verdict
    from codeens_server.errors import CodeensError, Hint, InputError
    from codeens_server.generation.models.exchange import Message
    from codeens_server.run.engine import RunStream
    from codeens_server.run.events import RunEvent
    from codeens_server.run.state import RunState
    from codeens_server.store.rows import RunLine
    from codeens_server.tasks.schema import ScoreReport, ScoreResult, Task

__all__ = [
    "CallResult",
    "Candidate",
    "Case",
    "Code",
    "CodeResult",
    "CodeensError",
    "Comparison",
    "Coverage",
    "DiffSize",
    "EnvironmentSpeed",
    "Evidence",
    "Excluded",
    "Generated",
    "Hint",
    "InputError",
    "Interval",
    "Limits",
    "Memory",
    "Message",
    "ModelSettings",
    "MutationScore",
    "Prompt",
    "RankedResult",
    "Readability",
    "Report",
    "Run",
    "RunDocument",
    "RunEvent",
    "RunKeywords",
    "RunLine",
    "RunState",
    "RunStream",
    "SandboxError",
    "ScoreReport",
    "ScoreResult",
    "Session",
    "Settings",
    "Target",
    "Task",
    "Verdict",
    "compare",
    "compare_sync",
    "judge",
    "judge_sync",
    "run",
    "run_code",
    "run_code_sync",
    "run_sync",
    "stream",
]

_MODULES = {
    "CallResult": "codeens._running",
    "Candidate": "codeens_server.domain.target",
    "Case": "codeens_server.domain.evidence",
    "Code": "codeens._targets",
    "CodeResult": "codeens._running",
    "CodeensError": "codeens_server.errors",
    "Comparison": "codeens._comparing",
    "Coverage": "codeens_server.domain.evidence",
    "DiffSize": "codeens_server.domain.measurement",
    "EnvironmentSpeed": "codeens_server.domain.measurement",
    "Evidence": "codeens_server.domain.evidence",
    "Excluded": "codeens_server.domain.evidence",
    "Generated": "codeens._generating",
    "Hint": "codeens_server.errors",
    "InputError": "codeens_server.errors",
    "Interval": "codeens_server.domain.measurement",
    "Limits": "codeens_sandbox_backends.jobs",
    "Memory": "codeens_server.domain.measurement",
    "Message": "codeens_server.generation.models.exchange",
    "ModelSettings": "codeens_server.config.settings",
    "MutationScore": "codeens_server.domain.evidence",
    "Prompt": "codeens._generating",
    "RankedResult": "codeens_server.domain.document",
    "Readability": "codeens_server.domain.measurement",
    "Report": "codeens._results",
    "Run": "codeens._results",
    "RunDocument": "codeens_server.domain.document",
    "RunEvent": "codeens_server.run.events",
    "RunKeywords": "codeens._options",
    "RunLine": "codeens_server.store.rows",
    "RunState": "codeens_server.run.state",
    "RunStream": "codeens_server.run.engine",
    "SandboxError": "codeens_sandbox_backends.errors",
    "ScoreReport": "codeens_server.tasks.schema",
    "ScoreResult": "codeens_server.tasks.schema",
    "Session": "codeens._session",
    "Settings": "codeens_server.config.settings",
    "Target": "codeens_server.domain.target",
    "Task": "codeens_server.tasks.schema",
    "Verdict": "codeens_server.domain.verdict",
    "compare": "codeens._api",
    "compare_sync": "codeens._api",
    "judge": "codeens._api",
    "judge_sync": "codeens._api",
    "run": "codeens._api",
    "run_code": "codeens._api",
    "run_code_sync": "codeens._api",
    "run_sync": "codeens._api",
    "stream": "codeens._api",
}


def __getattr__(name: str) -> Any:
    """Import what is used when it is used (PEP 562)."""
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message, name=name, obj=None)
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
