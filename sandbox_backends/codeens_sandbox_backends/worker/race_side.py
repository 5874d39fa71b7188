"""One side of a race: a loaded program that forks a process for each series of samples.

| request                          | answers                                                                         |
|----------------------------------|---------------------------------------------------------------------------------|
| `program`                        | `{"loaded": LivePlace}` or `{"failed": Raised}`                                 |
| `first`, `last`, `inner`,        | a fork that runs the inputs from `rehearse[0]` to before `rehearse[1]` once and |
|   `arguments`, `idle`, `rehearse` | takes this sample: `{"ready": true}`; the judge reads its clock and sends `{}`; |
|                                  | `{"done": true}`; the judge reads it again                                      |
| the same, to the fork            | its next sample                                                                 |
| `audit`, to the fork             | `{"digests": [...]}` of its last pass; the judge sends `{"answers": [i, ...]}`; |
|                                  | one answer for each as for `calls`, until it sends none                         |
| `end`, to the fork               | none; where it ends otherwise, `{"died": {"signal": n}}` or with `exit`    |

`arguments`: see `races.PassArguments`.
`idle`: nothing is called. A digest is null where the values are not plain data, for which only the answer itself can be
compared.
"""

from __future__ import annotations

import gc
import marshal
import os
from hashlib import blake2b
from typing import Any, Callable, Dict, List, Optional

from . import serving
from .calling import Arguments, answer, finish
from .failures import describe
from .live import load
from .loader import install
from .race_loop import Failed, Inputs

_PLAIN_MARSHAL = 2
"""The last version of the format that does not tell which objects are the same one."""
_DIGEST_BYTES = 16
_FINISHED = 64
"""What a series ends with: code that ends its process with 0 has not finished."""
_WARMING = 4
"""A part of a sample that is run before the clock is: while others ran, the processor's caches forgot this one."""
Function = Callable[..., Any]
Request = Dict[str, Any]


def serve_side(channel: serving.Channel, make_inputs: Callable[[], Inputs]) -> None:
    """Load a program and take samples of it until the judge closes the channel.

    Raises:
        serving.Closed: The judge closed the channel.
    """
    channel.send({"ready": True})
    program: Dict[str, Any] = channel.receive()["program"]
    install(program)
    try:
        live = load(program)
        inputs = make_inputs()
    except BaseException as error:
        channel.send({"failed": describe(error)})
        raise serving.Closed from None
    channel.send({"loaded": live.place})
    gc.collect()
    gc.freeze()
    while True:
        _serve_series(channel, live.call, inputs, channel.receive())


def _serve_series(channel: serving.Channel, function: Function, inputs: Inputs, request: Request) -> None:
    """Fork, let the child talk to the judge, and report its end if it did not finish."""
    serving.flush()
    child = os.fork()
    if child == 0:
        try:
            _series(channel, function, inputs, request)
        except serving.Closed:
            serving.leave(1)
        serving.leave(_FINISHED)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        channel.send({"died": {"signal": os.WTERMSIG(status)}})
    elif os.WEXITSTATUS(status) != _FINISHED:
        channel.send({"died": {"exit": os.WEXITSTATUS(status)}})


def _series(channel: serving.Channel, function: Function, inputs: Inputs, request: Request) -> None:
    results: List[Any] = [None] * len(inputs.calls)
    rehearsed = slice(*request["rehearse"])
    _touch(inputs.objects[rehearsed])
    inputs.rehearse(function, rehearsed, results)
    group, sampled = slice(0), request
    while "end" not in request:
        if "audit" in request:
            _audit(channel, inputs.calls[group], results[group], inputs.arguments(group, sampled))
        else:
            group = slice(request["first"], request["last"])
            sampled = request
            _sample(channel, function, inputs, request, results)
        request = channel.receive()


def _sample(channel: serving.Channel, function: Function, inputs: Inputs, request: Request, results: List[Any]) -> None:
    group, inner = slice(request["first"], request["last"]), request["inner"]
    run = inputs.loop(request)
    if request["arguments"] == "own":
        _touch(inputs.objects[group])
        passes = [rows[group] for rows in inputs.rows[1 : 1 + inner]]
    else:
        passes = [inputs.rows[0][group]] * inner
        run(function, passes[: inner // _WARMING], results)
    process = os.getpid()
    done = channel.packed({"done": True})
    channel.send({"ready": True})
    channel.receive()
    run(function, passes, results)
    if os.getpid() != process:  # a call has forked, and this is not the process that was asked
        serving.leave(0)
    channel.send_packed(done)


def _audit(
    channel: serving.Channel, calls: List[Dict[str, Any]], values: List[Any], arguments: List[Arguments]
) -> None:
    channel.send({"digests": list(map(_digest, values, arguments))})
    wanted: List[int] = channel.receive()["answers"]
    while wanted:
        for index in wanted:
            channel.send({"index": index, **_fields(values[index], calls[index], arguments[index])})
        wanted = channel.receive()["answers"]


def _digest(value: Any, arguments: Arguments) -> Optional[str]:
    try:
        data = marshal.dumps((value, arguments), _PLAIN_MARSHAL)
    except Exception:
        return None
    return blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()


def _fields(value: Any, call: Dict[str, Any], arguments: Arguments) -> Dict[str, Any]:
    error = value.error if isinstance(value, Failed) else None
    return answer(value, call, arguments) if error is None else finish(describe(error), call, arguments)


def _touch(objects: List[List[Any]]) -> None:
    """Write to each object's count of references, so that the clock does not time how the kernel copies its page."""
    for of_call in objects:
        for _ in of_call:
            pass
