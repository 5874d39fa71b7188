"""What runs while the clock of a race runs: passes of calls, written out as a caller writes them.

A call through `*args` or `partial` costs more than the one in a user's code, and hides from the interpreter what it
could specialise. So the loop is made for the shape that the calls of a pass have in common, and a second one, with
nothing in place of the call, tells what the loop itself takes.
"""

from __future__ import annotations

import gc
from keyword import iskeyword
from types import FunctionType, ModuleType
from typing import Any, Callable, Dict, List, Set

from .calling import Arguments, decode_arguments, settle

# Results of these types need no settling; asking costs less than the call would.
_SETTLED = frozenset((type(None), bool, int, float, str, bytes, list, tuple, dict, set, frozenset))
_NOT_DATA = (type, ModuleType, FunctionType)
_MOST_NAMED = 50
_LOOP = """
def run(function, passes, results):
    for rows in passes:
        for {row} in rows:
            try:
                {copied}{body}
            except BaseException as error:
                results[index] = failed(error)
"""
_PLAIN = "results[index] = {call}"
_SETTLING = """value = {call}
                results[index] = value if type(value) in settled else settle(value, once)"""
_IDLE = "results[index] = None"
_COPY = "%s = %s.copy()\n                "
_GIVEN = "given[index] = (%s,)\n                "
Run = Callable[[Callable[..., Any], List[List[Any]], List[Any]], None]


class Failed:
    """What a call raised, kept until the clock has stopped."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Inputs:
    """The calls of one pass, their decoded arguments by copy, and the loops over them."""

    def __init__(self, calls: List[Dict[str, Any]], copies: List[List[Arguments]]) -> None:
        """`copies`: the first one is for rehearsals and for passes that change nothing."""
        self.calls = calls
        self.copies = copies
        self.objects = [_objects([copy[index] for copy in copies]) for index in range(len(calls))]
        shape = _shape(copies)
        self.rows = [
            [_row(index, arguments, shape is not None) for index, arguments in enumerate(copy)] for copy in copies
        ]
        self._shape = shape
        self._needs_settling = False
        self._given: List[Any] = [None] * len(calls)
        self._loops = {
            (body, copied): self._made(shape, body, copied)
            for body in (_PLAIN, _SETTLING, _IDLE)
            for copied in (False, True)
        }

    def arguments(self, group: slice, request: Dict[str, Any]) -> List[Arguments]:
        """Return the arguments that the last pass of a sample has had."""
        if request["arguments"] != "copied":
            return self.copies[request["inner"] if request["arguments"] == "own" else 0][group]
        count, names = self._shape
        return [(list(given[:count]), dict(zip(names, given[count:]))) for given in self._given[group]]  # noqa: B905

    def _settle(self, value: Any, run: Callable[[Any], Any]) -> Any:
        settled = settle(value, run)
        self._needs_settling = self._needs_settling or settled is not value
        return settled

    def rehearse(self, function: Callable[..., Any], calls: slice, results: List[Any]) -> None:
        """Run calls once, and see whether the function's results need settling: few do, and it takes time to ask."""
        rows = self.rows[0][calls]
        self._needs_settling = not rows
        self._loops[_SETTLING, self._shape is not None](function, [rows], results)

    def loop(self, request: Dict[str, Any]) -> Run:
        """Return what runs the passes of a sample."""
        body = _IDLE if request["idle"] else _SETTLING if self._needs_settling else _PLAIN
        return self._loops[body, request["arguments"] == "copied"]

    def _made(self, shape: Any, body: str, copied: bool) -> Run:
        copies = ""
        if shape is None:
            row, call = "index, args, kwargs", "function(*args, **kwargs)"
        else:
            count, names = shape
            places = ["a%d" % index for index in range(count + len(names))]
            row = "index, " + ", ".join(places)
            given = [*places[:count], *("%s=a%d" % (name, count + index) for index, name in enumerate(names))]
            call = "function(%s)" % ", ".join(given)
            if copied and places:
                first = self.rows[0][0][1:]
                lists = [place for index, place in enumerate(places) if type(first[index]) is list]
                copies = "".join(_COPY % (place, place) for place in lists) + _GIVEN % ", ".join(places)
        scope: Dict[str, Any] = {
            "settled": _SETTLED,
            "settle": self._settle,
            "failed": Failed,
            "once": _Loop().run,
            "given": self._given,
        }
        exec(_LOOP.format(row=row, copied=copies, body=body.format(call=call)), scope)
        return scope["run"]


def decoded(calls: List[Dict[str, Any]], copies: int) -> Inputs:
    """Decode the arguments of calls, each as often as there are to be copies."""
    return Inputs(calls, [[decode_arguments(call) for call in calls] for _ in range(copies)])


def _shape(copies: List[List[Arguments]]) -> Any:
    """Return how many arguments all calls have and the names of further ones; None where they are not alike."""
    shapes = {(len(args), tuple(kwargs)) for copy in copies for args, kwargs in copy}
    if len(shapes) != 1:
        return None
    (shape,) = shapes
    count, names = shape
    if count + len(names) > _MOST_NAMED or not all(name.isidentifier() and not iskeyword(name) for name in names):
        return None
    return shape


def _row(index: int, arguments: Arguments, flat: bool) -> Any:
    args, kwargs = arguments
    return (index, *args, *kwargs.values()) if flat else (index, args, kwargs)


class _Loop:
    """One event loop for all coroutines of a process, made when the first one comes."""

    def __init__(self) -> None:
        self._loop: Any = None

    def run(self, coroutine: Any) -> Any:
        if self._loop is None:
            import asyncio

            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(coroutine)


def _objects(roots: List[Any]) -> List[Any]:
    """Return all objects that data is made of."""
    found: List[Any] = []
    seen: Set[int] = set()
    left = list(roots)
    while left:
        item = left.pop()
        if id(item) not in seen and not isinstance(item, _NOT_DATA):
            seen.add(id(item))
            found.append(item)
            left.extend(gc.get_referents(item))
    return found
