"""Settings of runs in which neither the speed of candidates nor the thoroughness of the evidence is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

QUICK: Mapping[str, str] = MappingProxyType(
    {
        "CODEENS_EFFORT": "quick",
        "CODEENS_MAX_MUTANTS": "0",
        # That of trio, which only tests need, imports pytest into each process.
        "HYPOTHESIS_NO_PLUGINS": "1",
    }
)
"""For the environment of a program; what a test itself looks at it sets anew."""
