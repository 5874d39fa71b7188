"""What an agent reads of a run."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from codeens_mcp_tools.tools.reporting import of_kept
from codeens_server.domain.verdict import EnvironmentVerdict
from codeens_server.run.events import EvidenceGathered, RunFinished, RunStarted
from codeens_server.run.state import RunState
from tests.server import facts


def test_a_row_says_how_it_does_in_each_interpreter(tmp_path: Path) -> None:
    run = facts.run_document("20260101-abcdef", facts.target_in(tmp_path))
    there = (
        EnvironmentVerdict(python="3.11", status="passed"),
        EnvironmentVerdict(python="3.13", status="error", short="RecursionError"),
    )
    row = run.results[1]
    run = replace(run, results=(run.results[0], replace(row, verdict=replace(row.verdict, environments=there))))
    started = RunStarted(run_id=run.run_id, request=facts.request(run.target), target=run.target)
    answer = of_kept(RunState.of([started, EvidenceGathered(evidence=run.evidence), RunFinished(run=run)]), None)
    (line,) = [line for line in answer.text.splitlines() if "RecursionError" in line]
    assert line.startswith("rejected c3: failed (Python 3.11 ✓ 3.13: RecursionError): ")
    assert all("Python" not in line for line in answer.text.splitlines() if line.startswith("#1"))
