"""The worker: loads a program and calls its function. CallWorker kind `calls`.

| request (`op`)                       | answers (each with the job's `nonce`)                                |
|--------------------------------------|----------------------------------------------------------------------|
| `load`: nonce, program, watch        | `{"loaded": LivePlace}` or `{"failed": Raised}`                      |
| `calls`: inputs, first, last         | one per input: `{"index", "outcome", "same"?, "peak"?}`; none where  |
|                                      | loading failed; if it is the `last` request the worker then ends     |
| `lines`                              | `{"hit": [...], "total": [...]}`                                     |
| `counts`                             | `{"counts": [[line, times], ...]}`                                   |

Before any request the worker sends `{"up": "3.11"}`. `watch` is "", "memory" (answers have `peak`, in bytes) or
"lines" or "counts" (both trace the lines of the function), "loading" (the answer to `load` says what that has left, by
digests) or "effects" (outcomes say what a call left behind, and which of its objects are the same; the answer to `load`
names the variables that are looked at, and those that are not).
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Optional

from . import serving
from .calling import perform
from .effects import Effects
from .failures import describe
from .live import load
from .loader import install
from .loading import Loading
from .observed import perform_observed
from .observing import AllocationWatch, LineCount

Message = Dict[str, Any]


class CallWorker:
    """A loaded program and what is watched of its calls."""

    def __init__(self, channel: serving.Channel) -> None:
        self.channel = channel
        self.function: Optional[Callable[..., Any]] = None
        self.memory: Optional[AllocationWatch] = None
        self.count: Optional[LineCount] = None
        self.effects: Optional[Effects] = None
        self.operations = {"load": self.load, "calls": self.calls, "lines": self.lines, "counts": self.counts}

    def load(self, request: Message) -> None:
        if request["watch"] in ("effects", "effects in turn"):
            self.effects = Effects(in_turn=request["watch"] == "effects in turn")
        install(request["program"])
        loading = Loading(request["program"]) if request["watch"] == "loading" else None
        try:
            live = load(request["program"])
        except BaseException as error:
            self.channel.send({"failed": describe(error)})
            return
        self.function = live.call
        if request["watch"] == "memory":
            self.function = self.memory = AllocationWatch(live.call)
        if request["watch"] in ("lines", "counts"):
            self.function = self.count = LineCount(live.call, live.watched)
        noted = self.effects.start(request["program"]) if self.effects else {}
        left = {"loading": loading.told(request["program"])} if loading else {}
        self.channel.send({"loaded": {**live.place, **noted, **left}})

    def calls(self, request: Message) -> None:
        if self.function is not None:
            self._perform(self.function, request["inputs"], request["first"])
        if request["last"]:
            serving.leave(0)

    def _perform(self, function: Callable[..., Any], calls: List[Message], first: int) -> None:
        process = os.getpid()
        for index, call in enumerate(calls, first):
            answer = perform(function, call) if self.effects is None else perform_observed(function, call, self.effects)
            if os.getpid() != process:  # the call has forked, and this is not the process that was asked
                serving.leave(0)
            if self.memory:
                answer["peak"] = self.memory.peak
            self.channel.send({"index": index, **answer})

    def lines(self, _: Message) -> None:
        assert self.count is not None
        self.channel.send(self.count.lines())

    def counts(self, _: Message) -> None:
        assert self.count is not None
        self.channel.send({"counts": sorted(self.count.times.items())})


def main(fd: int) -> None:
    """Serve the judge on an open descriptor until it closes the channel; never returns."""
    worker = CallWorker(serving.start(fd))
    serving.serve(worker.channel, worker.operations)
