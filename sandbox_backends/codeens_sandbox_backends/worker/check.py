"""Runs test source against a function that lives in another process. CallWorker kind `check`.

| message (`op`)               | from   | answer                                                                   |
|------------------------------|--------|--------------------------------------------------------------------------|
| `check`: tests, prelude,     | judge  | `{"call": {args, kwargs}, "used": n}` as often as needed, then            |
|   name, seed, known          |        | `{"verdict": ..., "used": n}` or `{"mispredicted": true}`                 |
| `guess`: tests, prelude,     | judge  | `{"calls": [...], "whole": ..., "waits": [...]}`: calls that the tests    |
|   name, seed                 |        | make as long as they like what comes back; a guess; whether they came to  |
|                              |        | their end; indexes of calls that tell what an earlier one should return   |
| outcome                      | judge  | none: it is the answer to `call`, a Returned or a Raised; its arguments   |
|                              |        | are left out where the call did not change them                           |
| `give_up`, in place of an    | judge  | `{"given_up": true}`, and nothing more of this check                      |
|   outcome                    |        |                                                                           |

A verdict is null (passed), a Raised, or an Unencodable where an argument or a returned value is not plain data. `known`
are pairs of a call and its outcome, in the order in which the tests are expected to make these calls; `used` of them
were taken, and the tests are `mispredicted` when they call with other arguments than those of the next one.
"""

from __future__ import annotations

import builtins
import linecache
import random
import sys
from contextlib import suppress
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any, Dict, Iterator, List, Optional

from . import serving
from .calling import copy_back
from .failures import describe
from .stand_ins import stand_ins
from .telling import told_early
from .values.codec import decode, encode
from .values.grammar import DecodeError, EncodeError

Message = Dict[str, Any]
_FILE = "<tests>"
_ENDS_A_LOOP = (StopIteration, StopAsyncIteration)
"""In `all(map(function, ...))` they would read as the end of the tests. PEP 479 is the same for generators."""


class _Apart(BaseException):
    """A value cannot cross between the processes; not an `Exception`, so that no test catches it."""

    def __init__(self, kind: str, where: str) -> None:
        super().__init__(kind, where)
        self.kind = kind
        self.where = where


class _Mispredicted(BaseException):
    """The tests call in another way than they were expected to."""


class _GivenUp(BaseException):
    """The judge wants no more of this check."""


class Proxy:
    """What the tests call: each call is answered by the process that holds the function, or was before."""

    def __init__(self, channel: serving.Channel, name: str, known: List[Any]) -> None:
        self._channel = channel
        self._known = known
        self.used = 0
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call: Message = {
            "args": [_encode(value, str(index)) for index, value in enumerate(args)],
            "kwargs": {name: _encode(value, name) for name, value in kwargs.items()},
        }
        outcome = self._predicted(call) if self.used < len(self._known) else self._asked(call)
        for index, encoded in enumerate(outcome["args"]):
            copy_back(_decode(encoded, str(index)), args[index])
        for name, encoded in outcome["kwargs"].items():
            copy_back(_decode(encoded, name), kwargs[name])
        if outcome["kind"] == "raised":
            raise _rebuilt(outcome)
        return _decode(outcome["value"], "value")

    def _predicted(self, call: Message) -> Message:
        expected, outcome = self._known[self.used]
        if repr([call["args"], call["kwargs"]]) != repr([expected["args"], expected["kwargs"]]):
            raise _Mispredicted
        self.used += 1
        return outcome

    def _asked(self, call: Message) -> Message:
        self._channel.send({"call": call, "used": self.used})
        answer = self._channel.receive()
        if "outcome" not in answer:
            raise _GivenUp
        return answer["outcome"]


def _encode(value: Any, where: str) -> Any:
    try:
        return encode(value, classes=False)
    except EncodeError as refused:
        raise _Apart(refused.type_name, where) from None


def _decode(encoded: Any, where: str) -> Any:
    try:
        return decode(encoded, classes=False)
    except DecodeError:
        raise _Apart(str(encoded[1]), where) from None


def _rebuilt(outcome: Message) -> BaseException:
    """Return an exception of the same builtin type with the same text, or one of the same name."""
    name: str = outcome["type"].rpartition(":")[2].rpartition(".")[2]
    message: str = outcome["message"]
    base: Any = getattr(builtins, outcome["type"], None)
    if not (isinstance(base, type) and issubclass(base, BaseException)):
        base = type(name, (Exception,), {})
    if issubclass(base, _ENDS_A_LOOP):
        base, message = RuntimeError, f"the function raised {name}"
    error = _with_text(base, message)
    error.candidate_traceback = outcome["traceback"]
    return error


def _with_text(base: Any, message: str) -> Any:
    """Return an exception that shows this text, whatever its class would make of the argument."""
    try:
        error = base(message)
        if str(error) == message:
            return error
    except TypeError:  # it wants more than a message
        pass

    def text(_: Any) -> str:
        return message

    kind: Any = type(base.__name__, (base,), {"__str__": text, "__module__": base.__module__})
    return kind.__new__(kind, message)


class CheckRun:
    """One run of the tests."""

    def __init__(self, channel: serving.Channel) -> None:
        self.channel = channel

    def run(self, request: Message) -> None:
        """Handle the request `check`."""
        proxy = Proxy(self.channel, request["name"], request["known"])
        try:
            verdict = _verdict(request, proxy)
        except _GivenUp:
            self.channel.send({"given_up": True})
        except _Mispredicted:
            self.channel.send({"mispredicted": True})
        else:
            self.channel.send({"verdict": verdict, "used": proxy.used})

    def guess(self, request: Message) -> None:
        """Handle the request `guess`."""
        guess = Guess(request["name"])
        whole = False
        with suppress(BaseException):  # however they ended, the calls up to there are what they begin with
            _run_tests(request, guess)
            whole = guess.whole
        self.channel.send({"calls": guess.calls, "whole": whole, "waits": guess.waits()})


def _verdict(request: Message, proxy: Proxy) -> Any:
    try:
        _run_tests(request, proxy)
    except _Apart as apart:
        return {"kind": "unencodable", "type": apart.kind, "where": apart.where}
    except (serving.Closed, _GivenUp, _Mispredicted):
        raise
    except BaseException as error:
        return _described(error)
    return None


def _described(error: BaseException) -> Message:
    described = describe(error)
    inner = getattr(error, "candidate_traceback", "")
    return {**described, "traceback": f"{inner}\n{described['traceback']}" if inner else described["traceback"]}


def _run_tests(request: Message, proxy: Any) -> None:
    random.seed(request["seed"])
    module = ModuleType("codeens_tests")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    names: Dict[str, Any] = module.__dict__
    if request["prelude"]:
        _execute(request["prelude"], "<prelude>", names)
    names.pop("check", None)
    names[request["name"]] = proxy
    with stand_ins(request["tests"], request["name"], proxy):
        _execute(request["tests"], _FILE, names)
        check = names.get("check", proxy)
        if check is not proxy:
            check(proxy)
        if "unittest" in sys.modules or any(name.startswith(("test", "Test")) for name in names):
            from .collected import run_collected

            run_collected(module, (_Apart, _Mispredicted, _GivenUp, serving.Closed))


def _execute(source: str, file: str, names: Dict[str, Any]) -> None:
    lines: List[str] = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)
    exec(_compiled(source, file), names)


@lru_cache(maxsize=256)
def _compiled(source: str, file: str) -> CodeType:
    """Compile the tests of a task once: they are run for each of its candidates."""
    return compile(source, file, "exec", dont_inherit=True)


def main(fd: int) -> None:
    """Serve the judge on an open descriptor until it closes the channel; never returns."""
    channel = serving.start(fd)
    check = CheckRun(channel)
    serving.serve(channel, {"check": check.run, "guess": check.guess})


_CALLS_AT_MOST = 1000


class Guess:
    """What tests call instead of the function; `calls` are the encoded calls until one cannot be encoded.

    `whole` says whether all calls are there.
    """

    def __init__(self, name: str) -> None:
        self.__name__ = name
        self.calls: List[Dict[str, Any]] = []
        self.whole = True
        self._answers: List[_Agreeable] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.whole = self.whole and len(self.calls) < _CALLS_AT_MOST
        if not self.whole:
            raise OverflowError("more calls than are worth to be guessed")
        self.whole = False  # until the call is encoded
        call = {
            "args": [encode(value, classes=False, iterators=False) for value in args],
            "kwargs": {name: encode(value, classes=False, iterators=False) for name, value in kwargs.items()},
        }
        self.calls.append(call)
        self._answers.append(_Agreeable())
        self.whole = True
        return self._answers[-1]

    def waits(self) -> List[int]:
        """Return the indexes of calls that must not be known before all earlier ones are answered."""
        arguments = [[*call["args"], *call["kwargs"].values()] for call in self.calls]
        known = [held_against(answer) for answer in self._answers]
        told = told_early(arguments, [values or () for values in known])
        unknown = [index + 1 for index, values in enumerate(known) if values is None and index + 1 < len(known)]
        return sorted({*told, *unknown})


class _Agreeable:
    """Whatever is asked of it is so: it is equal, and unequal, to everything, true, near to every number, and empty."""

    def __init__(self) -> None:
        self.operands: List[Any] = []
        self.opaque = False

    def _agrees(self, *operands: Any) -> bool:
        self.operands += operands
        return True

    def _itself(self, *operands: Any) -> Any:
        self.operands += operands
        return self

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = _agrees
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _itself
    __abs__ = __neg__ = __round__ = __getitem__ = _itself

    def __hash__(self) -> int:
        self.opaque = True
        return 0

    def __float__(self) -> float:
        self.opaque = True
        return 0.0

    def __len__(self) -> int:
        self.opaque = True
        return 0

    def __iter__(self) -> Iterator[Any]:
        self.opaque = True
        return iter(())


def held_against(answer: _Agreeable) -> Optional[List[Any]]:
    """Return the encoded values that tests held an answer against; None where they looked at it in another way."""
    if answer.opaque:
        return None
    try:
        return [encode(value, classes=False, iterators=False) for value in answer.operands]
    except EncodeError:
        return None
