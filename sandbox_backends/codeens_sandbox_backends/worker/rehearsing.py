"""One job of our own before any other: what Python makes ready at first use is then ready for all that are forked."""

from __future__ import annotations

import json
import linecache
import socket
import sys
from typing import Any, Dict, List

from .frames import pack
from .play import Worker
from .serving import Channel, serve_next

_NAME = "codeens_rehearsal"
_SOURCE = """\
from typing import List, Tuple

def rehearse(number, text, items: List[Tuple[int, str]]) -> float:
    found = {word: len(word) for word in text.split()}
    for index, item in enumerate(items):
        if index > 1:
            raise ValueError(item)
        items[index] = (item, [found, {1, 2.5}, sorted(found), None, True])
    return number * 1.5
"""
_CALLS: List[Dict[str, Any]] = [
    {"args": [1, "to be or not", ["list"]], "kwargs": {}},
    {"args": [2.5, "", ["list", 1, ["tuple", 2, "x"]]], "kwargs": {}},
    {"args": [-1], "kwargs": {"text": "be", "items": ["list", 1, 2, 3, ["dict", ["k", ["set", 1]]]]}},
]
_OFTEN = 10
"""The interpreter (3.11) adapts code to its use after eight runs of it."""


def rehearse() -> None:
    """Have workers serve that job, and remove what it leaves behind."""
    modules = [{"name": _NAME, "source": _SOURCE, "path": None}]
    program = {"module": _NAME, "qualname": "rehearse", "modules": modules, "sys_path": []}
    before = set(linecache.cache)
    for _ in range(_OFTEN):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            worker = Worker(Channel(theirs.fileno()))
            for request in (
                {"op": "load", "nonce": "", "program": program, "watch": ""},
                {"op": "calls", "inputs": _CALLS, "first": 0, "last": False},
            ):
                ours.sendall(pack(json.dumps(request).encode()))
                serve_next(worker.channel, worker.operations)
        del sys.modules[_NAME], sys.meta_path[0]
    for name in set(linecache.cache) - before:
        del linecache.cache[name]
