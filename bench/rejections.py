"""How often right candidates are rejected on a busy machine: with tests and without, flaky, failing and slow ones too.

Run from the repository: `python bench/rejections.py [--runs 200] [--load 10]`. It makes its own load. A run is the
verdict on one right candidate; the evidence is gathered anew for every `--each` of them, under the same load.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import anyio

from codeens_sandbox_backends.local.backend import LocalBackend
from codeens_server.config.settings import Settings
from codeens_server.domain.target import Candidate, Replacement
from codeens_server.domain.terms import PASSING, ModeRequest
from codeens_server.domain.verdict import Verdict
from codeens_server.evidence.gather import EvidencePlan, gather
from codeens_server.judging.judge import judge
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.find import find_target

_Z = 1.959964
"""Of a 95 % interval."""
_SMALL = "    return [word for word in left if word in right]\n"
_ORIGINAL = f"def common(left: list[str], right: list[str]) -> list[str]:\n{_SMALL}"
_SET = "    known = set(right)\n    return [word for word in left if word in known]\n"
_LOOP = "    out = []\n    for word in left:\n        if word in right:\n            out.append(word)\n    return out\n"
_HEAD = "def common(left, right):\n"
_TEST = "from mod import common\n\n\ndef test_common():\n    assert common(['a', 'b', 'a'], ['a', 'c']) == ['a', 'a']\n"
_SLOW = """def common(n: int) -> int:
    total = 0
    for k in range(min(abs(n), 1000) * 100):
        total += k % 7
    return total
"""
_LONG_IMPORT = "import time\n\nbegun = time.process_time()\nwhile time.process_time() - begun < 1:\n    pass\n"


class Workspace(NamedTuple):
    """Files, and right versions of `mod.py::common`."""

    files: dict[str, str]
    right: tuple[str, ...] = (_HEAD + _SET, _HEAD + _LOOP, _ORIGINAL + "    # as it was\n")
    mode: ModeRequest = "auto"


WORKSPACES = {
    "tests": Workspace({"mod.py": _ORIGINAL, "test_mod.py": _TEST}),
    "no tests": Workspace({"mod.py": _ORIGINAL}),
    "a flaky test": Workspace(
        {
            "mod.py": _ORIGINAL,
            "test_mod.py": _TEST,
            "test_flaky.py": "import random\nfrom mod import common\n\n\ndef test_flaky():\n"
            "    assert random.random() < 0.5\n    assert common(['a'], ['a']) == ['a']\n",
        },
        mode="improve",
    ),
    "a failing test": Workspace(
        {"mod.py": _ORIGINAL, "test_mod.py": _TEST + "\n\ndef test_fails():\n    assert common([], []) == 1\n"},
        mode="improve",
    ),
    "slow imports": Workspace(
        {
            "mod.py": _ORIGINAL,
            "test_mod.py": _TEST,
            "conftest.py": _LONG_IMPORT,
        }
    ),
    "files and processes": Workspace(
        {
            "mod.py": _ORIGINAL,
            "test_mod.py": "import subprocess, sys\nfrom mod import common\n\n\ndef test_common(tmp_path):\n"
            "    (tmp_path / 'a').write_text('a')\n    assert common(['a'], ['a']) == ['a']\n"
            "    assert subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True).stdout == b'1\\n'\n",
        }
    ),
    "long calls": Workspace(
        {
            "mod.py": _SLOW,
            "test_mod.py": "from mod import common\n\n\ndef test_common():\n    assert common(1000) == 299995\n",
        },
        right=(
            "def common(n):\n    return sum(k % 7 for k in range(min(abs(n), 1000) * 100))\n",
            "def common(n):\n    return sum([k % 7 for k in range(min(abs(n), 1000) * 100)])\n",
        ),
    ),
}


@contextmanager
def load(spinners: int) -> Generator[None]:
    """Keep so many processes busy."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(spinners)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def wilson(count: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    if not total:
        return 0.0, 1.0
    share, spread = count / total, _Z * _Z / total
    middle = share + spread / 2
    half = _Z * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


async def verdicts(workspace: Workspace, root: Path, count: int) -> list[Verdict]:
    """Gather the evidence once, and judge so many right candidates by it, two at a time."""
    for name, text in {"pyproject.toml": "", **workspace.files}.items():
        (root / name).write_text(text, encoding="utf-8")
    target = find_target("mod.py::common", cwd=root)
    settings = Settings()
    sandbox = await LocalBackend().open(sandbox_spec(target, settings))
    plan = EvidencePlan(
        mode=workspace.mode, max_inputs=settings.max_inputs, timeout_s=settings.timeout_s, limits=settings.limits
    )
    found: list[Verdict] = []
    at_once = anyio.CapacityLimiter(settings.parallel)
    try:
        evidence = await gather(target, plan, sandbox=sandbox, say=_say_nothing)

        async def one(number: int) -> None:
            source = workspace.right[number % len(workspace.right)]
            candidate = Candidate(
                id=str(number),
                model="given",
                variant="given",
                source=source,
                replacement=Replacement(function=source),
                digest=str(number),
            )
            async with at_once:
                judged = await judge(candidate, target=target, evidence=evidence, sandbox=sandbox, sandbox_label="")
            found.append(judged.verdict)

        async with anyio.create_task_group() as group:
            for number in range(count):
                group.start_soon(one, number)
    finally:
        await sandbox.aclose()
    return found


async def _say_nothing(_: str) -> None:
    """Progress is of no interest here."""


async def measured(runs: int, each: int) -> dict[str, object]:
    rows: dict[str, Counter[str]] = {name: Counter() for name in WORKSPACES}
    reasons: list[str] = []
    names = list(WORKSPACES)
    begun, done = time.monotonic(), 0
    while done < runs:
        name = names[(done // each) % len(names)]
        with tempfile.TemporaryDirectory() as folder:
            found = await verdicts(WORKSPACES[name], Path(folder), min(each, runs - done))
        done += len(found)
        rejected = [verdict for verdict in found if verdict.status not in PASSING]
        rows[name].update(runs=len(found), rejected=len(rejected), by_tests=sum(v.tests_passed > 0 for v in found))
        reasons += [f"{name}: {verdict.status}: {verdict.reason}" for verdict in rejected]
        print(f"{done} of {runs} after {time.monotonic() - begun:.0f} s, {len(reasons)} rejected", file=sys.stderr)
    low, high = wilson(len(reasons), done)
    return {
        "runs": done,
        "rejected": len(reasons),
        "interval": [round(low, 4), round(high, 4)],
        "load": [round(number, 1) for number in os.getloadavg()],
        "processors": os.cpu_count(),
        "seconds": round(time.monotonic() - begun),
        "workspaces": rows,
        "reasons": reasons,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--each", type=int, default=10, help="verdicts by the same evidence")
    parser.add_argument("--load", type=int, default=10, help="busy processes beside it")
    options = parser.parse_args()
    with load(options.load):
        print(json.dumps(anyio.run(measured, options.runs, options.each), indent=1))


if __name__ == "__main__":
    main()
