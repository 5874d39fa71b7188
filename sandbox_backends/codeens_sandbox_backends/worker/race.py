"""The block of a race: holds decoded inputs, and forks the sides that are timed on them. Worker kind `race`.

| request to the block (`op`)  | answers (each with the job's `nonce`)                                               |
|------------------------------|-------------------------------------------------------------------------------------|
| `inputs`: nonce, inputs,     | `{"ready": true}` or `{"unready": Raised}`; the arguments are decoded `copies`      |
|   copies, late               | times; `late`: by each side, for its program brings their classes along             |
| `spawn`, then one byte with  | `{"ready": true}`; a fork serves a side on that descriptor, and answers there with  |
|   a descriptor               | `{"ready": true}` too                                                               |
| `become`                     | as from the fork; from then on the block itself is the only side                    |

No foreign code runs in a block that spawns, and what a side does to its copy of the inputs no other one sees.
"""

from __future__ import annotations

import array
import gc
import os
import signal
import socket
from functools import partial
from typing import Any, Callable, Dict

from . import serving
from .failures import describe
from .race_loop import Inputs, decoded
from .race_side import serve_side

Message = Dict[str, Any]


class Block:
    """The inputs, decoded as often as the samples need them, and the channel to the judge."""

    def __init__(self, channel: serving.Channel) -> None:
        self.channel = channel
        self.inputs: Callable[[], Inputs] = partial(Inputs, [], [])
        self.operations = {"inputs": self.take, "spawn": self.spawn, "become": self.become}

    def take(self, request: Message) -> None:
        self.inputs = partial(decoded, request["inputs"], request["copies"])
        if not request["late"]:
            try:
                made = self.inputs()
            except BaseException as error:
                self.channel.send({"unready": describe(error)})
                return
            self.inputs = lambda: made
        gc.collect()
        gc.freeze()
        self.channel.send({"ready": True})

    def spawn(self, _: Message) -> None:
        descriptor = self._descriptor()
        serving.flush()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self.channel.fd)
            channel = serving.Channel(descriptor)
            channel.nonce = self.channel.nonce
            _serve(channel, self.inputs)
        os.close(descriptor)
        self.channel.send({"ready": True})

    def become(self, _: Message) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _serve(self.channel, self.inputs)

    def _descriptor(self) -> int:
        # Not duplicated: what a descriptor is cannot be asked for under every filter.
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=self.channel.fd)
        try:
            _, extra, _, _ = control.recvmsg(1, socket.CMSG_SPACE(array.array("i").itemsize))
        finally:
            control.detach()
        (descriptor,) = array.array("i", extra[0][2])
        os.set_inheritable(descriptor, False)
        return descriptor


def _serve(channel: serving.Channel, inputs: Callable[[], Inputs]) -> None:
    try:
        serve_side(channel, inputs)
    except serving.Closed:
        serving.leave(0)


def main(fd: int) -> None:
    """Serve the judge on an open descriptor until it closes the channel; never returns."""
    block = Block(serving.start(fd))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # sides end when they like, and nobody waits for them
    serving.serve(block.channel, block.operations)
