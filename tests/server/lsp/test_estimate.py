"""What is said of the time of a run under way."""

from __future__ import annotations

import pytest

from codeens_server.lsp.runs.estimate import time_text
from codeens_server.views.model import ProgressView


@pytest.mark.parametrize(
    ("gone", "executed", "before", "said"),
    [
        (12.7, 0, None, "0:12"),
        (12.0, 0, 80.0, "0:12, about 1:08 left"),
        (60.0, 2, None, "1:00, about 1:00 left"),
        (90.0, 4, 80.0, "1:30"),
    ],
)
def test_an_earlier_run_tells_best_how_long_it_takes(
    gone: float, executed: int, before: float | None, said: str
) -> None:
    assert time_text(gone, ProgressView(planned=4, executed=executed), before) == said
