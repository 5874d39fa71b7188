from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from inspect_ai.solver import TaskState

F = TypeVar("F", bound=Callable[..., object])
CORRECT: str
INCORRECT: str

class Target: ...
class Metric: ...

class Score:
    def __init__(
        self, *, value: str, answer: str, explanation: str, metadata: Mapping[str, object] | None = None
    ) -> None: ...

Scorer: TypeAlias = Callable[[TaskState, Target], Awaitable[Score]]

def scorer(*, metrics: Sequence[Metric]) -> Callable[[F], F]: ...
def accuracy() -> Metric: ...
def stderr() -> Metric: ...
