"""Settings that hold for the whole process: of the interpreter, and of modules of its standard library.

Each is read as plain data that can be compared. What is counted (threads, functions called at exit) cannot be put back,
so that what came up during a call is told.
"""

from __future__ import annotations

import gc
import io
import operator
import os
import signal
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any, Callable, Dict, List, Tuple

from .log_settings import LOGGING
from .settings import LIBRARIES, Setting, name_of
from .values.codec import encode
from .values.objects import type_name

_THRESHOLDS = gc.get_threshold()
_PATIENCE_S = 0.05
"""For threads that are about to end."""
_type_of: Callable[[Any], Any] = type
_getsignal: Callable[[int], Any] = sys.modules["_signal"].__dict__["getsignal"]
"""The one of `signal` makes an enum of each answer."""


def begin_alike() -> None:
    """Let the process begin as any other does: one that was forked from a warm one looks for garbage later."""
    gc.set_threshold(*_THRESHOLDS)


class ProcessSettings:
    """As they were when this was made; `taken` tells what has changed since, and puts it back."""

    def __init__(self) -> None:
        self._before: Dict[str, Any] = {}
        self._counted: Dict[str, int] = {}
        self._modules: Dict[str, Any] = {}
        self.look_again()

    def look_again(self) -> bool:
        """Take in how modules that were loaded since have left everything; whether there are any."""
        if len(sys.modules) == len(self._modules):
            return False
        loaded = [name for name, setting in _SETTINGS.items() if setting.module in sys.modules]
        new = [name for name in loaded if name not in self._before]
        for name in new:
            self._before[name] = _SETTINGS[name].read(sys.modules[_SETTINGS[name].module])
        self._counted = {name: count() for name, count in _COUNTED.items()}
        self._modules = dict(sys.modules)
        return True

    def taken(self) -> Dict[str, Any]:
        """Return what changed, encoded, by channel."""
        changes: Dict[str, Any] = {}
        for name, before in self._before.items():
            setting = _SETTINGS[name]
            module = sys.modules.get(setting.module)
            now = before if module is None else setting.read(module)
            if now != before:
                changes[name] = encode(setting.told(now) if setting.told else now)
                with suppress(Exception):  # then later calls find it as it is, as they would outside
                    setting.put(module, before)
        for name, count in _COUNTED.items():
            now = count()
            if now > self._counted[name] and name == "threads":
                _wait_for_threads(self._counted[name])
                now = count()
            if now > self._counted[name]:
                changes[name] = now - self._counted[name]
            self._counted[name] = now
        replaced = self._replaced_modules()
        if replaced:
            changes["modules"] = encode(replaced)
        return changes

    def told(self) -> Dict[str, Any]:
        """Return how things are, by channel."""
        found: Dict[str, Any] = {name: count() for name, count in _COUNTED.items()}
        for name in self._before:
            setting = _SETTINGS[name]
            now = setting.read(sys.modules[setting.module])
            found[name] = setting.told(now) if setting.told else now
        return found

    def _replaced_modules(self) -> List[str]:
        """Return names of modules that are gone or replaced, and put them back."""
        now = sys.modules
        if len(now) == len(self._modules) and all(map(operator.is_, now.values(), self._modules.values())):
            return []
        found = [name for name, module in self._modules.items() if now.get(name) is not module]
        for name in found:
            now[name] = self._modules[name]
        return sorted(found)


class Attributes:
    """Public names of modules that others made: what a call binds there, everybody sees."""

    def __init__(self, modules: Dict[str, Any]) -> None:
        spaces: List[Tuple[str, Dict[str, Any]]] = [(name, vars(module)) for name, module in modules.items()]
        self._names = [(name, now, dict(now)) for name, now in spaces]

    def taken(self) -> Dict[str, Any]:
        """Return what changed, encoded, by channel, and put it back."""
        changes: Dict[str, Any] = {}
        for module, now, before in self._names:
            if len(now) == len(before) and all(map(_is, now.values(), before.values())):
                continue
            for name in sorted(name for name in {*now, *before} if _type_of(name) is str):
                if now.get(name, _is) is not before.get(name, _is):
                    self._take(f"{module}.{name}", name, now, before, changes)
        return changes

    def _take(self, path: str, name: str, now: Dict[str, Any], before: Dict[str, Any], changes: Dict[str, Any]) -> None:
        if name not in before and (name.startswith("_") or _is_loaded_late(now[name])):
            before[name] = now[name]
            return
        if name.startswith("_") or (path == _BOUND_WHEN_ASKED and before.get(name) is None and _is_usual_place(now)):
            before[name] = now.get(name)
            return
        changes[f"attribute {path}"] = _named(now[name]) if name in now else ["notimplemented"]
        if name in before:
            now[name] = before[name]
        else:
            del now[name]


_BOUND_WHEN_ASKED = "tempfile.tempdir"
"""To ask beforehand would write a file, which ends a warm worker."""


def _is_usual_place(names: Dict[str, Any]) -> bool:
    """Whether `tempfile` has found its folder by itself, which it does when it is first asked."""
    found, names["tempdir"] = names.get("tempdir"), None
    try:
        return names["gettempdir"]() == found
    except OSError:
        return False
    finally:
        names["tempdir"] = found


def _is(one: Any, other: Any) -> bool:
    return one is other


def _is_loaded_late(value: Any) -> bool:
    """Whether it is such as modules bind when they are first asked for it."""
    return callable(value) or isinstance(value, ModuleType)


def _named(value: Any) -> Any:
    try:
        return encode(value, iterators=False)
    except Exception:
        return name_of(value)


# What is read, and how it is put back


def _filters(warnings: Any) -> Any:
    return tuple(warnings.filters)


def _put_filters(warnings: Any, before: Any) -> None:
    warnings.resetwarnings()
    warnings.filters[:] = before


def _told_filters(filters: Any) -> Any:
    return [
        (action, getattr(text, "pattern", text), category.__qualname__, getattr(module, "pattern", module), line)
        for action, text, category, module, line in filters
    ]


_OF_CONTEXT = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")


def _context(decimal: Any) -> Any:
    context = decimal.getcontext()
    traps = tuple(sorted(signal.__name__ for signal, is_on in context.traps.items() if is_on))
    return (*(getattr(context, name) for name in _OF_CONTEXT), traps)


def _put_context(decimal: Any, before: Any) -> None:
    traps = [getattr(decimal, name) for name in before[-1]]
    fields = {name: before[index] for index, name in enumerate(_OF_CONTEXT)}
    decimal.setcontext(decimal.Context(**fields, traps=traps))


def _locale(locale: Any) -> str:
    return locale.setlocale(locale.LC_ALL)


def _signals(_: Any) -> Any:
    return {number: handler for number in _SIGNALS if (handler := _getsignal(number)) is not None}


def _put_signals(_: Any, before: Any) -> None:
    for number, handler in before.items():
        if _getsignal(number) is not handler:
            signal.signal(number, handler)


def _told_signals(handlers: Any) -> Any:
    usual = (signal.SIG_DFL, signal.SIG_IGN)
    return [(int(n), int(h) if h in usual else name_of(h)) for n, h in sorted(handlers.items()) if h != signal.SIG_DFL]


_SIGNALS = sorted(map(int, signal.Signals))


def _umask(_: Any) -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _put_path(_: Any, before: Any) -> None:
    sys.path[:] = before


def _collector(_: Any) -> Tuple[Any, ...]:
    return gc.isenabled(), gc.get_threshold(), gc.get_debug(), (*gc.callbacks,)


def _put_collector(_: Any, before: Tuple[Any, ...]) -> None:
    (gc.enable if before[0] else gc.disable)()
    gc.set_threshold(*before[1])
    gc.set_debug(before[2])
    gc.callbacks[:] = before[3]


def _told_collector(state: Tuple[Any, ...]) -> Any:
    return [*state[:3], [*map(name_of, state[3])]]


def _put_arguments(_: Any, before: Any) -> None:
    sys.argv[:] = before


def _digits(_: Any) -> int:
    return sys.get_int_max_str_digits() if hasattr(sys, "get_int_max_str_digits") else 0


def _limits(resource: Any) -> Any:
    return {name: resource.getrlimit(getattr(resource, name)) for name in _LIMITS if hasattr(resource, name)}


def _put_limits(resource: Any, before: Any) -> None:
    for name, limit in before.items():
        resource.setrlimit(getattr(resource, name), limit)


_LIMITS = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_STACK")


def _policy(events: Any) -> Any:
    """Return the policy that was set; the usual one is made when it is first asked for."""
    policy = events.__dict__.get("_event_loop_policy")
    return None if policy is None or _type_of(policy).__module__.startswith("asyncio") else policy


def _put_policy(events: Any, before: Any) -> None:
    events.set_event_loop_policy(before)


def _loop(events: Any) -> Any:
    """Return the event loop that is set; with one that is closed nobody can do more than with none."""
    loop = _held_loop(events).get("_loop")
    return None if loop is None or loop.is_closed() else loop


def _put_loop(events: Any, before: Any) -> None:
    _held_loop(events)["_loop"] = before


def _held_loop(events: Any) -> Dict[str, Any]:
    """Return what the policy that is set keeps for this thread; a policy of another kind keeps it where it likes."""
    local: Any = getattr(events.__dict__.get("_event_loop_policy"), "_local", None)
    return {} if local is None else local.__dict__


def _blocked(module: Any) -> Any:
    return (
        frozenset(map(int, module.pthread_sigmask(module.SIG_BLOCK, ()))) if hasattr(module, "pthread_sigmask") else 0
    )


def _put_blocked(module: Any, before: Any) -> None:
    module.pthread_sigmask(module.SIG_SETMASK, before)


def _timers(module: Any) -> Any:
    kinds = ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")
    return tuple(name for name in kinds if hasattr(module, name) and module.getitimer(getattr(module, name))[0])


def _put_timers(module: Any, before: Tuple[str, ...]) -> None:
    for name in set(_timers(module)).difference(before):
        module.setitimer(getattr(module, name), 0)


def _hooks(_: Any) -> Tuple[Any, ...]:
    return (*sys.get_asyncgen_hooks(), sys.get_coroutine_origin_tracking_depth())


def _put_hooks(_: Any, before: Tuple[Any, ...]) -> None:
    sys.set_asyncgen_hooks(*before[:2])
    sys.set_coroutine_origin_tracking_depth(before[2])


def _told_hooks(state: Tuple[Any, ...]) -> Any:
    return [*(None if hook is None else name_of(hook) for hook in state[:2]), state[2]]


def _streams(_: Any) -> Any:
    return {name: _form(stream) for name in ("stdin", "stdout", "stderr") if (stream := getattr(sys, name, None))}


def _form(stream: Any) -> Any:
    names = ("encoding", "errors", "line_buffering", "write_through")
    return tuple(getattr(stream, name) for name in names) if _type_of(stream) is io.TextIOWrapper else None


def _put_streams(_: Any, before: Any) -> None:
    for name, form in before.items():
        if form is not None and _form(getattr(sys, name)) not in (None, form):
            encoding, errors, buffered, through = form
            getattr(sys, name).reconfigure(
                encoding=encoding, errors=errors, line_buffering=buffered, write_through=through
            )


def _tracers(_: Any) -> Tuple[Any, Any]:
    return sys.gettrace(), sys.getprofile()


def _put_tracers(_: Any, before: Tuple[Any, Any]) -> None:
    sys.settrace(before[0])
    sys.setprofile(before[1])


def _threads_tracers(threading: Any) -> Tuple[Any, Any]:
    return threading.__dict__.get("_trace_hook"), threading.__dict__.get("_profile_hook")


def _put_threads_tracers(threading: Any, before: Tuple[Any, Any]) -> None:
    threading.settrace(before[0])
    threading.setprofile(before[1])


def _told_tracers(tracers: Tuple[Any, Any]) -> Any:
    return [None if tracer is None else name_of(tracer) for tracer in tracers]


def _type_name(value: Any) -> Any:
    return None if value is None else type_name(_type_of(value))


_SETTINGS: Dict[str, Setting] = {
    **LOGGING,
    **LIBRARIES,
    "warning filters": Setting("warnings", _filters, _put_filters, _told_filters),
    "decimal context": Setting("decimal", _context, _put_context),
    "locale": Setting("locale", _locale, lambda locale, before: locale.setlocale(locale.LC_ALL, before)),
    "signal handlers": Setting("signal", _signals, _put_signals, _told_signals),
    "umask": Setting("os", _umask, lambda _, before: os.umask(before)),
    "socket timeout": Setting(
        "socket",
        lambda socket: socket.getdefaulttimeout(),
        lambda socket, before: socket.setdefaulttimeout(before),
    ),
    "recursion limit": Setting(
        "sys", lambda _: sys.getrecursionlimit(), lambda _, before: sys.setrecursionlimit(before)
    ),
    "import path": Setting("sys", lambda _: tuple(sys.path), _put_path),
    "garbage collector": Setting("gc", _collector, _put_collector, _told_collector),
    "arguments": Setting("sys", lambda _: tuple(sys.argv), _put_arguments),
    "switch interval": Setting(
        "sys", lambda _: sys.getswitchinterval(), lambda _, before: sys.setswitchinterval(before)
    ),
    "digits of integers": Setting("sys", _digits, lambda _, before: sys.set_int_max_str_digits(before)),
    "stack size of threads": Setting(
        "threading",
        lambda threading: threading.stack_size(),
        lambda threading, before: threading.stack_size(before),
    ),
    "event loop": Setting("asyncio.events", _loop, _put_loop, _type_name),
    "signals that are blocked": Setting("signal", _blocked, _put_blocked, sorted),
    "timers": Setting("signal", _timers, _put_timers, list),
    "hooks of coroutines": Setting("sys", _hooks, _put_hooks, _told_hooks),
    "form of standard streams": Setting("sys", _streams, _put_streams),
    "flags of dlopen": Setting("sys", lambda _: sys.getdlopenflags(), lambda _, before: sys.setdlopenflags(before)),
    "event loop policy": Setting("asyncio.events", _policy, _put_policy, _type_name),
    "trace functions": Setting("sys", _tracers, _put_tracers, _told_tracers),
    "trace functions of threads": Setting("threading", _threads_tracers, _put_threads_tracers, _told_tracers),
    "resource limits": Setting("resource", _limits, _put_limits),
}


def _threads() -> int:
    threading = sys.modules.get("threading")
    return threading.active_count() if threading else 0


def _children() -> int:
    """Return how many child processes there are, also those that have ended and are not waited for."""
    if not hasattr(os, "waitid"):
        return 0
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except OSError:
        return 0
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:  # noqa: PTH123 - as in files
            return len(file.read().split())
    except OSError:
        return 1


def _niceness() -> int:
    # `os.nice(0)` would set what it is, which ends a warm worker.
    return os.getpriority(os.PRIO_PROCESS, 0) if hasattr(os, "getpriority") else 0


def _finalizers() -> int:
    weakref = sys.modules.get("weakref")
    return len(weakref.finalize.__dict__["_registry"]) if weakref else 0


def _at_exit() -> int:
    atexit = sys.modules.get("atexit")
    return atexit.__dict__["_ncallbacks"]() if atexit else 0


_COUNTED: Dict[str, Callable[[], int]] = {
    "threads": _threads,
    "child processes": _children,
    "at exit": _at_exit,
    "niceness": _niceness,
    "finalizers": _finalizers,
}


def _wait_for_threads(usual: int) -> None:
    threading = sys.modules["threading"]
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and _threads() > usual:
            thread.join(_PATIENCE_S)
