"""Settings of runs in which neither the speed of candidates nor the thoroughness of the evidence is looked at."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

QUICK: Mapping[str, str] = MappingProxyType(
    {
        "CODEENS_EFFORT": "quick",
        "CODEENS_MAX_MUTANTS": "0",
        # That of trio, which only tests need, imports pytest into each process.
        "HYPOTHESIS_NO_PLUGINS": "1",
    }
)
"""For the environment of a program; what a test itself looks at it sets anew."""

HARDLY_TIMED = (sys.executable, "-P", str(Path(__file__).with_name("hardly_timed.py")))
"""Before the name of a program and its arguments: starts it so that its quick runs say nothing of speed."""


@pytest.fixture(scope="module", autouse=True)
def short_races() -> Generator[Callable[..., object]]:
    """Quick runs of this process race for no time at all, on known inputs, so that they say nothing of speed.

    The value is what else draws inputs to time on.
    """
    from codeens_server.run import probing
    from tests import hardly_timed

    drawing = probing.Prober.fresh_cases
    with pytest.MonkeyPatch.context() as patch:
        hardly_timed.hurry(patch.setattr)
        yield drawing


@pytest.fixture
def drawn_cases(short_races: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs to time on are drawn for the run, as they are for people."""
    from codeens_server.run import probing

    monkeypatch.setattr(probing.Prober, "fresh_cases", short_races)
