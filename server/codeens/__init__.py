"""Ask several models for a better function, prove every answer in a sandbox, and take the one that is best.

This package is the only stable surface: everything that a door of codeens does is done by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codeens_server.lazy import lazy_exports

if TYPE_CHECKING:
    from codeens._comparing import Comparison
    from codeens._generating import Generated, Prompt
    from codeens._options import RunKeywords
    from codeens._results import Report, Run
    from codeens._running import CodeResult
    from codeens._session import Session
    from codeens._targets import Code
    from codeens_server.config.settings import Settings
    from codeens_server.domain import Candidate, Target
    from codeens_server.errors import CodeensError, Hint
    from codeens_server.tasks.schema import Task

__all__ = [
    "Candidate",
    "Code",
    "CodeResult",
    "CodeensError",
    "Comparison",
    "Generated",
    "Hint",
    "Prompt",
    "Report",
    "Run",
    "RunKeywords",
    "Session",
    "Settings",
    "Target",
    "Task",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Candidate": "codeens_server.domain",
        "Code": "codeens._targets",
        "CodeResult": "codeens._running",
        "CodeensError": "codeens_server.errors",
        "Comparison": "codeens._comparing",
        "Generated": "codeens._generating",
        "Hint": "codeens_server.errors",
        "Prompt": "codeens._generating",
        "Report": "codeens._results",
        "Run": "codeens._results",
        "RunKeywords": "codeens._options",
        "Session": "codeens._session",
        "Settings": "codeens_server.config.settings",
        "Target": "codeens_server.domain",
        "Task": "codeens_server.tasks.schema",
    },
)
