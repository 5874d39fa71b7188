from collections.abc import Callable, Sequence
from typing import TypeVar

from inspect_ai.dataset import Sample
from inspect_ai.scorer import Scorer
from inspect_ai.solver import Solver

F = TypeVar("F", bound=Callable[..., object])

class Task:
    def __init__(self, *, dataset: Sequence[Sample], solver: Sequence[Solver], scorer: Scorer) -> None: ...

def task(function: F) -> F: ...
