"""Exceptions as data: type, message and a bounded traceback that shows foreign code only."""

from __future__ import annotations

import builtins
import os
from typing import Any, Dict, List

from .loader import show_sources
from .values.objects import type_name

_MAX_MESSAGE = 4000
_MAX_FRAMES = 12
_WORKER = __file__.rpartition(os.sep)[0]
_BUILTINS = dict(vars(builtins))


def describe(error: BaseException) -> Dict[str, Any]:
    """JSON of `programs.Raised`, without arguments."""
    if isinstance(error, MemoryError):
        _let_go(error)
    return {
        "kind": "raised",
        "type": _name_of(type(error)),
        "message": message_of(error),
        "traceback": traceback_of(error),
    }


def _let_go(error: MemoryError) -> None:
    """Give back what the frames hold that ended by it: without room for the answer the worker would die of it."""
    raised = error.__traceback__
    while raised is not None:
        frame, raised = raised.tb_frame, raised.tb_next
        try:
            frame.clear()
        except (RuntimeError, MemoryError):
            continue  # it has not ended: it is the worker's own


def _name_of(kind: type) -> str:
    """`ValueError` is the builtin one; another class that says it were that one is told from it."""
    name = type_name(kind)
    return name if ":" in name or _BUILTINS.get(name) is kind else f"builtins:{name}"


def message_of(error: BaseException) -> str:
    """`str(error)`, bounded; foreign code may have overridden it with something that raises."""
    try:
        return bounded(str(error))
    except BaseException as broken:
        return f"<its message cannot be read: {type(broken).__name__}>"


def traceback_of(error: BaseException) -> str:
    """Return the frames nearest to the failure, without those of the worker and of the import system."""
    import traceback

    try:
        show_sources()
        frames: List[Any] = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if not frame.filename.startswith((_WORKER, "<frozen importlib"))
        ]
        lines = traceback.format_list(frames[-_MAX_FRAMES:])
        lines += traceback.format_exception_only(type(error), error)
        return bounded("".join(lines))
    except BaseException:
        return ""


def bounded(text: str, limit: int = _MAX_MESSAGE) -> str:
    """Return the text, or its two ends where it is longer than `limit` characters."""
    if len(text) <= limit:
        return str(text)
    return f"{text[: limit // 2]}\n[{len(text) - limit} characters left out]\n{text[-limit // 2 :]}"
