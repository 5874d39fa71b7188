"""Ask several models for a better function, prove every answer in a sandbox, and take the one that is best.

This package is the only stable surface: everything that a door of codeens does is done by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codeens_server.lazy import lazy_exports

if TYPE_CHECKING:
    from codeens._options import RunKeywords
    from codeens._results import Run
    from codeens._session import Session
    from codeens._targets import Code
    from codeens_server.config.settings import Settings
    from codeens_server.errors import CodeensError, Hint

__all__ = ["Code", "CodeensError", "Hint", "Run", "RunKeywords", "Session", "Settings"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "Code": "codeens._targets",
        "CodeensError": "codeens_server.errors",
        "Hint": "codeens_server.errors",
        "Run": "codeens._results",
        "RunKeywords": "codeens._options",
        "Session": "codeens._session",
        "Settings": "codeens_server.config.settings",
    },
)
