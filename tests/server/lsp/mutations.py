"""Messages that no client would send, made from ones that clients do send; always the same for a seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any, TypeAlias, cast

OTHER = "untitled:other"
"""The only document that is in the messages: what becomes of it does not matter."""

_PLACE = {"line": 0, "character": 4}
_RANGE = {"start": _PLACE, "end": _PLACE}
_DOCUMENT = {"uri": OTHER}
_TEXT = "def f(a: int) -> int:\n    return a\n"
_NOTEBOOK = {"uri": "untitled:nb", "notebookType": "jupyter-notebook", "version": 1}
_CELL = {"uri": "untitled:nb#1", "languageId": "python", "version": 1, "text": _TEXT}
_RUN = {"uri": OTHER, "function": "f", "goal": "speed", "samples": 2}

SEEDS: tuple[tuple[str, object], ...] = (
    ("textDocument/didOpen", {"textDocument": {**_DOCUMENT, "languageId": "python", "version": 1, "text": _TEXT}}),
    (
        "textDocument/didChange",
        {"textDocument": {**_DOCUMENT, "version": 2}, "contentChanges": [{"range": _RANGE, "text": "x"}]},
    ),
    ("textDocument/didChange", {"textDocument": {**_DOCUMENT, "version": 3}, "contentChanges": [{"text": _TEXT}]}),
    ("textDocument/didSave", {"textDocument": _DOCUMENT}),
    ("textDocument/didClose", {"textDocument": _DOCUMENT}),
    (
        "notebookDocument/didOpen",
        {
            "notebookDocument": {**_NOTEBOOK, "cells": [{"kind": 2, "document": "untitled:nb#1"}]},
            "cellTextDocuments": [_CELL],
        },
    ),
    (
        "notebookDocument/didChange",
        {
            "notebookDocument": {"uri": "untitled:nb", "version": 2},
            "change": {"cells": {"structure": {"array": {"start": 0, "deleteCount": 1}, "didClose": [_DOCUMENT]}}},
        },
    ),
    ("textDocument/codeAction", {"textDocument": _DOCUMENT, "range": _RANGE, "context": {"diagnostics": []}}),
    ("textDocument/codeLens", {"textDocument": _DOCUMENT}),
    ("textDocument/hover", {"textDocument": _DOCUMENT, "position": _PLACE}),
    ("codeAction/resolve", {"title": "x", "data": {"runId": "20200101-abcdef", "candidate": "c"}}),
    *(
        ("workspace/executeCommand", {"command": f"codeens.{name}", "arguments": [argument]})
        for name, argument in (
            ("run", _RUN),
            ("apply", {"runId": "x", "candidate": "c"}),
            ("diff", {}),
            ("cancel", {"runId": "x"}),
            ("rerun", {"fresh": True}),
            ("showRun", {}),
            ("pinInputAsTest", {"number": 1}),
        )
    ),
    ("workspace/didChangeConfiguration", {"settings": {"codeens": {"goal": "speed"}}}),
    ("workspace/didChangeWorkspaceFolders", {"event": {"added": [{"uri": "file:///x", "name": "x"}], "removed": []}}),
    ("window/workDoneProgress/cancel", {"token": "t"}),
    ("$/cancelRequest", {"id": 3}),
    ("$/setTrace", {"value": "verbose"}),
    ("initialize", {"processId": 1, "rootUri": None, "capabilities": {}}),
)
_NOTIFICATIONS = ("did", "$/", "window/")

_JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**31, 2**63, 10**40, 1e308, "", "x", "\x00", "\ud800", "\u202e", "x" * 5000,
    [], {}, [[]], {"": None}, [None] * 50, {"uri": OTHER}, {"jsonrpc": "2.0"}, "file:///etc/passwd", "untitled:",
    "::::",
)  # fmt: skip

Place: TypeAlias = tuple[Any, Any]
Mutation: TypeAlias = Callable[[random.Random, dict[str, Any]], None]


def message(chance: random.Random, number: int) -> bytes:
    """The bytes of one message, frame and all."""
    method, params = chance.choice(SEEDS)
    made: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": copy.deepcopy(params)}
    if not any(part in method for part in _NOTIFICATIONS) or chance.random() < 0.05:
        made["id"] = chance.choice([number, f"n{number}", 1])
    for _ in range(chance.choice([1, 1, 2, 5])):
        chance.choice(_MUTATIONS)(chance, made)
    body = json.dumps(made).encode()
    if chance.random() < 0.2:
        body = _bytes_changed(chance, body)
    return _frame(chance, body)


def _frame(chance: random.Random, body: bytes) -> bytes:
    kind = chance.random()
    if kind < 0.9:
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    length = max(0, len(body) + chance.choice([-3, -1, 1, 2, 40]))
    return chance.choice(
        [
            b"Content-Length: %d\r\n\r\n%b" % (length, body),
            b"Content-Length: %d\n\n%b" % (len(body), body),
            b"Content-Length: -1\r\n\r\n" + body,
            b"Content-Length: 0x10\r\n\r\n" + body,
            b"Content-Length: 99999999999999999\r\n\r\n" + body,
            b"\r\n\r\n" + body,
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            chance.randbytes(60),
            body,
        ]
    )


def _bytes_changed(chance: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.choice([1, 1, 3, 10])):
        place = chance.randrange(len(changed) or 1)
        kind = chance.randrange(4)
        if kind == 0:
            changed[place : place + 1] = chance.randbytes(1)
        elif kind == 1:
            del changed[place : place + chance.randrange(1, 20)]
        elif kind == 2:
            changed[place:place] = chance.choice(
                [b'"', b"{", b"]", b"\\", b"\\u", b"\xff", b"NaN", b"1e9999", b"[" * 2000]
            )
        else:
            changed[place:place] = changed[: chance.randrange(40)]
    return bytes(changed)


def _places(value: object) -> list[Place]:
    """All (container, key) below a value."""
    found: list[Place] = []
    todo = [value]
    while todo:
        current = todo.pop()
        container: Any = current
        if isinstance(container, dict):
            keys: list[Any] = list(cast("dict[str, object]", container))
        elif isinstance(container, list):
            keys = list(range(len(cast("list[object]", container))))
        else:
            continue
        for key in keys:
            found.append((cast("Any", current), key))
            todo.append(cast("Any", current)[key])
    return found


def _junk(chance: random.Random, made: dict[str, Any]) -> None:
    if places := _places(made):
        container, key = chance.choice(places)
        container[key] = copy.deepcopy(chance.choice(_JUNK))


def _dropped(chance: random.Random, made: dict[str, Any]) -> None:
    if places := _places(made):
        container, key = chance.choice(places)
        del container[key]


def _added(chance: random.Random, made: dict[str, Any]) -> None:
    containers: list[dict[str, Any]] = [made, *(place for place, _ in _places(made) if isinstance(place, dict))]
    key = chance.choice(["id", "method", "params", "result", "error", "jsonrpc", "uri", "line", "", "__class__"])
    chance.choice(containers)[key] = copy.deepcopy(chance.choice(_JUNK))


def _swapped(chance: random.Random, made: dict[str, Any]) -> None:
    made["params"] = copy.deepcopy(chance.choice(SEEDS)[1])


def _renamed(chance: random.Random, made: dict[str, Any]) -> None:
    made["method"] = chance.choice(
        [chance.choice(SEEDS)[0], "codeens/didChangeRun", "no/such", "textDocument/formatting", "$/x"]
    )


def _answering(chance: random.Random, made: dict[str, Any]) -> None:
    made.pop("method", None)
    made["result"] = copy.deepcopy(chance.choice(_JUNK))


def _nested(chance: random.Random, made: dict[str, Any]) -> None:
    value: object = chance.choice([{}, [], 1])
    for _ in range(chance.choice([10, 200])):
        value = [value] if chance.random() < 0.5 else {"a": value}
    made["params"] = value


def _unchanged(_chance: random.Random, _made: dict[str, Any]) -> None:
    """Right messages stand among the wrong ones."""


_MUTATIONS: tuple[Mutation, ...] = (
    _junk, _junk, _junk, _dropped, _dropped, _added, _swapped, _renamed, _answering, _nested, _unchanged,
)  # fmt: skip
