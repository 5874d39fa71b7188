"""How often each offline rewrite applies to real functions, passes, and wins.

Run from the repository: `python bench/rewrite_rules.py PACKAGE... --file ROWS.jsonl [--seconds N] [--functions N]`.

PACKAGE is the import name of a package installed beside codeens. Functions of all of them are taken in an order that
the seed decides, until enough are found on which at least one rule makes something. How much easier the candidates read
is computed from their text. Those of rules for speed are judged and measured as in any run, in a copy of the package
without its tests (wheels have none): by doctests and generated inputs. "Faster" is a speed-up that may be claimed: the
whole interval is above 1. What the file holds is not done again, so that pieces add up.

Timings mean something only while nothing else runs.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec

import codeens
from codeens_server.domain.document import RankedResult
from codeens_server.domain.target import Target
from codeens_server.errors import CodeensError
from codeens_server.generation.rewrites.facts import facts_of
from codeens_server.generation.rewrites.rule import Draft
from codeens_server.generation.rewrites.rules import RULES
from codeens_server.measuring.readability import Unmeasurable, readability
from codeens_server.workspace.find import find_target
from codeens_server.workspace.functions import FunctionSite, functions_in

READABILITY = frozenset({"ruff:SIM", "ruff:PIE", "ruff:RET", "ruff:UP"})
OF_A_FILE = 4
"""Functions of one file that are looked at: ruff reads it once for all of them."""
LONGEST = 80
"""Lines of a function that is looked at."""
WORTH_A_LOOK = (ast.For, ast.While, ast.comprehension, ast.Call)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one rule on one function."""

    rule: str
    status: str
    """`read` where only the text was compared."""
    simpler: bool
    speed: float | None = None
    faster: bool = False
    slower: bool = False
    reason: str = ""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """A function that was looked at, with a row for each rule that made something of it."""

    function: str
    rows: tuple[Row, ...] = ()


def sites(packages: Sequence[str], folder: Path, seed: int) -> list[tuple[Path, FunctionSite]]:
    """Copy the packages, each into a folder of its own, and return their functions in the seed's order."""
    chance = random.Random(seed)
    files = [path for package in packages for path in _files(package, folder)]
    chance.shuffle(files)
    found: list[tuple[Path, FunctionSite]] = []
    for path in files:
        here = list(_functions(path))
        found += [(path, site) for site in chance.sample(here, min(OF_A_FILE, len(here)))]
    return found


def _files(package: str, folder: Path) -> list[Path]:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        message = f"{package} is not installed as a package"
        raise SystemExit(message)
    root = folder / package
    ignored = shutil.ignore_patterns("test", "tests", "testing", "__pycache__", "*.so", "_vendor")
    shutil.copytree(spec.submodule_search_locations[0], root / package, ignore=ignored)
    (root / "pyproject.toml").write_text('[project]\nname = "copy"\nversion = "0"\n', encoding="utf-8")
    return sorted(root.rglob("*.py"))


def _functions(path: Path) -> Iterator[FunctionSite]:
    """Yield functions that somebody can call with arguments alone: no methods, none inside of others."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return
    for site in functions_in(tree):
        is_plain = not site.scopes and isinstance(site.node, ast.FunctionDef) and bool(site.node.args.args)
        is_worth = any(isinstance(node, WORTH_A_LOOK) for node in ast.walk(site.node))
        if is_plain and is_worth and site.end_line - site.line < LONGEST:
            yield site


def rewritten(path: Path, site: FunctionSite) -> tuple[Target, dict[str, str]]:
    """Return a function, and what each rule alone makes of it.

    Raises:
        CodeensError: it cannot be a target.
    """
    target = find_target(f"{path}:{site.line}", cwd=path.parent)
    source = path.read_text(encoding="utf-8")
    start = Draft(target=target, source=source, facts=facts_of(source, target), function=target.source)
    made = {name: draft.replacement().source for name, rule in RULES.items() if (draft := rule.apply(start))}
    first: dict[str, str] = {}
    for name, text in made.items():
        if text not in first.values():
            first[name] = text
    return target, first


async def looked_at(session: codeens.Session, path: Path, site: FunctionSite, name: str, timeout_s: float) -> Looked:
    """Apply all rules to a function, and judge and measure what those for speed make of it."""
    try:
        target, made = await asyncio.to_thread(rewritten, path, site)
        old = await readability(target.source) if made else None
        simpler = {rule: bool(old) and (await readability(text)).score > old.score for rule, text in made.items()}
    except (CodeensError, Unmeasurable):
        return Looked(function=name)
    read = [Row(rule=rule, status="read", simpler=simpler[rule]) for rule in made if rule in READABILITY]
    speedy = {rule: text for rule, text in made.items() if rule not in READABILITY}
    raced = await _raced(session, f"{path}:{site.line}", speedy, simpler, timeout_s) if speedy else []
    return Looked(function=name, rows=(*read, *raced))


async def _raced(
    session: codeens.Session, target: str, candidates: dict[str, str], simpler: dict[str, bool], timeout_s: float
) -> list[Row]:
    names = {name.replace(":", "-"): name for name in candidates}
    given = {id_: candidates[name] for id_, name in names.items()}
    try:
        run = await session.judge(target, given, timeout_s=timeout_s)
    except CodeensError as error:
        return [Row(rule=name, status="refused", simpler=simpler[name], reason=str(error)) for name in candidates]
    results = {row.candidate.id: row for row in run.document.results}
    return [_row(name, results.get(id_), simpler=simpler[name]) for id_, name in names.items()]


def _row(rule: str, result: RankedResult | None, *, simpler: bool) -> Row:
    if result is None:
        return Row(rule=rule, status="not run", simpler=simpler)
    status = result.verdict.status
    speed = result.speed
    return Row(
        rule=rule,
        status="nothing known" if status == "passed" and not result.verdict.passed else status,
        simpler=simpler,
        speed=speed.ratio if speed else None,
        faster=bool(speed and speed.faster),
        slower=bool(speed and speed.slower),
        reason=result.verdict.reason,
    )


async def look(options: argparse.Namespace, folder: Path, known: dict[str, Looked]) -> None:
    """Look at further functions and append each to the file, until there are enough or the time is over."""
    until = time.monotonic() + options.seconds
    settings = {"python": sys.executable, "max_inputs": 60, "max_mutants": 0}
    async with codeens.Session(settings=settings) as session:
        for path, site in sites(options.packages, folder, options.seed):
            name = f"{path.relative_to(folder)}:{site.line}:{site.qualname}"
            if name in known:
                continue
            if time.monotonic() > until or _found(known) >= options.functions or len(known) >= options.most:
                return
            started = time.monotonic()
            known[name] = await looked_at(session, path, site, name, options.timeout)
            with options.file.open("ab") as file:
                file.write(msgspec.json.encode(known[name]) + b"\n")
            if known[name].rows:
                told = ", ".join(f"{row.rule} {row.status} {row.speed or ''}" for row in known[name].rows)
                sys.stderr.write(f"{_found(known)}/{len(known)} {name} {time.monotonic() - started:.0f} s: {told}\n")


def _found(known: dict[str, Looked]) -> int:
    return sum(bool(one.rows) for one in known.values())


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rules as Markdown, those first that win most."""
    by_rule: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_rule[row.rule].append(row)
    yield "| rule | applies | simpler | passed | differs | raced | faster | slower | median |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for rule in sorted(RULES, key=lambda name: (-sum(row.faster for row in by_rule[name]), -len(by_rule[name]))):
        mine = by_rule[rule]
        passed = [row for row in mine if row.status in {"passed", "conditional"}]
        differs = sum(row.status in {"failed", "error", "timeout"} for row in mine)
        speeds = [row.speed for row in passed if row.speed is not None]
        counted = [sum(row.faster for row in passed), sum(row.slower for row in passed)]
        median = f"{statistics.median(speeds):.2f}" if speeds else ""
        simpler = sum(row.simpler for row in mine)
        cells = [len(mine), simpler, len(passed), differs, len(speeds), *counted, median]
        yield f"| `{rule}` | {' | '.join(map(str, cells))} |"


def read(file: Path) -> dict[str, Looked]:
    """Return what a file holds, by function; nothing where there is no file."""
    lines = file.read_bytes().splitlines() if file.exists() else []
    return {one.function: one for one in (msgspec.json.decode(line, type=Looked) for line in lines)}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+")
    parser.add_argument("--file", type=Path, required=True, help="functions, one a line")
    parser.add_argument("--functions", type=int, default=200, help="on which a rule applies")
    parser.add_argument("--most", type=int, default=5000, help="functions that are looked at")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1500.0, help="after which nothing more is begun")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for a function")
    options = parser.parse_args()
    known = read(options.file)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(look(options, Path(folder), known))
    print(f"{_found(known)} functions of {len(known)} looked at, of {len(options.packages)} packages\n")
    print("\n".join(table([row for one in known.values() for row in one.rows])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
