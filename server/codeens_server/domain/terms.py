"""Words with a fixed meaning: kinds, grades and names that everything else is told in."""

from __future__ import annotations

from typing import Literal, TypeAlias

ORIGINAL = "original"
"""The id under which the original stands beside the candidates."""
OFFLINE = "offline"
"""The model's name of candidates that no model made."""
Goal: TypeAlias = Literal["balanced", "correctness", "speed", "memory", "readability"]
Mode: TypeAlias = Literal["improve", "repair", "implement"]
ModeRequest: TypeAlias = Literal["auto", "improve", "repair", "implement"]
Effort: TypeAlias = Literal["quick", "normal", "thorough"]
"""How much time a run takes to be sure: how long candidates are raced, on how many changes evidence is tried."""
Status: TypeAlias = Literal["passed", "conditional", "failed", "error", "timeout", "refused"]
"""`conditional`: it passes on conditions, which the verdict names."""
PASSING: frozenset[Status] = frozenset({"passed", "conditional"})
Equality: TypeAlias = Literal["exact", "strict-types", "practical"]
"""On which conditions a candidate may still be best: on none; on those about rounding and about inputs outside the
function's domain; also on those about names and types that libraries for tables tell apart."""
ConditionKind: TypeAlias = Literal["outside", "rounding", "names", "types", "ties", "unseen"]
TOLERATED: dict[Equality, frozenset[ConditionKind]] = {
    "exact": frozenset(),
    "strict-types": frozenset({"outside", "rounding"}),
    "practical": frozenset({"outside", "rounding", "names", "types"}),
}
"""Never that equal keys stand in another order, and never another value, be it on arguments that no known call has."""
EvidenceGrade: TypeAlias = Literal["tests", "differential", "agreement", "none"]
Isolation: TypeAlias = Literal["separate", "shared", "none"]
"""`separate`: judged outside the process that ran the code; `shared`: the verdict came from it; `none`: not run."""
TargetKind: TypeAlias = Literal["function", "method", "classmethod", "staticmethod", "property", "nested"]
ParameterKind: TypeAlias = Literal["positional", "normal", "keyword", "var_positional", "var_keyword"]
StopReason: TypeAlias = Literal["cancelled", "timeout", "budget"]
"""Why a run ended before all was done."""
Remedy: TypeAlias = Literal["key", "models", "budget", "time", "later"]
"""What mends a failure of models: a key, which models are asked and how, more money or time, or another try later."""
CaseOrigin: TypeAlias = Literal["doctest", "recorded", "generated", "test_case", "pinned", "given", "benchmark"]
