"""On what conditions vectorised answers pass, and whether a condition lets a wrong one through.

Run from the repository: `python bench/data_code.py [NAME …] [--inputs N] [--json]`.

Each of the thirty functions of `data_functions.py` stands in a workspace with one test that calls it. Its vectorised
answer and its wrong one are judged by that test and by inputs grown from its call, in the sandbox `local`; the speed is
that of one call on the larger arguments, the quickest of three, in this process. Ends with 1 where a wrong one passes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import msgspec
from data_functions import SAMPLES, Sample

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import Settings
from codeens_server.domain.evidence import Evidence
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.domain.verdict import Verdict
from codeens_server.evidence.gather import EvidencePlan, gather
from codeens_server.judging.judge import judge
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.find import find_target

_IMPORTS = "import math\n\nimport numpy as np\nimport pandas as pd\n"
_REPEATS = 3


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one function."""

    name: str
    inputs: int
    outside: int
    status: str
    conditions: tuple[str, ...] = ()
    reason: str = ""
    faster: float
    """The loop's time on the larger arguments divided by that of the vectorised answer."""
    wrong: str
    """The status of the wrong answer."""


async def _say(_: str) -> None:
    """Say nothing."""


async def _row(sample: Sample, folder: Path, most: int) -> Row:
    target = _workspace(sample, folder)
    settings = Settings()
    sandbox = await get_backend("local").open(sandbox_spec(target, settings))
    try:
        plan = EvidencePlan(mode="improve", max_inputs=most, timeout_s=120.0, limits=settings.limits)
        evidence = await gather(target, plan, sandbox=sandbox, say=_say)
        right = await _verdict(_function(sample, sample.vectorised), target, evidence, sandbox)
        wrong = await _verdict(_function(sample, sample.wrong), target, evidence, sandbox)
    finally:
        await sandbox.aclose()
    return Row(
        name=sample.name,
        inputs=len(evidence.cases),
        outside=evidence.outside,
        status=right.status,
        conditions=tuple(condition.text for condition in right.conditions),
        reason="" if right.passes else f"{right.reason}; {right.failure}",
        faster=_seconds(sample, sample.loop) / _seconds(sample, sample.vectorised),
        wrong=wrong.status,
    )


def _workspace(sample: Sample, folder: Path) -> Target:
    (folder / "pyproject.toml").write_text("[project]\nname = 'w'\n", encoding="utf-8")
    path = folder / "work.py"
    path.write_text(f"{_IMPORTS}\n\n{_function(sample, sample.loop)}", encoding="utf-8")
    call = f"work.{sample.name}({sample.call})"
    test = f"import numpy as np\nimport pandas as pd\nimport work\n\n\ndef test_it():\n    assert {call} is not None\n"
    (folder / "test_work.py").write_text(test, encoding="utf-8")
    return find_target(f"{path}::{sample.name}", cwd=folder)


def _function(sample: Sample, body: str) -> str:
    written = textwrap.indent(textwrap.dedent(body).strip(), "    ") if body.startswith("\n") else f"    {body}"
    return f"def {sample.name}({sample.parameters}):\n{written}\n"


async def _verdict(source: str, target: Target, evidence: Evidence, sandbox: Sandbox) -> Verdict:
    candidate = Candidate(
        id="c", model="", variant="", source=source, replacement=Replacement(function=source), digest=""
    )
    judged = await judge(candidate, target=target, evidence=evidence, sandbox=sandbox, sandbox_label="local")
    return judged.verdict


def _seconds(sample: Sample, body: str) -> float:
    """Return the seconds of one call on the larger arguments, the quickest of a few."""
    names: dict[str, Any] = {}
    exec(_IMPORTS + _function(sample, body), names)  # the bench's own text
    function: Callable[..., object] = names[sample.name]
    arguments = eval(f"({sample.large},)", names)
    taken: list[float] = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        function(*arguments)
        taken.append(time.perf_counter() - started)
    return min(taken)


def _line(row: Row) -> str:
    said = "; ".join(row.conditions) or row.reason
    return f"| {row.name} | {row.status} | {said} | {row.faster:.0f}x | {row.wrong} |\n"


def main() -> int:
    """Judge all functions, or those named, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--inputs", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows: list[Row] = []
    head = "| function | verdict | conditions | faster | the wrong one |\n| --- | --- | --- | --: | --- |\n"
    sys.stdout.write("" if asked.json else head)
    for sample in SAMPLES:
        if asked.names and sample.name not in asked.names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            rows.append(anyio.run(_row, sample, Path(folder), asked.inputs))
        if not asked.json:
            sys.stdout.write(_line(rows[-1]))
            sys.stdout.flush()
    counts = {status: sum(row.status == status for row in rows) for status in ("passed", "conditional")}
    told = f"\n{counts['passed']} pass, {counts['conditional']} on conditions, of {len(rows)}.\n"
    sys.stdout.write(json.dumps(msgspec.to_builtins(rows), indent=1) if asked.json else told)
    return int(any(row.wrong in {"passed", "conditional"} for row in rows))


if __name__ == "__main__":
    sys.exit(main())
