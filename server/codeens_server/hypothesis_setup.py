"""Hypothesis as the engine uses it: its files are kept with codeens's own, and inputs owe nothing to codeens's code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import cast

import platformdirs
from hypothesis import core
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal.conjecture import providers

_ROOT = Path(__file__).parents[2]
_OURS = tuple(str(_ROOT / folder / "codeens") for folder in ("mcp_tools", "sandbox_backends", "server", "variants"))
_IS_LOCAL = "is_local_module_file"
_RANDOM = "_hypothesis_global_random"


def prepare() -> None:
    """Have Hypothesis keep nothing in the working directory; call it before each use, in the thread of the use."""
    set_hypothesis_home_dir(platformdirs.user_cache_path("codeens") / "hypothesis")
    # It would register a generator of its own for each thread, and look at all objects of the process for that. What
    # draws by a seed, as all of ours does, never asks it.
    if getattr(core.threadlocal, _RANDOM, "") is None:
        setattr(core.threadlocal, _RANDOM, Random())  # noqa: S311  # keeps no secret


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
