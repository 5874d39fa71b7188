"""One call: decoded arguments, the call, and what came of it, encoded."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from types import AsyncGeneratorType, CoroutineType
from typing import Any, Callable, Dict, List, Tuple

from .awaiting import AwaitedManager, is_async_context_manager
from .failures import describe
from .values.codec import decode_all, encode
from .values.coding import MAX_ITERATED, Drained, drain
from .values.grammar import EncodeError
from .values.objects import is_lazy, type_name

Arguments = Tuple[List[Any], Dict[str, Any]]
RunCoroutine = Callable[[Any], Any]
_type_of: Callable[[Any], Any] = type
_IMMUTABLE = frozenset((type(None), bool, int, float, complex, str, bytes))
_SETTLED = _IMMUTABLE.union((list, tuple, dict, set, frozenset))
_text: Callable[[Any], str] = repr
"""Of encoded values: equal ones have equal texts, and `1`, `1.0` and `True` differ."""


def decode_arguments(call: Dict[str, Any]) -> Arguments:
    """Return fresh arguments of one `programs.CallInput`."""
    return decode_all(call["args"], call["kwargs"])


def run_coroutine(coroutine: Any) -> Any:
    """Run a coroutine in an event loop of its own."""
    import asyncio

    return asyncio.run(coroutine)


def settle(value: Any, run: RunCoroutine = run_coroutine) -> Any:
    """Run a coroutine, read an iterator: return what a caller gets in the end."""
    kind = _type_of(value)
    if kind in _SETTLED:
        return value
    if kind is CoroutineType:
        return settle(run(value), run)
    if kind is AsyncGeneratorType:
        return run(_drain_async(value))
    if is_lazy(kind):
        return drain(value)
    if is_async_context_manager(kind):
        return _passed_through(AwaitedManager(value))
    return _passed_through(value) if is_context_manager(kind) else value


def is_context_manager(kind: Any) -> bool:
    """Whether instances are what functions under `contextlib.contextmanager` return."""
    return type_name(kind) == "contextlib:_GeneratorContextManager"


def _passed_through(manager: Any) -> Drained:
    with manager as value:
        return Drained("context manager", [value], False)


async def _drain_async(generator: Any) -> Drained:
    items: List[Any] = []
    async for item in generator:
        if len(items) == MAX_ITERATED:
            await generator.aclose()
            return Drained("async_generator", items, True)
        items.append(item)
    return Drained("async_generator", items, False)


def perform(function: Callable[..., Any], call: Dict[str, Any]) -> Dict[str, Any]:
    """Call the function and return the fields of an answer: `outcome`, and `same` where the arguments are unchanged."""
    try:
        arguments = decode_arguments(call)
    except BaseException as error:
        outcome = describe(error)
        return {"outcome": {**outcome, "message": f"the arguments cannot be made here: {outcome['message']}"}}
    try:
        value = settle(function(*arguments[0], **arguments[1]))
    except BaseException as error:
        return finish(describe(error), call, arguments)
    return answer(value, call, arguments)


def answer(value: Any, call: Dict[str, Any], arguments: Arguments) -> Dict[str, Any]:
    """Return the fields of an answer for a call that returned."""
    try:
        outcome = {"kind": "returned", "value": encode(value)}
    except EncodeError as refused:
        return {"outcome": {"kind": "unencodable", "type": refused.type_name, "where": "value"}}
    except BaseException as error:
        outcome = describe(error)
    return finish(outcome, call, arguments)


def finish(outcome: Dict[str, Any], call: Dict[str, Any], arguments: Arguments) -> Dict[str, Any]:
    """Add the arguments as the call left them."""
    if not arguments[1] and _IMMUTABLE.issuperset(map(_type_of, arguments[0])):
        return {"outcome": outcome, "same": True}
    where = ""
    try:
        args: List[Any] = []
        for index, value in enumerate(arguments[0]):
            where = str(index)
            args.append(encode(value))
        kwargs: Dict[str, Any] = {}
        for where, value in arguments[1].items():
            kwargs[where] = encode(value)
    except EncodeError as refused:
        return {"outcome": {"kind": "unencodable", "type": refused.type_name, "where": where}}
    except BaseException as error:
        return {"outcome": describe(error)}
    if _text(args) == _text(call["args"]) and (not kwargs or _text(kwargs) == _text(call["kwargs"])):
        return {"outcome": outcome, "same": True}
    return {"outcome": {**outcome, "args": args, "kwargs": kwargs}}


_DICTS = (dict, OrderedDict, defaultdict, Counter)


def copy_back(left: Any, own: Any) -> Any:
    """Change `own`, and what it holds, in place to equal `left`; returns what stands for `left` afterwards.

    Where both have a container of the same type at the same place the caller's stays the same object.
    """
    kind = _type_of(own)
    if kind is not _type_of(left):
        return left
    if kind is list:
        own[:] = _merged(left, own)
    elif kind is tuple:
        merged = _merged(left, own)
        same = len(merged) == len(own) and all(merged[index] is item for index, item in enumerate(own))
        return own if same else tuple(merged)
    elif kind in _DICTS:
        merged = {key: copy_back(value, own[key]) if key in own else value for key, value in left.items()}
        own.clear()
        own.update(merged)
    elif kind is set:
        if own != left:  # an unchanged one keeps the order in which it iterates
            own.clear()
            own.update(left)
    elif kind is bytearray:
        own[:] = left
    elif kind is deque:
        merged = _merged(left, own)
        own.clear()
        own.extend(merged)
    else:
        return left
    return own


def _merged(left: Any, own: Any) -> List[Any]:
    """Return the items of `left`, where possible as the caller's objects."""
    return [copy_back(item, own[index]) if index < len(own) else item for index, item in enumerate(left)]
