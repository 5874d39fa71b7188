"""A real run's models are asked while its evidence is gathered, and told what is known by then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from codeens_server.domain.evidence import Evidence
from codeens_server.run import execution
from codeens_server.run.events import CandidateGenerated, EvidenceGathered
from tests.e2e.ensemble import SECONDS, Bench, by_model
from tests.e2e.unique import BETTER, SOURCE, TESTS
from tests.loopback.server import ModelServer
from tests.sandbox_backends.machine import why_not

pytestmark = [
    pytest.mark.scene,
    pytest.mark.anyio,
    pytest.mark.timeout(2 * SECONDS),
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]

SAMPLES = 3


async def test_changes_are_tried_while_all_models_that_know_the_tests_calls_and_hot_lines_answer_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_answer = anyio.Event()
    score = execution.with_mutation_score
    limits = {"m": None, "other": None, "limited": 1}

    async with ModelServer(answer=by_model(dict.fromkeys(map(str, limits), BETTER)), after=may_answer) as server:

        async def once_all_are_asked(*arguments: Any, **named: Any) -> Evidence:
            await server.until_asked(2 * SAMPLES + 1)
            return await score(*arguments, **named)

        monkeypatch.setattr(execution, "with_mutation_score", once_all_are_asked)
        bench = Bench(tmp_path, server, SOURCE)
        models = [bench.model(name, timeout_s=SECONDS, max_parallel=most) for name, most in limits.items()]
        (bench.module.parent / "test_sums.py").write_text(TESTS, encoding="utf-8")
        kinds: list[type[Any]] = []
        with anyio.fail_after(SECONDS):
            async with bench.started(models, samples=SAMPLES) as stream:
                async for event in stream:
                    kinds.append(type(event))
                    if isinstance(event, EvidenceGathered):
                        may_answer.set()
                document = stream.state.document
        assert document is not None
        request = server.requests[0]
    assert server.most_at_once == {"m": SAMPLES, "other": SAMPLES, "limited": 1}
    assert len(server.requests) == 3 * SAMPLES
    assert kinds.index(EvidenceGathered) < kinds.index(CandidateGenerated)
    assert [row.verdict.status for row in document.results] == ["passed"]
    assert "unique([2, 1, 2])  # [2, 1]" in request.prompt
    assert "if item not in found:  # 50 times" in request.prompt
