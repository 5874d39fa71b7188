"""Reads what a call returned step by step: generators, other iterators of the language, and context managers.

How far the arguments that are iterators were read, what was written, and what state was left, is looked at when the
call has returned, and after each item: whether work is done when it is asked for is part of what a function does.
"""

from __future__ import annotations

from types import GeneratorType, MappingProxyType
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

from .awaiting import AwaitedItems, AwaitedManager, in_step
from .calling import is_context_manager, settle
from .failures import describe
from .values.codec import encode
from .values.coding import MAX_ITERATED, Drained
from .values.grammar import EncodeError
from .values.objects import is_lazy

Look = Callable[[bool], Any]
"""Returns what was read, written and, if asked, changed up to now, encoded."""
_MOST_STEPS = 50
NOTHING = (None,) * 5
NUMBERS, TEXTS = (2, 3, 5, 7, 0), ("a", "bc", "", "d", "a")
"""What is sent to a generator: what adds up, or else what can be a name."""
_LEFT = (GeneratorType, AwaitedItems)
_type_of: Callable[[Any], Any] = type


class Made(NamedTuple):
    """How a call ended."""

    value: List[Any]
    """Its settled result, which nothing else holds; empty where it raised."""
    error: Optional[BaseException] = None
    iterated: Mapping[str, Any] = MappingProxyType({})
    """Of a result that was read in steps: the `steps`; what was `yielded` before an error; what was `returned` last."""
    can_be_left: bool = False
    """Whether a caller may leave the result before its end."""


def make(call: Callable[[], Any], look: Look) -> Made:
    """Call, and read what is returned to its end."""
    before = look(False)
    try:
        value = call()
    except BaseException as error:
        return Made([], error)
    value = in_step(value)
    kind = _type_of(value)
    if _is_manager(value):
        return _entered(value, look, before)
    if kind is AwaitedItems or is_lazy(kind):
        return _read(value, look, before)
    try:
        return Made([settle(value)])
    except BaseException as error:
        return Made([], error)


def _read(iterator: Any, look: Look, before: Any) -> Made:
    leaves = _type_of(iterator) in _LEFT
    steps = [look(True)]
    items: List[Any] = []
    returned: Any = None
    while len(items) <= MAX_ITERATED:
        try:
            items.append(next(iterator))
        except StopIteration as stop:
            returned = stop.value
            break
        except BaseException as error:
            return Made([], error, {**_told(steps, before), "yielded": items}, leaves)
        if len(steps) < _MOST_STEPS:
            steps.append(look(len(items) == 1))
    more = len(items) > MAX_ITERATED
    iterated = _told(steps, before)
    if returned is not None:
        iterated["returned"] = returned
    name = "async_generator" if _type_of(iterator) is AwaitedItems else _type_of(iterator).__name__
    return Made([Drained(name, items[:MAX_ITERATED], more)], None, iterated, leaves)


def _entered(manager: Any, look: Look, before: Any) -> Made:
    steps = [look(True)]
    try:
        value = manager.__enter__()
        steps.append(look(True))
        manager.__exit__(None, None, None)
    except BaseException as error:
        return Made([], error, _told(steps, before), True)
    return Made([Drained("context manager", [value], False)], None, _told(steps, before), True)


def _is_manager(value: Any) -> bool:
    kind = _type_of(value)
    return kind is AwaitedManager or is_context_manager(kind)


def _left_by(manager: Any, kind: Any) -> Made:
    """Enter a context manager, raise in its body, and tell whether it lets that through."""
    manager.__enter__()
    return Made([bool(manager.__exit__(kind, kind.__new__(kind), None))])


def _told(steps: List[Any], before: Any) -> Dict[str, Any]:
    return {} if all(step == before for step in steps) else {"steps": steps}


def send_into(call: Callable[[], Any], values: Sequence[Any], look: Look) -> List[Any]:
    """Call, and send values into the generator that is returned; what it does after each, encoded."""
    told: List[Any] = []
    try:
        generator = call()
        if _type_of(generator) is not GeneratorType:
            return told
        told.append(_encoded(next(generator)))
        for value in values:
            item = generator.send(value)
            told.append(["tuple", _encoded(item), look(False)])
        generator.close()
    except StopIteration as stop:
        told.append(["tuple", "returns", _encoded(stop.value)])
    except BaseException as error:
        told.append(["tuple", "raises", describe(error)["type"]])
    return told


def _encoded(value: Any) -> Any:
    try:
        return encode(value, iterators=False)
    except EncodeError as error:
        return error.type_name


def throw_into(call: Callable[[], Any], kind: Any = ZeroDivisionError) -> Made:
    """Call, and throw an exception into the generator that is returned, in its middle; or into the body of a `with`."""
    try:
        value = in_step(call())
        if _is_manager(value):
            return _left_by(value, kind)
        if _type_of(value) is not GeneratorType:
            return Made([None])
        next(value, None)
        yielded = value.throw(kind.__new__(kind))
        value.close()
        return Made([yielded])
    except StopIteration as stop:
        return Made([["ends", stop.value]])
    except BaseException as error:
        return Made([], error)


def leave_early(call: Callable[[], Any]) -> Made:
    """Call, and leave what is returned in the middle: close a generator, raise in the body of a context manager."""
    try:
        value = in_step(call())
        if _is_manager(value):
            return _left_by(value, ZeroDivisionError)
        if _type_of(value) in _LEFT:
            next(value, None)
            value.close()
        return Made([None])
    except BaseException as error:
        return Made([], error)
