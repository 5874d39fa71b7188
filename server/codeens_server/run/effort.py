"""What each effort of a run means, in seconds and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from codeens_server.domain.terms import Effort
from codeens_server.measuring.race import Patience


class EffortPlan(Struct, frozen=True, kw_only=True):
    """How long a run takes to be sure of what it says."""

    patience: Patience
    """For how long candidates are raced."""
    grown: int
    """Of how many candidates, the fastest ones, the growth is measured."""
    growth_s: float
    """Seconds that go into that."""
    most_mutants: int
    """Small changes of the original that the evidence is tried on, beside what the settings allow."""
    draws: int = 0
    """How often inputs are drawn for changes that were not noticed, beside those made of known ones."""
    asks_for_inputs: bool = False
    """A model, where there is one, is asked once for inputs on which changes show that were not noticed."""


EFFORTS: Mapping[Effort, EffortPlan] = MappingProxyType(
    {
        "quick": EffortPlan(patience=Patience(6.0, 2.0), grown=0, growth_s=0.0, most_mutants=10),
        "normal": EffortPlan(patience=Patience(), grown=2, growth_s=5.0, most_mutants=1000),
        "thorough": EffortPlan(
            patience=Patience(180.0, 30.0), grown=4, growth_s=60.0, most_mutants=1000, draws=2, asks_for_inputs=True
        ),
    }
)
