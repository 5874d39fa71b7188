"""Vectorised answers to a loop over an array, judged in the real sandbox by inputs grown from one call of a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.config.settings import Settings
from codeens_server.domain.verdict import Verdict
from codeens_server.evidence.gather import EvidencePlan, gather
from codeens_server.judging.judge import judge
from codeens_server.workspace.find import find_target
from tests.server.judging.rooms import candidate_of, local_sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.scene]

_LOOP = """import numpy as np


def moving_mean(values: np.ndarray, width: int) -> np.ndarray:
    out = []
    for i in range(len(values) - width + 1):
        total = 0.0
        for j in range(width):
            total = total + values[i + j]
        out.append(total / width)
    return np.array(out)
"""
_TEST = """import numpy as np
from means import moving_mean


def test_mean():
    assert np.allclose(moving_mean(np.array([0.1, 1.2, 2.5, 3.7]), 2), [0.65, 1.85, 3.1])
"""
_SUMS = """def moving_mean(values, width):
    c = np.concatenate(([0.0], np.cumsum(values)))
    return (c[width:] - c[:-width]) / width
"""
_WINDOWS = """def moving_mean(values, width):
    return np.lib.stride_tricks.sliding_window_view(values, width).mean(axis=1)
"""
_OTHER_WINDOW = """def moving_mean(values, width):
    return np.lib.stride_tricks.sliding_window_view(values, width)[:, 1:].mean(axis=1)
"""


async def _say(_: str) -> None:
    """Say nothing."""


async def test_vectorised_answers_pass_on_named_conditions_and_the_wrong_window_fails(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    (tmp_path / "means.py").write_text(_LOOP, encoding="utf-8")
    (tmp_path / "test_means.py").write_text(_TEST, encoding="utf-8")
    target = find_target(f"{tmp_path / 'means.py'}::moving_mean", cwd=tmp_path)
    plan = EvidencePlan(mode="improve", max_inputs=60, timeout_s=120.0, limits=Settings().limits)
    verdicts: list[Verdict] = []
    async with local_sandbox(target) as sandbox:
        evidence = await gather(target, plan, sandbox=sandbox, say=_say)
        for source in (_SUMS, _WINDOWS, _OTHER_WINDOW):
            judged = await judge(
                candidate_of(source), target=target, evidence=evidence, sandbox=sandbox, sandbox_label=""
            )
            verdicts.append(judged.verdict)

    sums, windows, other = verdicts
    assert 0 < evidence.outside < len(evidence.cases) / 2
    assert (sums.status, windows.status, other.status) == ("conditional", "conditional", "failed")
    assert "rounding" in {condition.kind for condition in sums.conditions}
    assert {condition.kind for condition in windows.conditions} <= {"outside", "rounding", "types"}
    assert all(each.text in windows.reason for each in windows.conditions)
