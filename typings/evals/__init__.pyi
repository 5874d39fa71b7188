from collections.abc import Sequence
from typing import Any

from evals import metrics as metrics
from evals import record as record
from evals.api import CompletionFn
from evals.record import RecorderBase

class Eval:
    def __init__(self, *args: Any, **more: Any) -> None: ...
    @property
    def completion_fn(self) -> CompletionFn: ...
    def eval_all_samples(self, recorder: RecorderBase, samples: Sequence[Any]) -> None: ...
