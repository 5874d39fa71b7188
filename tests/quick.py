"""Settings of runs in which neither the speed of candidates nor the thoroughness of the evidence is looked at."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from types import MappingProxyType

import pytest
from msgspec.structs import replace

QUICK: Mapping[str, str] = MappingProxyType(
    {
        "CODEENS_EFFORT": "quick",
        "CODEENS_MAX_MUTANTS": "0",
        # That of trio, which only tests need, imports pytest into each process.
        "HYPOTHESIS_NO_PLUGINS": "1",
    }
)
"""For the environment of a program; what a test itself looks at it sets anew."""


@pytest.fixture(scope="module", autouse=True)
def short_races() -> Generator[None]:
    """Quick runs of this process race for no time at all, so that they say nothing of speed."""
    from codeens_server.measuring.race import Patience
    from codeens_server.run import execution

    quick = replace(execution.EFFORTS["quick"], patience=Patience(0.0, 0.0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "EFFORTS", {**execution.EFFORTS, "quick": quick})
        yield
