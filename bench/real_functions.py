"""What codeens makes of functions of real packages, and whether what it passes is right.

Run from the repository: `python bench/real_functions.py TARGETS.json [--parallel N] [--json]`.

TARGETS.json is a list of `{"root": FOLDER, "target": "path.py::function", "tests": [PATH, …]}`: an unpacked package, a
function of it, and the test files that are the measure of what codeens passed (relative to the folder; empty: all).
A relative folder is taken from the list's own place. The package's interpreter must have pytest.

Every candidate that passed is written into a copy of its package, and the tests are run there as anybody would, with
no sandbox; so only offline rewrites are asked for. A test that passes on the original and not on the candidate makes
the verdict false.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import msgspec

from codeens_server.config.settings import Settings
from codeens_server.domain.document import RankedResult, RunDocument
from codeens_server.workspace.edit import apply_edit
from codeens_server.workspace.environment import interpreter_for
from codeens_server.workspace.find import find_target

SUITE_TIMEOUT_S = 600.0
FAULT = "error: this is a fault of codeens"
_PASSED = re.compile(r"^(\S.*?) PASSED", re.MULTILINE)


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What to try."""

    root: str
    target: str
    tests: tuple[str, ...] = ()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one function."""

    package: str
    function: str
    wall_s: float
    run_id: str = ""
    evidence: str = ""
    candidates: tuple[str, ...] = ()
    """One text each: its name, its verdict, and its speed or why it was rejected."""
    result: str = ""
    """The headline, or the error."""
    ended: Literal["done", "refused", "fault"] = "done"
    """A fault is an error that nobody foresaw."""
    false_verified: tuple[str, ...] = ()
    """Candidates that passed here and break a test of the package."""


def try_one(trial: Trial) -> Row:
    """Run codeens on one function, and the package's tests on every candidate that passed."""
    root = Path(trial.root)
    started = time.monotonic()
    done = _codeens(root, trial.target)
    row = Row(package=root.name, function=trial.target, wall_s=time.monotonic() - started)
    if done.returncode or not done.stdout:
        why = (done.stderr.strip().splitlines() or [f"{FAULT} (exit code {done.returncode}, no document)"])[-1]
        _say(f"{trial.target}: {why}\n")
        return msgspec.structs.replace(row, result=why, ended="fault" if why.startswith(FAULT) else "refused")
    run = msgspec.json.decode(done.stdout, type=RunDocument)
    broken = [name for name, lost in _broken(trial, root, run) if lost]
    _say(f"{trial.target}: {run.headline}\n")
    return msgspec.structs.replace(
        row,
        run_id=run.run_id,
        evidence=_evidence(run),
        candidates=tuple(map(_told, run.results)),
        result=run.headline,
        false_verified=tuple(broken),
    )


def _codeens(root: Path, target: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("codeens")), "run", target, "--json"]
    environ = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_TOKEN"))}
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, encoding="utf-8", check=False)


def _broken(trial: Trial, root: Path, run: RunDocument) -> Iterator[tuple[str, frozenset[str]]]:
    """Candidates that passed, each with the tests that it loses."""
    passed = [row for row in run.results if row.verdict.passes]
    before = _passing(root, trial.tests) if passed else frozenset[str]()
    if passed and not before:
        _say(f"{trial.target}: none of the package's tests passes on the original; nothing was checked\n")
    for row in passed:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, root.name)
            shutil.copytree(root, copy, symlinks=True)
            apply_edit(find_target(trial.target, cwd=copy), row.candidate.replacement)
            yield row.candidate.id, before - _passing(copy, trial.tests)


def _passing(root: Path, tests: Sequence[str]) -> frozenset[str]:
    """Ids of the tests that pass."""
    python = interpreter_for(root, Settings())
    command = [str(python), "-m", "pytest", "-v", "--no-header", "-p", "no:cacheprovider", "--color=no", *tests]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "src")]), "COLUMNS": "400"}
    done = subprocess.run(
        command, cwd=root, env=environ, capture_output=True, text=True, timeout=SUITE_TIMEOUT_S, check=False
    )
    return frozenset(_PASSED.findall(done.stdout))


def _evidence(run: RunDocument) -> str:
    found = run.evidence
    parts = [
        f"{len(found.tests)} tests ({found.indirect_tests} indirect)",
        *(f"{found.count(origin)} {origin}" for origin in ("doctest", "recorded", "generated")),
    ]
    if found.coverage:
        parts.append(f"{found.coverage.percent:.0f} % of the lines")
    return ", ".join(parts)


def _told(row: RankedResult) -> str:
    speed = f" {row.speed.ratio:.2f}x [{row.speed.low:.2f}, {row.speed.high:.2f}]" if row.speed else ""
    why = "" if row.verdict.status == "passed" else f": {row.verdict.reason}"
    return f"{row.candidate.id}: {row.verdict.status}{speed}{why}"


def _table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows as Markdown."""
    yield "| package | function | evidence | candidates | result | s |"
    yield "|---|---|---|---|---|--:|"
    for row in rows:
        name = row.function.partition("::")[2] or row.function
        told = "<br>".join(row.candidates)
        lost = f" **breaks the package's tests: {', '.join(row.false_verified)}**" if row.false_verified else ""
        cells = [row.package, f"`{name}`", row.evidence, told, row.result + lost, f"{row.wall_s:.0f}"]
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def report(rows: Sequence[Row]) -> dict[str, Any]:
    """The totals and all rows."""
    return {
        "functions": len(rows),
        "refused": sum(row.ended == "refused" for row in rows),
        "faults": sum(row.ended == "fault" for row in rows),
        "candidates": sum(len(row.candidates) for row in rows),
        "passed": sum(": passed" in told for row in rows for told in row.candidates),
        "false_verified": sum(len(row.false_verified) for row in rows),
        "wall_s": sum(row.wall_s for row in rows),
        "rows": msgspec.to_builtins(rows),
    }


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def main() -> int:
    """Print the table; 1 when a verdict was false or codeens was at fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", type=Path, help="JSON list of what to try")
    parser.add_argument("--parallel", type=int, default=1, help="functions at a time (default: 1; more blur the times)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    options = parser.parse_args()
    trials = msgspec.json.decode(options.targets.read_bytes(), type=list[Trial])
    base = options.targets.absolute().parent
    trials = [msgspec.structs.replace(trial, root=str((base / trial.root).resolve())) for trial in trials]
    with ThreadPoolExecutor(options.parallel) as pool:
        rows = list(pool.map(try_one, trials))
    found = report(rows)
    print(json.dumps(found, indent=1) if options.json else "\n".join(_table(rows)))
    return int(found["false_verified"] + found["faults"] > 0)


if __name__ == "__main__":
    sys.exit(main())
