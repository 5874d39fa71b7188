"""Settings that hold for the whole process: of the interpreter, and of modules of its standard library.

Each is read as plain data that can be compared. What is counted (threads, functions called at exit) cannot be put back,
so that what came up during a call is told.
"""

from __future__ import annotations

import gc
import operator
import os
import signal
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Tuple

from .values.codec import encode
from .values.objects import type_name

_PATIENCE_S = 0.05
"""For threads that are about to end."""
_PLAIN_LOGGER = (0, (), (), True, False)
_type_of: Callable[[Any], Any] = type
_getsignal: Callable[[int], Any] = sys.modules["_signal"].__dict__["getsignal"]
"""The one of `signal` makes an enum of each answer."""


_One = Callable[[Any], Any]


class _Setting:
    """Something that can be read and put back, once a module is loaded, and told."""

    __slots__ = ("module", "put", "read", "told")

    def __init__(self, module: str, read: _One, put: Callable[[Any, Any], Any], told: Optional[_One] = None) -> None:
        self.module = module
        self.read = read
        self.put = put
        self.told = told


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
        if "tempfile" in modules:
            with suppress(OSError):
                modules["tempfile"].gettempdir()  # binds `tempdir`, which it else does when it is first asked
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
        if name.startswith("_"):
            before[name] = now.get(name)
            return
        changes[f"attribute {path}"] = _named(now[name]) if name in now else ["notimplemented"]
        if name in before:
            now[name] = before[name]
        else:
            del now[name]


def _is(one: Any, other: Any) -> bool:
    return one is other


def _is_loaded_late(value: Any) -> bool:
    """Whether it is such as modules bind when they are first asked for it."""
    return callable(value) or isinstance(value, ModuleType)


def _named(value: Any) -> Any:
    try:
        return encode(value, iterators=False)
    except Exception:
        return _name_of(value)


def _name_of(value: Any) -> str:
    """Return the name of a function or class; of anything else that of its class."""
    name = getattr(value, "__qualname__", None)
    return name if type(name) is str else type(value).__qualname__


# What is read, and how it is put back


def _loggers(logging: Any) -> Any:
    known = {"": logging.root, **logging.root.manager.loggerDict}
    states = {name: _logger(logger) for name, logger in known.items() if isinstance(logger, logging.Logger)}
    states = {name: state for name, state in states.items() if state != _PLAIN_LOGGER}
    return logging.root.manager.disable, states


def _logger(logger: Any) -> Tuple[Any, ...]:
    return logger.level, (*logger.handlers,), (*logger.filters,), logger.propagate, logger.disabled


def _put_loggers(logging: Any, before: Any) -> None:
    logging.disable(before[0])
    _, now = _loggers(logging)
    for name in {*now, *before[1]}:
        logger = logging.getLogger(name or None)
        level, handlers, filters, logger.propagate, logger.disabled = before[1].get(name, _PLAIN_LOGGER)
        logger.setLevel(level)  # which forgets what it remembers of levels
        logger.handlers[:], logger.filters[:] = handlers, filters


def _told_loggers(state: Any) -> Any:
    disabled, states = state
    return [disabled, *sorted((name, _told_logger(*each)) for name, each in states.items())]


def _told_logger(level: int, handlers: Any, filters: Any, *flags: Any) -> Any:
    told = [(_name_of(handler), handler.level) for handler in handlers]
    return [level, told, [*map(_name_of, filters)], *map(bool, flags)]


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
    return [(int(n), int(h) if h in usual else _name_of(h)) for n, h in sorted(handlers.items()) if h != signal.SIG_DFL]


_SIGNALS = sorted(map(int, signal.Signals))


def _umask(_: Any) -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _put_path(_: Any, before: Any) -> None:
    sys.path[:] = before


def _put_collector(_: Any, before: Any) -> None:
    (gc.enable if before[0] else gc.disable)()
    gc.set_threshold(*before[1])


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


def _dialects(csv: Any) -> Any:
    return {name: csv.get_dialect(name) for name in csv.list_dialects()}


def _put_dialects(csv: Any, before: Any) -> None:
    for name in csv.list_dialects():
        csv.unregister_dialect(name)
    for name, dialect in before.items():
        csv.register_dialect(name, dialect)


def _levels(logging: Any) -> Dict[int, str]:
    return dict(logging.__dict__["_levelToName"])


def _put_levels(logging: Any, before: Dict[int, str]) -> None:
    names = logging.__dict__["_levelToName"]
    names.clear()
    names.update(before)


def _file_types(mimetypes: Any) -> Any:
    if not mimetypes.inited:
        mimetypes.init()  # which it else does when it is first asked
    return dict(mimetypes.types_map)


def _put_file_types(mimetypes: Any, before: Any) -> None:
    mimetypes.types_map.clear()
    mimetypes.types_map.update(before)


def _put_reducers(copyreg: Any, before: Any) -> None:
    copyreg.dispatch_table.clear()
    copyreg.dispatch_table.update(before)


def _told_reducers(table: Any) -> Any:
    return sorted((type_name(kind), _name_of(how)) for kind, how in table.items())


def _policy(events: Any) -> Any:
    """Return the policy that was set; the usual one is made when it is first asked for."""
    policy = events.__dict__.get("_event_loop_policy")
    return None if policy is None or _type_of(policy).__module__.startswith("asyncio") else policy


def _put_policy(events: Any, before: Any) -> None:
    events.set_event_loop_policy(before)


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
    return [None if tracer is None else _name_of(tracer) for tracer in tracers]


def _type_name(value: Any) -> Any:
    return None if value is None else type_name(_type_of(value))


def _is_capturing(logging: Any) -> bool:
    return logging.__dict__["_warnings_showwarning"] is not None


_SETTINGS: Dict[str, _Setting] = {
    "logging": _Setting("logging", _loggers, _put_loggers, _told_loggers),
    "warning filters": _Setting("warnings", _filters, _put_filters, _told_filters),
    "decimal context": _Setting("decimal", _context, _put_context),
    "locale": _Setting("locale", _locale, lambda locale, before: locale.setlocale(locale.LC_ALL, before)),
    "signal handlers": _Setting("signal", _signals, _put_signals, _told_signals),
    "umask": _Setting("os", _umask, lambda _, before: os.umask(before)),
    "socket timeout": _Setting(
        "socket",
        lambda socket: socket.getdefaulttimeout(),
        lambda socket, before: socket.setdefaulttimeout(before),
    ),
    "recursion limit": _Setting(
        "sys", lambda _: sys.getrecursionlimit(), lambda _, before: sys.setrecursionlimit(before)
    ),
    "import path": _Setting("sys", lambda _: tuple(sys.path), _put_path),
    "garbage collector": _Setting("gc", lambda _: (gc.isenabled(), gc.get_threshold()), _put_collector),
    "arguments": _Setting("sys", lambda _: tuple(sys.argv), _put_arguments),
    "switch interval": _Setting(
        "sys", lambda _: sys.getswitchinterval(), lambda _, before: sys.setswitchinterval(before)
    ),
    "digits of integers": _Setting("sys", _digits, lambda _, before: sys.set_int_max_str_digits(before)),
    "stack size of threads": _Setting(
        "threading",
        lambda threading: threading.stack_size(),
        lambda threading, before: threading.stack_size(before),
    ),
    "event loop policy": _Setting("asyncio.events", _policy, _put_policy, _type_name),
    "trace functions": _Setting("sys", _tracers, _put_tracers, _told_tracers),
    "trace functions of threads": _Setting("threading", _threads_tracers, _put_threads_tracers, _told_tracers),
    "warnings to the log": _Setting("logging", _is_capturing, lambda logging, before: logging.captureWarnings(before)),
    "resource limits": _Setting("resource", _limits, _put_limits),
    "dialects of csv": _Setting("csv", _dialects, _put_dialects, sorted),
    "names of levels": _Setting("logging", _levels, _put_levels),
    "types of files": _Setting("mimetypes", _file_types, _put_file_types),
    "ways to pickle": _Setting("copyreg", lambda copyreg: dict(copyreg.dispatch_table), _put_reducers, _told_reducers),
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
    return os.nice(0) if hasattr(os, "nice") else 0


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
