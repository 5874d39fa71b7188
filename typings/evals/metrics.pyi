from collections.abc import Sequence

from evals.record import Event

def get_accuracy(events: Sequence[Event]) -> float: ...
