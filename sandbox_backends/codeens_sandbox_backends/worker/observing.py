"""What can be seen of calls from inside, at the price of their speed: allocations, lines that ran, how often."""

from __future__ import annotations

import sys
from types import CodeType, FrameType, FunctionType
from typing import Any, Callable, Dict, Iterator, List, Sequence, Set

from .calling import settle


class AllocationWatch:
    """Stands for a function; after a call `peak` is the most that it had allocated, in bytes (tracemalloc).

    Code that asks tracemalloc is told that nothing is traced, and cannot stop, reset or clear what is. Once it has done
    so in another way, `peak` is -1.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        import tracemalloc

        self._function = function
        self._memory = tracemalloc.get_traced_memory
        self._reset = tracemalloc.reset_peak
        self._traceback = tracemalloc.get_object_traceback
        self.peak = 0
        tracemalloc.start()
        self._witness = bytearray(64)
        """Traced as long as nothing is cleared."""
        _keep_to_itself(tracemalloc)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        before, _ = self._memory()
        self._reset()
        try:
            return settle(self._function(*args, **kwargs))
        finally:
            _, peak = self._memory()
            self.peak = max(0, peak - before) if self._traceback(self._witness) else -1


def _keep_to_itself(tracemalloc: Any) -> None:
    """Take away the ways to see or change what is traced."""
    answers: Dict[str, Any] = dict.fromkeys(("start", "stop", "clear_traces", "reset_peak"))
    answers.update(is_tracing=False, get_traced_memory=(0, 0), get_tracemalloc_memory=0)
    for name, answer in answers.items():
        for module in (tracemalloc, sys.modules["_tracemalloc"]):
            setattr(module, name, _always(answer))


def _always(answer: Any) -> Callable[..., Any]:
    return lambda *_, **__: answer


class LineCount:
    """Stands for a function; counts how often each of its lines ran, in whatever thread.

    Args:
        functions: made by one definition; those that they define are counted too.
    """

    def __init__(self, function: Callable[..., Any], functions: Sequence[FunctionType]) -> None:
        import threading

        self.times: Dict[int, int] = {}
        """By line of the module."""
        self._threading: Any = threading
        self._function = function
        self._body: Set[int] = body_lines(functions[0].__code__) if functions else set()
        self._codes = {code for each in functions for code in _codes(each.__code__)}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        before = sys.gettrace()
        before_in_threads = self._threading.__dict__["_trace_hook"]  # a function that tells it came with Python 3.10
        self._threading.settrace(self._enter)
        sys.settrace(self._enter)
        try:
            return settle(self._function(*args, **kwargs))
        finally:
            sys.settrace(before)
            self._threading.settrace(before_in_threads)

    def lines(self) -> Dict[str, List[int]]:
        """Return the `total` lines of the function's body, and which of them were `hit`; none where it is not known."""
        return {"hit": sorted(self._body.intersection(self.times)), "total": sorted(self._body)}

    def _enter(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return self._count if frame.f_code in self._codes else None

    def _count(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            self.times[frame.f_lineno] = self.times.get(frame.f_lineno, 0) + 1
        return self._count


def body_lines(code: CodeType) -> Set[int]:
    """Return the lines of a function that hold code: its docstring, its `def` and its decorators do not count.

    A body on the line of its `def` counts as that line.
    """
    lines = _lines(code)
    return lines - {code.co_firstlineno} or lines


def _lines(code: CodeType) -> Set[int]:
    import dis

    return {line for each in _codes(code) for _, line in dis.findlinestarts(each) if line}


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function, and of all that is defined inside of it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
