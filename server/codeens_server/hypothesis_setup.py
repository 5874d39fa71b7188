"""Hypothesis as the engine uses it: beside other threads, with its files among codeens's own.

Inputs owe nothing to codeens's code.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from random import Random
from threading import local
from typing import cast

import platformdirs
from hypothesis import control, core
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal.conjecture import providers

_ROOT = Path(__file__).parents[2]
_OURS = tuple(str(_ROOT / folder / "codeens") for folder in ("mcp_tools", "sandbox_backends", "server", "variants"))
_IS_LOCAL = "is_local_module_file"
_RANDOM = "_hypothesis_global_random"


_of_thread = local()


@contextmanager
def drawing() -> Generator[None]:
    """Let this thread draw while others work: nothing is kept in the working directory, no state is shared.

    Hypothesis seeds the generators of the whole process for the time of each example, and takes a number that another
    thread drew from them meanwhile for a strategy's. Ours draw nothing there, so in this thread they are left alone.
    """
    set_hypothesis_home_dir(platformdirs.user_cache_path("codeens") / "hypothesis")
    # It would register a generator of its own for each thread, and look at all objects of the process for that. What
    # draws by a seed, as all of ours does, never asks it.
    if getattr(core.threadlocal, _RANDOM, "") is None:
        setattr(core.threadlocal, _RANDOM, Random())  # noqa: S311  # keeps no secret
    _of_thread.is_ours = True
    try:
        yield
    finally:
        _of_thread.is_ours = False


def _leave_generators_alone() -> None:
    """Have Hypothesis neither seed nor watch the generators of the process in threads that are `drawing`."""
    for module, name in ((core, "deterministic_PRNG"), (control, "deprecate_random_in_strategy")):
        theirs = cast("Callable[..., AbstractContextManager[None]] | None", vars(module).get(name))
        if theirs is not None:
            setattr(module, name, _elsewhere(theirs))


def _elsewhere(theirs: Callable[..., AbstractContextManager[None]]) -> Callable[..., AbstractContextManager[None]]:
    def chosen(*args: object) -> AbstractContextManager[None]:
        return nullcontext() if getattr(_of_thread, "is_ours", False) else theirs(*args)

    return chosen


def _pass_over_our_code() -> None:
    """Keep constants of our own modules out of what is drawn.

    Hypothesis mixes in those of all modules that are not installed, so that an editable codeens would draw other inputs
    than an installed one, and others again when more of it is imported; and it parses them all for that.
    """
    is_local = cast("Callable[[str], bool] | None", vars(providers).get(_IS_LOCAL))
    if is_local is None:
        return

    def is_local_and_not_ours(path: str) -> bool:
        return not path.startswith(_OURS) and is_local(path)

    setattr(providers, _IS_LOCAL, is_local_and_not_ours)


_pass_over_our_code()
_leave_generators_alone()
