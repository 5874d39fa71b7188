"""How often a version that is known to be wrong passes, and what the evidence was said to be worth where it did.

Run from the repository: `python bench/evidence.py --file ROWS.jsonl [--seconds N] [--parallel N]`. Rows that the file
holds are not made again, so that pieces add up. Sets: our own pairs; changed versions of `aa_functions.py` that differ
on its inputs; where `CODEENS_DATA` names the folder, the wrong solutions of HumanEvalPack (bigcode, MIT) against their
right ones; and, for all of these, right versions: what the offline rewrites make of the function. Nothing is timed, and
no tests but docstrings are given.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import hashlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import anyio.to_thread
import msgspec
from aa_inputs import inputs
from unequal_pairs import PAIRS

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.executor import Executor, open_executor
from codeens_sandbox_backends.local.backend import LocalBackend
from codeens_server.config.settings import Settings
from codeens_server.domain.evidence import Evidence
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.errors import CodeensError
from codeens_server.evidence.gather import EvidencePlan, gather
from codeens_server.evidence.mutation import mutants
from codeens_server.generation.rewrites.facts import facts_of
from codeens_server.generation.rewrites.rule import Draft
from codeens_server.generation.rewrites.rules import RULES
from codeens_server.judging.judge import judge
from codeens_server.run.probing import Prober
from codeens_server.run.thoroughness import with_mutation_score
from codeens_server.workspace.find import find_target

HERE = Path(__file__).parent
CHANGED_OF_EACH = 4
PACK = Path("humaneval", "HumanEvalPack_python.jsonl.gz")
SETTINGS = Settings()
LIMITS = SETTINGS.limits


class Version(NamedTuple):
    """Another version of a function, and what is known of it."""

    kind: str
    source: str
    imports: tuple[str, ...] = ()
    is_right: bool = False


class Subject(NamedTuple):
    """A function of a module, and versions of it."""

    set: str
    module: str
    name: str
    versions: tuple[Version, ...]

    def key(self, version: Version) -> str:
        """Return a name by which a row is found again."""
        text = "\0".join((self.module, self.name, version.source))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one version."""

    key: str
    set: str
    kind: str
    name: str
    function: str
    """The subject, since names are not unique."""
    is_right: bool
    status: str
    noticed: int = 0
    changes: int = 0
    found_by: str = ""
    """`evidence`, or `search` where it passed that and inputs made against it told."""
    reason: str = ""
    seconds: float = 0.0

    @property
    def is_sure(self) -> bool:
        """Whether the evidence claimed to notice every change, of enough of them to say so."""
        return self.changes > 0 and self.noticed == self.changes

    @property
    def got_through(self) -> bool:
        """Whether it passed."""
        return self.status in {"passed", "conditional"}


def subjects() -> Iterator[Subject]:
    """Yield all functions of the sets that are at hand, each with its wrong versions and what rewrites make of it."""
    for one in _given():
        yield one._replace(versions=(*one.versions, *_rewritten(one.module, one.name)))


def _given() -> Iterator[Subject]:
    for pair in PAIRS:
        yield Subject("own pairs", pair.module, "f", (Version(pair.kind, pair.other),))
    yield from _changed()
    data = os.environ.get("CODEENS_DATA")
    if data:
        with gzip.open(Path(data) / PACK, "rt", encoding="utf-8") as file:
            for line in list(file)[::2]:
                task, name = json.loads(line), json.loads(line)["entry_point"]
                wrong = _only(task["prompt"] + task["buggy_solution"], name)
                module = task["prompt"] + task["canonical_solution"]
                yield Subject("HumanEvalPack", module, name, (Version(task["bug_type"], wrong),))


def _changed() -> Iterator[Subject]:
    """Yield our own functions with changed versions that do something else on one of their inputs."""
    source = (HERE / "aa_functions.py").read_text(encoding="utf-8")
    for name, calls in inputs().items():
        original = _only(source, name)
        made = [item.source for item in mutants(original, 60, seed="bench")]
        wrong = [changed for changed in made if _differ(source, name, changed, calls)]
        some = wrong[:: max(1, len(wrong) // CHANGED_OF_EACH)][:CHANGED_OF_EACH]
        if some:
            yield Subject("changed functions", source, name, tuple(Version("small change", other) for other in some))


def _rewritten(module: str, name: str) -> list[Version]:
    """Return what each offline rewrite makes of a function, which must do the same."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "mod.py").write_text(module, encoding="utf-8")
        target = find_target(f"mod.py::{name}", cwd=Path(folder))
        start = Draft(target=target, source=module, facts=facts_of(module, target), function=target.source)
        made = {rule: draft for rule, it in RULES.items() if (draft := it.apply(start))}
    different = {draft.function: (rule, draft) for rule, draft in reversed(made.items())}
    return [Version(rule, draft.function, draft.imports, is_right=True) for rule, draft in different.values()]


def _only(source: str, name: str) -> str:
    found = [node for node in ast.parse(source).body if getattr(node, "name", "") == name]
    return ast.unparse(found[-1]) + "\n"


def _differ(source: str, name: str, changed: str, calls: list[tuple[object, ...]]) -> bool:
    """Whether a change that ends at once does something else on an input; what may not end is no trial."""
    if any(isinstance(node, ast.While) for node in ast.walk(ast.parse(changed))):
        return False
    results: list[list[str]] = []
    for text in (source, f"{source}\n{changed}"):
        names: dict[str, Any] = {"__name__": "functions"}
        exec(text, names)
        results.append([_result(names[name], call) for call in calls])
    return results[0] != results[1]


def _result(function: Any, call: tuple[object, ...]) -> str:
    try:
        return repr(function(*json.loads(json.dumps(call)) if _is_plain(call) else call))
    except Exception as error:  # noqa: BLE001
        return type(error).__name__


def _is_plain(call: tuple[object, ...]) -> bool:
    try:
        return json.loads(json.dumps(call)) == list(call)
    except TypeError:
        return False


class Trial:
    """One function's evidence, and what it says of its versions."""

    def __init__(self, subject: Subject, sandbox: Executor, folder: Path) -> None:
        self._subject = subject
        self._sandbox = sandbox
        self._folder = folder
        self._function = f"{subject.set}:{hashlib.sha256((subject.module + subject.name).encode()).hexdigest()[:8]}"
        self._score = (0, 0)

    async def rows(self) -> list[Row]:
        """Judge all versions as a run does."""
        target = await anyio.to_thread.run_sync(self._target)
        try:
            evidence = await self._evidence(target)
        except CodeensError as error:
            return [self._row(version, f"no evidence: {error}") for version in self._subject.versions]
        if evidence.mutation:
            self._score = (evidence.mutation.noticed, evidence.mutation.total)
        prober = Prober(
            target, evidence, run_id="bench", run_timeout_s=SETTINGS.timeout_s, limits=LIMITS, sandbox=self._sandbox
        )
        return [await self._judged(version, target, evidence, prober) for version in self._subject.versions]

    def _target(self) -> Target:
        self._folder.mkdir()
        (self._folder / "mod.py").write_text(self._subject.module, encoding="utf-8")
        (self._folder / "pyproject.toml").write_text("", encoding="utf-8")
        return find_target(f"mod.py::{self._subject.name}", cwd=self._folder)

    async def _evidence(self, target: Target) -> Evidence:
        plan = EvidencePlan(mode="improve", max_inputs=SETTINGS.max_inputs, timeout_s=SETTINGS.timeout_s, limits=LIMITS)

        async def say(_: str) -> None:
            return None

        return await with_mutation_score(
            target,
            await gather(target, plan, sandbox=self._sandbox, say=say),
            most=SETTINGS.max_mutants,
            run_timeout_s=SETTINGS.timeout_s,
            limits=LIMITS,
            sandbox=self._sandbox,
        )

    async def _judged(self, version: Version, target: Target, evidence: Evidence, prober: Prober) -> Row:
        started = time.monotonic()
        candidate = Candidate(
            id="c",
            model="m",
            variant="v",
            source=version.source,
            replacement=Replacement(function=version.source, imports=version.imports),
            digest="d",
        )
        judged = await judge(candidate, target=target, evidence=evidence, sandbox=self._sandbox, sandbox_label="")
        found_by = "evidence"
        if judged.verdict.passes:
            found_by = "search"
            judged = await prober.probe(candidate, judged)
        verdict = judged.verdict
        found_by = "" if verdict.status == "passed" else found_by
        return self._row(version, verdict.status, found_by, verdict.reason, time.monotonic() - started)

    def _row(self, version: Version, status: str, found_by: str = "", reason: str = "", seconds: float = 0.0) -> Row:
        noticed, changes = self._score
        return Row(
            key=self._subject.key(version),
            set=self._subject.set,
            kind=version.kind,
            name=self._subject.name,
            function=self._function,
            is_right=version.is_right,
            status=status,
            noticed=noticed,
            changes=changes,
            found_by=found_by,
            reason=reason,
            seconds=seconds,
        )


def read(file: Path) -> dict[str, Row]:
    """Return the rows of a file by their keys; none where there is no file."""
    if not file.exists():
        return {}
    rows = [msgspec.json.decode(line, type=Row) for line in file.read_bytes().splitlines()]
    return {row.key: row for row in rows}


async def make_rows(missing: Sequence[Subject], file: Path, seconds: float, parallel: int) -> None:
    """Judge the versions of subjects, and append each subject's rows; none begins after so many seconds."""
    until = time.monotonic() + seconds
    limiter = anyio.CapacityLimiter(parallel)
    with tempfile.TemporaryDirectory() as folder:
        spec = SandboxSpec(python=sys.executable, readable=(folder,), limits=LIMITS)
        async with open_executor(LocalBackend(), spec, parallel) as executor, anyio.create_task_group() as group:

            async def one(number: int, subject: Subject) -> None:
                async with limiter:
                    if time.monotonic() > until:
                        return
                    started = time.monotonic()
                    rows = await Trial(subject, executor, Path(folder, str(number))).rows()
                text = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
                await anyio.to_thread.run_sync(_append, file, text)
                sys.stderr.write(f"{number + 1}/{len(missing)} {subject.name} {time.monotonic() - started:.0f} s\n")

            for number, subject in enumerate(missing):
                group.start_soon(one, number, subject)


def _append(file: Path, text: bytes) -> None:
    with file.open("ab") as opened:
        opened.write(text)


def table(rows: Sequence[Row]) -> str:
    """Return a line for each set of wrong versions, and one for the right ones."""
    wrong = [row for row in rows if not row.is_right]
    lines = [
        "| set | functions | wrong | by the evidence | by inputs against it | on conditions | passed | at 100 % |",
        "| --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for name in [*dict.fromkeys(row.set for row in wrong), "all"]:
        some = [row for row in wrong if name in {row.set, "all"}]
        found = Counter(row.found_by for row in some if not row.got_through)
        passed = [row for row in some if row.status == "passed"]
        functions = len({row.function for row in some})
        conditional = sum(row.status == "conditional" for row in some)
        lines.append(
            f"| {name} | {functions} | {len(some)} | {found['evidence']} | {found['search']} | {conditional} "
            f"| {len(passed)} | {sum(row.is_sure for row in passed)} |"
        )
    right = [row for row in rows if row.is_right]
    refused = [row for row in right if not row.got_through]
    lines.append(
        f"\nRight versions by {len({row.kind for row in right})} rewrites: {len(right)}, refused {len(refused)}"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, required=True, help="rows, one a line; what is there is not made again")
    parser.add_argument("--seconds", type=float, default=1500.0, help="after which nothing more is begun")
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--only", default="", help="a set or the name of a function; only these")
    arguments = parser.parse_args()
    all_subjects = [one for one in subjects() if arguments.only in {"", one.set, one.name}]
    known = read(arguments.file)
    missing = [one for one in all_subjects if any(one.key(version) not in known for version in one.versions)]
    if missing:
        anyio.run(make_rows, missing, arguments.file, arguments.seconds, arguments.parallel)
        known = read(arguments.file)
    keys = [one.key(version) for one in all_subjects for version in one.versions]
    rows = [known[key] for key in keys if key in known]
    print(f"{len(rows)} of {len(keys)}\n\n{table(rows)}")
    for row in rows:
        if row.got_through != row.is_right:
            score = f"would notice {row.noticed} of {row.changes}"
            print(f"{row.status}: {row.set}, {row.kind}, {row.name}: {score}; {row.reason}")


if __name__ == "__main__":
    main()
