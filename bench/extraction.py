"""How many real answers survive extraction: replies whose program passes its task's tests, extracted and run again.

    python bench/extraction.py [--data DIR] [--json] [--failures N]

Reads `candidates/humaneval_even.jsonl.gz` and `humaneval/HumanEval.jsonl.gz` below the data folder (`CODEENS_DATA`). Of
every row labelled "pass" the reply is extracted with the task's prompt as stub. Where the extracted function has the
same syntax tree as the row's own program and needs nothing that is not there, it survives; the others are run.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from codeens_server.domain import Replacement
from codeens_server.generation.extract import Unusable, extract
from codeens_server.generation.normalise import normalised
from codeens_server.generation.python_text import names_of, pieces

SECONDS = 20
MEMORY = 2 << 30


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One labelled answer. `raw` is the reply; null where it is the same as `code`."""

    task_id: str
    source: str
    model: str
    style: str
    idx: int | str | None = None
    raw: str | None = None
    code: str | None = None
    label: str


class HumanEvalTask(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    prompt: str
    entry_point: str
    test: str


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that did not survive."""

    task_id: str
    source: str
    style: str
    why: str
    reply: str


class Survival(msgspec.Struct, frozen=True, kw_only=True):
    answers: int
    survived: int
    executed: int
    by_source: dict[str, tuple[int, int]]
    """Source → survived, answers."""
    by_style: dict[str, tuple[int, int]]
    reasons: dict[str, int]
    lost: tuple[Lost, ...]


def main() -> None:
    options = _options()
    tasks = {task.task_id: task for task in _read(options.data / "humaneval/HumanEval.jsonl.gz", HumanEvalTask)}
    answers = _read(options.data / "candidates/humaneval_even.jsonl.gz", Row)
    rows = [row for row in answers if row.label == "pass" and (row.raw or row.code)]
    survival = measure(rows, tasks, options.workers)
    if options.json:
        print(msgspec.json.encode(survival).decode())
    else:
        _print(survival, options.failures)


def measure(rows: list[Row], tasks: dict[str, HumanEvalTask], workers: int) -> Survival:
    """Extract all, and run those whose function is not the same as the labelled program's."""
    reasons: dict[int, str] = {}
    programs: dict[int, tuple[str, HumanEvalTask]] = {}
    for number, row in enumerate(rows):
        task = tasks[row.task_id]
        try:
            replacement = extract(row.raw or row.code or "", task.entry_point, stub=task.prompt, is_method=False)
        except Unusable as error:
            reasons[number] = f"unusable: {error}"
            continue
        program = assemble(task, replacement)
        if not _is_the_same(program, replacement, row.code or "", task):
            programs[number] = (program, task)
    reasons |= _run_all(programs, workers)
    return _survival(rows, reasons, executed=len(set(programs.values())))


def assemble(task: HumanEvalTask, replacement: Replacement) -> str:
    """The prompt without the target, and the replacement after it."""
    around = [piece.text for piece in pieces(task.prompt) if getattr(piece.node, "name", "") != task.entry_point]
    return "\n\n".join([*replacement.imports, *around, *replacement.helpers, replacement.function]) + "\n"


def _is_the_same(program: str, replacement: Replacement, code: str, task: HumanEvalTask) -> bool:
    """Whether the function is that of the labelled program and stands on the prompt alone."""
    names = names_of(program)
    if replacement.helpers or names.used - names.bound - set(dir(builtins)):
        return False
    labelled = [piece.text for piece in pieces(code) if getattr(piece.node, "name", "") == task.entry_point]
    return bool(labelled) and _bare(labelled[-1]) == _bare(replacement.function)


def _bare(function: str) -> str:
    """The normalised function without annotations: those of the prompt are put in place of the reply's."""
    tree = ast.parse(function)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
    return normalised(ast.unparse(tree))


def _run_all(programs: dict[int, tuple[str, HumanEvalTask]], workers: int) -> dict[int, str]:
    different = list(dict.fromkeys(programs.values()))
    with ThreadPoolExecutor(workers) as pool:
        ends = dict(zip(different, pool.map(lambda item: _run(*item), different), strict=True))
    return {number: ends[program] for number, program in programs.items() if ends[program]}


def _run(program: str, task: HumanEvalTask) -> str:
    """Empty when the official test passes, else how it ended."""
    text = f"{program}\n{task.test}\ncheck({task.entry_point})\n"
    with tempfile.TemporaryDirectory() as folder:
        try:
            ended = subprocess.run(
                [sys.executable, "-I", "-W", "ignore", "-c", text],
                cwd=folder,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=SECONDS,
                preexec_fn=_limit,  # noqa: PLW1509  the pool's threads hold no lock that the limits need
                env={"PATH": os.defpath, "PYTHONHASHSEED": "0"},
                encoding="utf-8",
                errors="replace",
            )
        except subprocess.TimeoutExpired:
            return "timeout"
    if ended.returncode == 0:
        return ""
    last = (ended.stderr.strip().splitlines() or [""])[-1]
    return last.split(":")[0] or f"exit code {ended.returncode}"


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def _survival(rows: list[Row], reasons: dict[int, str], executed: int) -> Survival:
    return Survival(
        answers=len(rows),
        survived=len(rows) - len(reasons),
        executed=executed,
        by_source=_shares([row.source for row in rows], reasons),
        by_style=_shares([row.style for row in rows], reasons),
        reasons=dict(Counter(reasons.values()).most_common()),
        lost=tuple(
            Lost(
                task_id=rows[number].task_id,
                source=rows[number].source,
                style=rows[number].style,
                why=why,
                reply=rows[number].raw or rows[number].code or "",
            )
            for number, why in reasons.items()
        ),
    )


def _shares(keys: list[str], reasons: dict[int, str]) -> dict[str, tuple[int, int]]:
    total = Counter(keys)
    lost = Counter(keys[number] for number in reasons)
    return {key: (count - lost[key], count) for key, count in total.most_common()}


def _print(survival: Survival, failures: int) -> None:
    share = 100 * survival.survived / survival.answers
    print(f"{survival.survived} of {survival.answers} survived ({share:.2f} %); {survival.executed} programs were run")
    for title, shares in (("source", survival.by_source), ("style", survival.by_style)):
        print(f"\n{title}: survived / answers")
        for key, (survived, answers) in shares.items():
            if title == "source" or survived < answers:
                print(f"  {key:40} {survived:5} / {answers:5}  {100 * survived / answers:6.2f} %")
    print("\nreasons of loss")
    for reason, count in survival.reasons.items():
        print(f"  {count:4}  {reason}")
    for lost in survival.lost[:failures]:
        print(f"\n--- {lost.task_id} {lost.source} {lost.style}: {lost.why}\n{lost.reply}")


def _read(path: Path, kind: Any) -> Iterator[Any]:
    if not path.exists():
        sys.exit(f"{path} is not there: give the data folder with --data or CODEENS_DATA")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield msgspec.convert(json.loads(line), kind)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("CODEENS_DATA", Path(__file__).parents[2] / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--failures", type=int, default=0, metavar="N", help="show the first N lost replies")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
