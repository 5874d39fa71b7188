"""Hypothesis as the engine uses it: beside other threads, with its files among codeens's own.

Inputs owe nothing to the modules that happen to be there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from random import Random
from threading import local
from typing import cast

import platformdirs
from hypothesis import control, core
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal.conjecture import providers

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


def _pass_over_code_here() -> None:
    """Keep constants of modules out of what is drawn.

    Hypothesis mixes in those of all modules of the process that are not installed and parses them all for that: the
    same function would get other inputs where codeens itself is editable, in a script beside other modules, and again
    when more of them are imported.
    """

    def is_local(_: str) -> bool:
        return False

    if _IS_LOCAL in vars(providers):
        setattr(providers, _IS_LOCAL, is_local)


_pass_over_code_here()
_leave_generators_alone()
