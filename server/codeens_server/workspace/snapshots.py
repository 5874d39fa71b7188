"""Texts of files as they were when a target was found, so that a run is not disturbed by edits made meanwhile."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from codeens_server.domain import Target
from codeens_server.errors import ChangedError
from codeens_server.workspace.text import SourceText, read_source

_KEPT = 64
_snapshots: OrderedDict[str, SourceText] = OrderedDict()


def remember(source: SourceText) -> None:
    """Keep a text under the digest of its bytes; the oldest of many is forgotten."""
    _snapshots[source.sha256] = source
    _snapshots.move_to_end(source.sha256)
    while len(_snapshots) > _KEPT:
        _snapshots.popitem(last=False)


def snapshot(target: Target) -> SourceText:
    """The target's file as it was when the target was found.

    Raises:
        ChangedError: it is not remembered, and the file is another one by now.
    """
    return _snapshots.get(target.file_sha256) or current_source(target)


def current_source(target: Target) -> SourceText:
    """The target's file, read now.

    Raises:
        ChangedError: the file is not what it was when the target was found.
    """
    source = read_source(Path(target.path))
    if source.sha256 != target.file_sha256:
        message = f"{target.path} has changed since the run; nothing was written. Run again on the file as it is now."
        raise ChangedError(message)
    return source
