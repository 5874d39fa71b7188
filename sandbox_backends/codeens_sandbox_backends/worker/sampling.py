"""One timed sample, in a fork of the loaded worker: nothing that it leaves behind is seen by the next one."""

from __future__ import annotations

import gc
import os
from typing import Any, Callable, Dict, List

from . import serving
from .calling import Arguments, answer, decode_arguments, finish, perform, settle
from .failures import describe

# Results of these types need no settling; asking costs less than the call would.
_SETTLED = frozenset((type(None), bool, int, float, str, bytes, list, tuple, dict, set, frozenset))


class _Failed:
    """What a call raised, kept until the clock has stopped."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


def serve_sample(channel: serving.Channel, function: Callable[..., Any], request: Dict[str, Any]) -> None:
    """Fork, let the child talk to the judge, and report its end if it did not finish."""
    serving.flush()
    child = os.fork()
    if child == 0:
        try:
            (_whole if request["whole"] else _sample)(channel, function, request)
        except serving.Closed:
            serving.leave(1)
        serving.leave(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        channel.send({"died": {"signal": os.WTERMSIG(status)}})
    elif os.WEXITSTATUS(status):
        channel.send({"died": {"exit": os.WEXITSTATUS(status)}})


def _sample(channel: serving.Channel, function: Callable[..., Any], request: Dict[str, Any]) -> None:
    inputs: List[Dict[str, Any]] = request["inputs"]
    try:
        rehearse: List[int] = request["rehearse"]
        rehearsal = [decode_arguments(inputs[index]) for index in rehearse]
        passes: List[List[Arguments]] = _arguments(inputs, request["inner"], request["fresh"])
    except BaseException as error:
        channel.send({"unready": describe(error)})
        return
    loop = _Loop()
    _run(function, [rehearsal], loop.run)
    done = channel.packed({"done": True})
    gc.collect()
    channel.send({"ready": True})
    channel.receive()
    results = _run(function, passes, loop.run)
    channel.send_packed(done)
    drawn: int = channel.receive()["pass"]
    for index, call in enumerate(inputs):
        outcome = _fields(results[drawn][index], call, passes[drawn][index])
        channel.send({"index": index, **outcome})


def _whole(channel: serving.Channel, function: Callable[..., Any], _: Dict[str, Any]) -> None:
    """One pass whose inputs come when the clock has started, and whose outputs stop it."""
    gc.collect()
    channel.send({"ready": True})
    for index, call in enumerate(channel.receive()["inputs"]):
        channel.send({"index": index, **perform(function, call)})


def _arguments(inputs: List[Dict[str, Any]], inner: int, fresh: bool) -> List[List[Arguments]]:
    """Return arguments of every pass; `fresh`: no two passes share any."""
    first = [decode_arguments(call) for call in inputs]
    if not fresh:
        return [first] * inner
    return [first] + [[decode_arguments(call) for call in inputs] for _ in range(inner - 1)]


def _run(function: Callable[..., Any], passes: List[List[Arguments]], run: Callable[[Any], Any]) -> List[List[Any]]:
    """Run all loops. This is what is timed."""
    results: List[List[Any]] = []
    for arguments in passes:
        values: List[Any] = []
        for args, kwargs in arguments:
            try:
                value = function(*args, **kwargs)
                if type(value) not in _SETTLED:
                    value = settle(value, run)
            except BaseException as error:
                value = _Failed(error)
            values.append(value)
        results.append(values)
    return results


def _fields(value: Any, call: Dict[str, Any], arguments: Arguments) -> Dict[str, Any]:
    error = value.error if isinstance(value, _Failed) else None
    return answer(value, call, arguments) if error is None else finish(describe(error), call, arguments)


class _Loop:
    """One event loop for all coroutines of a sample, made when the first one comes."""

    def __init__(self) -> None:
        self._loop: Any = None

    def run(self, coroutine: Any) -> Any:
        if self._loop is None:
            import asyncio

            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(coroutine)
