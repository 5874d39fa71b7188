"""The worker: loads a program and calls its function. CallWorker kind `calls`.

| request (`op`)                       | answers (each with the job's `nonce`)                                |
|--------------------------------------|----------------------------------------------------------------------|
| `load`: nonce, program, watch,       | `{"loaded": true}` or `{"failed": Raised}`                           |
|   coverage                           |                                                                      |
| `calls`: inputs, first, last         | one per input: `{"index", "outcome", "same"?, "peak"?}`; none where  |
|                                      | loading failed; if it is the `last` request the worker then ends     |
| `lines`                              | `{"hit": [...], "total": [...]}`                                     |
| `sample`: whole (false), inputs,     | `{"ready": true}` or `{"unready": Raised}`; the judge starts its     |
|   inner, fresh, rehearse             | clock and sends `{}`; `{"done": true}`; the judge sends `{"pass":    |
|                                      | k}`; then one answer per input as for `calls`                        |
| `sample`: whole (true)               | `{"ready": true}`; the judge starts its clock and sends `{"inputs":  |
|                                      | [...]}`; then one answer per input as for `calls`                    |

Before any request the worker sends `{"up": "3.11"}`. `watch` is "", "memory" (answers have `peak`, in bytes) or
"lines" (`coverage` is the folder of the coverage package). A sample runs in a fork of the loaded worker; if that ends
before its last answer, the worker sends `{"died": {"signal": n}}` or `{"died": {"exit": n}}`.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Optional

from . import serving
from .calling import perform
from .failures import describe
from .loader import install, load
from .observing import AllocationWatch, LineWatch
from .sampling import serve_sample

Message = Dict[str, Any]


class CallWorker:
    """A loaded program and what is watched of its calls."""

    def __init__(self, channel: serving.Channel) -> None:
        self.channel = channel
        self.function: Optional[Callable[..., Any]] = None
        self.memory: Optional[AllocationWatch] = None
        self.watch: Optional[LineWatch] = None
        self.operations = {"load": self.load, "calls": self.calls, "lines": self.lines, "sample": self.sample}

    def load(self, request: Message) -> None:
        if request["watch"] == "lines":
            self.watch = LineWatch(request["coverage"])
        install(request["program"])
        try:
            function = load(request["program"])
        except BaseException as error:
            self.channel.send({"failed": describe(error)})
            return
        if request["watch"] == "memory":
            function = self.memory = AllocationWatch(function)
        self.function = function
        self.channel.send({"loaded": True})

    def calls(self, request: Message) -> None:
        if self.function is not None:
            self._perform(self.function, request["inputs"], request["first"])
        if request["last"]:
            serving.leave(0)

    def _perform(self, function: Callable[..., Any], calls: List[Message], first: int) -> None:
        process = os.getpid()
        for index, call in enumerate(calls, first):
            answer = perform(function, call)
            if os.getpid() != process:  # the call has forked, and this is not the process that was asked
                serving.leave(0)
            if self.memory:
                answer["peak"] = self.memory.peak
            self.channel.send({"index": index, **answer})

    def lines(self, _: Message) -> None:
        assert self.watch is not None
        self.channel.send(self.watch.lines(self.function))

    def sample(self, request: Message) -> None:
        assert self.function is not None
        serve_sample(self.channel, self.function, request)


def main(fd: int) -> None:
    """Serve the judge on an open descriptor until it closes the channel; never returns."""
    worker = CallWorker(serving.start(fd))
    serving.serve(worker.channel, worker.operations)
