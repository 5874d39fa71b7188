"""Watches the calls of one function while tests run.

The function's code is replaced in place, so that it is watched under every name it is known by and in all threads, and
nothing else becomes slower. Only outermost calls count: a sync function has its own code back while a call of it runs.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import CodeType, FunctionType
from typing import Any, Callable, Dict, Generator, List, Optional, Set, Tuple

from .failures import describe
from .live import Live
from .values.codec import encode
from .values.coding import MAX_ITERATED, Drained, Shared, json_text
from .values.grammar import EncodeError
from .values.objects import type_name

Message = Dict[str, Any]
Args = Tuple[Any, ...]
Kwargs = Dict[str, Any]
_LOOKS_PER_CALL_KEPT = 20
_inside: ContextVar[bool] = ContextVar("codeens_inside", default=False)


class Recorder:
    """Counts entries of the target per test and keeps distinct calls, each with what came of it where that can be told.

    Args:
        keep: How many calls to keep; 0 only counts.
    """

    def __init__(self, keep: int) -> None:
        self.test = ""
        self.entered = 0
        self.dropped = 0
        """Calls seen and not kept; once many times `keep` were looked at, calls are counted here unseen."""
        self.unencodable: Set[str] = set()
        self.fresh: List[Message] = []
        self._keep = keep
        self._looks = keep * _LOOKS_PER_CALL_KEPT
        self._seen: Set[str] = set()
        self._skip = 0

    def watch(self, target: Live) -> None:
        """Begin to watch the calls of the target."""
        self._skip = int(hasattr(target.call, "__self__"))
        if not target.watched:
            self.unencodable.add(type_name(type(target.call)))
        for function in target.watched:
            _install(function, self)

    def begin(self, args: Args, kwargs: Kwargs) -> Optional[Message]:
        """Note that a call starts, and return its encoded arguments if it is to be kept."""
        self.entered += 1
        if self._looks <= 0:
            self.dropped += bool(self._keep)
            return None
        self._looks -= 1
        encoded = self._input(args, kwargs)
        key = json_text([encoded["args"], encoded["kwargs"]]) if encoded else ""
        if not encoded or key in self._seen:
            return None
        if len(self._seen) >= self._keep:
            self.dropped += 1
            return None
        self._seen.add(key)
        return encoded

    def returned(self, call: Optional[Message], value: Any, args: Args, kwargs: Kwargs) -> None:
        """A call that began is over."""
        if call:
            self._finish(call, lambda: {"kind": "returned", "value": encode(value, iterators=False)}, args, kwargs)

    def raised(self, call: Optional[Message], error: BaseException, args: Args, kwargs: Kwargs) -> None:
        """A call that began has failed."""
        if call:
            self._finish(call, lambda: describe(error), args, kwargs)

    def unknown(self, what: str) -> None:
        """A call cannot be recorded for what was done with it."""
        self.unencodable.add(what)

    def untold(self, call: Optional[Message], what: str) -> None:
        """What came of a call that began cannot be told; its input can be tried again."""
        if call:
            outcome = {"kind": "unencodable", "type": what, "where": "value"}
            self.fresh.append({"test": self.test, "input": call, "outcome": outcome})

    def _finish(self, call: Message, outcome: Callable[[], Message], args: Args, kwargs: Kwargs) -> None:
        try:
            encoded = {**outcome(), **self._arguments(args, kwargs)}
        except EncodeError as refused:
            self.untold(call, refused.type_name)
        except Exception as error:
            self.untold(call, type_name(type(error)))
        else:
            self.fresh.append({"test": self.test, "input": call, "outcome": encoded})

    def _arguments(self, args: Args, kwargs: Kwargs) -> Message:
        part = partial(encode, iterators=False, shared=Shared())
        return {
            "args": [part(value) for value in args[self._skip :]],
            "kwargs": {name: part(value) for name, value in kwargs.items()},
        }

    def _input(self, args: Args, kwargs: Kwargs) -> Optional[Message]:
        """Return the encoded arguments; None and a note where that cannot be done."""
        try:
            return self._arguments(args, kwargs)
        except EncodeError as refused:
            self.unknown(refused.type_name)
        except Exception as error:
            self.unknown(type_name(type(error)))
        return None


def _install(function: FunctionType, recorder: Recorder) -> None:
    """Give the function code that calls a hook of its own kind, and keep a copy of what it was."""
    original = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    original.__kwdefaults__ = function.__kwdefaults__
    if iscoroutinefunction(function):
        code = _code(function, "async def", "return await hook(args, kwargs)", _coroutine_hook(original, recorder))
    elif isgeneratorfunction(function):
        hook = _generator_hook(original, recorder)
        code = _code(function, "def", "return (yield from hook(args, kwargs))", hook)
    elif isasyncgenfunction(function):
        code = _code(function, "def", "return hook(args, kwargs)", _counting_hook(original, recorder))
    else:
        hook = _sync_hook(function, original, recorder)
        code = _code(function, "def", "return hook(args, kwargs)", hook)
        hook.watched = code
    function.__code__ = code
    function.__dict__["__wrapped__"] = original  # what the signature and the source are read from


def _code(function: FunctionType, define: str, statement: str, hook: Callable[[Args, Kwargs], Any]) -> CodeType:
    """Return code that passes its arguments to the hook, with as many free variables as the function has.

    The hook is a constant of the code, so no name has to be put into the module.
    """
    free = function.__code__.co_freevars
    lines = [
        "def make():",
        *(f" {name} = None" for name in free),
        f" {define} watched(*args, **kwargs):",
        "  hook = 'hook'",
        f"  {statement}",
        f"  return ({''.join(name + ',' for name in free)})",
    ]
    make = _inner(compile("\n".join(lines), __file__, "exec", dont_inherit=True))
    watched = _inner(make)
    consts: Any = tuple(hook if constant == "hook" else constant for constant in watched.co_consts)
    return watched.replace(co_consts=consts, co_name=function.__name__)


def _inner(code: CodeType) -> CodeType:
    return next(constant for constant in code.co_consts if isinstance(constant, CodeType))


class _sync_hook:  # noqa: N801 - stands beside the other hooks, which are functions
    """Swaps the function's own code in while a call runs: recursion costs no frames and is not recorded."""

    def __init__(self, function: FunctionType, original: FunctionType, recorder: Recorder) -> None:
        self.function = function
        self.original = original
        self.recorder = recorder
        self.watched = function.__code__

    def __call__(self, args: Args, kwargs: Kwargs) -> Any:
        self.function.__code__ = self.original.__code__
        try:
            call = self.recorder.begin(args, kwargs)
            value = self._run(call, args, kwargs)
            self.recorder.returned(call, value, args, kwargs)
            return value
        finally:
            self.function.__code__ = self.watched

    def _run(self, call: Optional[Message], args: Args, kwargs: Kwargs) -> Any:
        try:
            return self.original(*args, **kwargs)
        except BaseException as error:
            self.recorder.raised(call, error, args, kwargs)
            raise


def _coroutine_hook(original: FunctionType, recorder: Recorder) -> Callable[[Args, Kwargs], Any]:
    async def hook(args: Args, kwargs: Kwargs) -> Any:
        if _inside.get():
            return await original(*args, **kwargs)
        token = _inside.set(True)
        call = recorder.begin(args, kwargs)
        try:
            value = await original(*args, **kwargs)
        except BaseException as error:
            recorder.raised(call, error, args, kwargs)
            raise
        finally:
            _inside.reset(token)
        recorder.returned(call, value, args, kwargs)
        return value

    return hook


def _counting_hook(original: FunctionType, recorder: Recorder) -> Callable[[Args, Kwargs], Any]:
    """For async generators: what is read of one is the caller's affair and is not followed."""

    def hook(args: Args, kwargs: Kwargs) -> Any:
        recorder.entered += 1
        recorder.unknown("async_generator")
        return original(*args, **kwargs)

    return hook


def _generator_hook(original: FunctionType, recorder: Recorder) -> Callable[[Args, Kwargs], Any]:
    run: Callable[..., Generator[Any, Any, Any]] = original

    def hook(args: Args, kwargs: Kwargs) -> Generator[Any, Any, Any]:
        if _inside.get():
            return (yield from run(*args, **kwargs))
        call = recorder.begin(args, kwargs)
        generator: Any = run(*args, **kwargs)
        items: List[Any] = []
        step: Callable[[], Any] = partial(next, generator)
        while True:
            try:
                item = _advance(step)
            except StopIteration as stop:
                _exhausted(recorder, call, items, args, kwargs)
                return stop.value
            except BaseException as error:
                recorder.raised(call, error, args, kwargs)
                raise
            if len(items) <= MAX_ITERATED:
                items.append(item)
            try:
                sent = yield item
            except GeneratorExit:
                recorder.untold(call, "generator")
                generator.close()
                raise
            except BaseException as error:
                call, step = None, partial(generator.throw, error)
            else:
                call, step = call if sent is None else None, partial(generator.send, sent)

    return hook


def _advance(step: Callable[[], Any]) -> Any:
    token = _inside.set(True)
    try:
        return step()
    finally:
        _inside.reset(token)


def _exhausted(recorder: Recorder, call: Optional[Message], items: List[Any], args: Args, kwargs: Kwargs) -> None:
    more = len(items) > MAX_ITERATED
    recorder.returned(call, Drained("generator", items[:MAX_ITERATED], more), args, kwargs)
