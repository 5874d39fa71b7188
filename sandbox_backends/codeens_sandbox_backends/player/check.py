"""Runs test source against a function that lives in another process. Role `check`.

| message (`op`)               | from   | answer                                                                   |
|------------------------------|--------|--------------------------------------------------------------------------|
| `check`: tests, prelude, name | judge | `{"call": {args, kwargs}}` as often as needed, then `{"verdict": ...}`    |
| outcome                      | judge  | none: it is the answer to `call`, a Returned or a Raised; its arguments   |
|                              |        | are left out where the call did not change them                           |

A verdict is null (passed), a Raised, or an Exotic where an argument or a returned value is not plain data.
"""

from __future__ import annotations

import builtins
import linecache
import sys
from types import ModuleType
from typing import Any, Dict, List

from . import serving
from .codec import Undecodable, Unencodable, decode, encode
from .copying import copy_back
from .failures import describe

Message = Dict[str, Any]
_FILE = "<tests>"


class _Apart(BaseException):
    """A value can not cross between the processes; not an `Exception`, so that no test catches it."""

    def __init__(self, kind: str, where: str) -> None:
        super().__init__(kind, where)
        self.kind = kind
        self.where = where


class Proxy:
    """What the tests call: each call is answered by the process that holds the function."""

    def __init__(self, channel: serving.Channel, name: str) -> None:
        self._channel = channel
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call: Message = {
            "args": [_encode(value, str(index)) for index, value in enumerate(args)],
            "kwargs": {name: _encode(value, name) for name, value in kwargs.items()},
        }
        self._channel.send({"call": call})
        outcome = self._channel.receive()["outcome"]
        for index, tree in enumerate(outcome["args"]):
            copy_back(_decode(tree, str(index)), args[index])
        for name, tree in outcome["kwargs"].items():
            copy_back(_decode(tree, name), kwargs[name])
        if outcome["kind"] == "raised":
            raise _rebuilt(outcome)
        return _decode(outcome["value"], "value")


def _encode(value: Any, where: str) -> Any:
    try:
        return encode(value, classes=False)
    except Unencodable as refused:
        raise _Apart(refused.type_name, where) from None


def _decode(tree: Any, where: str) -> Any:
    try:
        return decode(tree, classes=False)
    except Undecodable:
        raise _Apart(str(tree[1]), where) from None


def _rebuilt(outcome: Message) -> BaseException:
    """An exception of the same builtin type with the same text, or one of the same name."""
    name: str = outcome["type"].rpartition(":")[2].rpartition(".")[2]
    message: str = outcome["message"]
    base: Any = getattr(builtins, outcome["type"], None)
    if not (isinstance(base, type) and issubclass(base, BaseException)):
        base = type(name, (Exception,), {})
    error = _with_text(base, message)
    error.candidate_traceback = outcome["traceback"]
    return error


def _with_text(base: Any, message: str) -> Any:
    """An exception that shows this text, whatever its class would make of the argument."""
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


class Check:
    """One run of the tests."""

    def __init__(self, channel: serving.Channel) -> None:
        self.channel = channel

    def run(self, request: Message) -> None:
        """Handle the request `check`."""
        self.channel.send({"verdict": self._verdict(request)})

    def _verdict(self, request: Message) -> Any:
        try:
            _run_tests(request, Proxy(self.channel, request["name"]))
        except _Apart as apart:
            return {"kind": "exotic", "type": apart.kind, "where": apart.where}
        except serving.Closed:
            raise
        except BaseException as error:
            return _described(error)
        return None


def _described(error: BaseException) -> Message:
    described = describe(error)
    inner = getattr(error, "candidate_traceback", "")
    return {**described, "traceback": f"{inner}\n{described['traceback']}" if inner else described["traceback"]}


def _run_tests(request: Message, proxy: Proxy) -> None:
    module = ModuleType("codeens_tests")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    names: Dict[str, Any] = module.__dict__
    if request["prelude"]:
        _execute(request["prelude"], "<prelude>", names)
    names.pop("check", None)
    names[request["name"]] = proxy
    _execute(request["tests"], _FILE, names)
    check = names.get("check", proxy)
    if check is not proxy:
        check(proxy)


def _execute(source: str, file: str, names: Dict[str, Any]) -> None:
    lines: List[str] = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)
    exec(compile(source, file, "exec", dont_inherit=True), names)


def main(fd: int) -> None:
    """Serve the judge on an open descriptor until it closes the channel; never returns."""
    channel = serving.start(fd)
    serving.serve(channel, {"check": Check(channel).run})
