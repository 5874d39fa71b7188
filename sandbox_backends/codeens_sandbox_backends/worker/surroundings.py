"""What of the process a call may change beside the program: environment, working folder, state of random numbers,
settings, and what modules of others are made of."""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Dict, List, Tuple

from .interpreter import Attributes, ProcessSettings
from .values.codec import encode

_OF_CHILDREN = "environment of child processes"
_SEED = 20_190_117


def seed_random() -> None:
    """Make what a program draws at random the same in each process; to be done before it is loaded."""
    import random

    random.seed(_SEED)


class Surroundings:
    """As they were when this was made; `taken` tells what has changed since, and puts it back."""

    def __init__(self, modules: Dict[str, Any]) -> None:
        """Remember how things are.

        Args:
            modules: Those of others that the program names.
        """
        self._settings = ProcessSettings()
        self._attributes = Attributes(modules)
        self._environment = dict(os.environ)
        self._raw: Dict[Any, Any] = vars(os.environ)["_data"]  # what `os.environ` decodes at each look
        self._raw_before = dict(self._raw)
        self._folder = _folder()
        self._put: Dict[bytes, Any] = {}
        """What was handed to the C library since `taken`, past `os.environ` or by it; None where it was taken away."""
        sys.addaudithook(self._hear)
        self._random: Dict[str, Tuple[Any, Any]] = {}
        self._take_sources()

    def _hear(self, event: str, args: Tuple[Any, ...]) -> None:
        if event == "os.putenv":
            self._put[args[0]] = args[1]
        elif event == "os.unsetenv":
            self._put[args[0]] = None

    def look_again(self) -> bool:
        """Take in sources of random numbers that were loaded since, seeded anew; whether there are any."""
        settings = self._settings.look_again()
        return self._take_sources(seed=True) or settings

    def _take_sources(self, seed: bool = False) -> bool:
        new = [name for name in _SOURCES if name not in self._random and name in sys.modules]
        for name in new:
            source = _SOURCES[name](sys.modules[name])
            if seed:
                sys.modules[name].seed(_SEED)
            self._random[name] = (source, source.state())
        return bool(new)

    def taken(self) -> Dict[str, Any]:
        """Return what changed, encoded, by channel."""
        changes: Dict[str, Any] = self._taken_past()
        if self._raw != self._raw_before:
            now = dict(os.environ)
            names = sorted(name for name in {*now, *self._environment} if now.get(name) != self._environment.get(name))
            changes["environ"] = ["dict", *([encode(name), encode(now.get(name))] for name in names)]
            self._put_back(names)
        self._put.clear()
        folder = _folder()
        if folder != self._folder:
            changes["cwd"] = folder
            os.chdir(self._folder)
        for name, (source, before) in self._random.items():
            state = source.state()
            if state != before:
                changes[f"random {name}"] = _digest(state)
                source.restore(before)
        return {**changes, **self._settings.taken(), **self._attributes.taken()}

    def _taken_past(self) -> Dict[str, Any]:
        """Return what only child processes would see (`os.putenv`), and put it back."""
        past = {name: value for name, value in self._put.items() if self._raw.get(name) != value}
        for name in past:
            before = self._raw_before.get(name)
            os.unsetenv(name) if before is None else os.putenv(name, before)
        return {_OF_CHILDREN: encode(dict(sorted(past.items())))} if past else {}

    def told(self) -> Dict[str, Any]:
        """Return how things are, by channel."""
        sources = {f"random {name}": source.state() for name, (source, _) in self._random.items()}
        return {"environ": sorted(os.environ.items()), "cwd": _folder(), **sources, **self._settings.told()}

    def _put_back(self, names: List[str]) -> None:
        for name in names:
            if name in self._environment:
                os.environ[name] = self._environment[name]
            else:
                del os.environ[name]


class _Random:
    """The generator behind the functions of `random`."""

    def __init__(self, module: Any) -> None:
        self._source = module.random.__self__

    def state(self) -> Any:
        return self._source.getstate()

    def restore(self, state: Any) -> None:
        self._source.setstate(state)


class _NumpyRandom:
    """The generator behind the functions of `numpy.random`; its keys as bytes, which can be compared."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._kept = module.get_state()

    def state(self) -> Any:
        name, keys, *rest = self._module.get_state()
        return (name, keys.tobytes(), *rest)

    def restore(self, _: Any) -> None:
        self._module.set_state(self._kept)


_SOURCES: Dict[str, Callable[[Any], Any]] = {"random": _Random, "numpy.random": _NumpyRandom}


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - `pathlib` is not for the process that workers are forked from
    except OSError:
        return ""


def _digest(state: Any) -> str:
    import hashlib

    return hashlib.sha256(repr(state).encode()).hexdigest()
