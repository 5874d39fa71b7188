"""How many real answers survive extraction: replies whose program passes its task's tests, extracted and run again.

    python bench/extraction.py [--data DIR] [--json] [--failures N]

Reads `candidates/humaneval_even.jsonl.gz` and `humaneval/HumanEval.jsonl.gz` below the data folder (`CODEENS_DATA`). Of
every row labelled "pass" the reply is extracted with the task's prompt as stub, and the result is run against the
task's tests. As these replies are mostly bare code, some of the functions are then put into the shapes of
`made_replies.py`, extracted, and run again.
"""

from __future__ import annotations

import argparse
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
from made_replies import made_replies, parameters, plain

from codeens_server.domain.target import Replacement
from codeens_server.generation.reply.extract import Unusable, extract
from codeens_server.generation.reply.python_text import statements_of

SECONDS = 20
FUNCTIONS_PER_TASK = 6
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
    by_source: dict[str, tuple[int, int]]
    """Source → survived, answers."""
    by_style: dict[str, tuple[int, int]]
    reasons: dict[str, int]
    lost: tuple[Lost, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    real: Survival
    """The replies as the models gave them."""
    made: Survival
    """Working functions put into other shapes; `style` is the shape."""


def main() -> None:
    options = _options()
    tasks = {task.task_id: task for task in _read(options.data / "humaneval/HumanEval.jsonl.gz", HumanEvalTask)}
    answers = _read(options.data / "candidates/humaneval_even.jsonl.gz", Row)
    rows = [row for row in answers if row.label == "pass"]
    real = measure(rows, tasks, options.workers)
    report = Report(real=real, made=measure(made_rows(rows, real, tasks), tasks, options.workers))
    if options.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print("real replies", report.real, options.failures)
        _print("made replies", report.made, options.failures)


def measure(rows: list[Row], tasks: dict[str, HumanEvalTask], workers: int) -> Survival:
    """Extract all, and run what was extracted; of those lost, run the labelled program too."""
    reasons: dict[int, str] = {}
    programs: dict[int, tuple[str, HumanEvalTask]] = {}
    for number, row in enumerate(rows):
        task = tasks[row.task_id]
        try:
            replacement = extract(_reply(row), task.entry_point, stub=task.prompt, is_method=False)[0].replacement
        except Unusable as error:
            reasons[number] = f"unusable: {error}"
        else:
            programs[number] = (assemble(task, replacement), task)
    reasons |= _run_all(programs, workers)
    labelled = {number: (rows[number].code or "", tasks[rows[number].task_id]) for number in reasons}
    for number in _run_all(labelled, workers):
        reasons[number] += " (so does its labelled program)"
    return _survival(rows, reasons)


def made_rows(rows: list[Row], real: Survival, tasks: dict[str, HumanEvalTask]) -> list[Row]:
    """The first few different answers to each task that survived, without helpers of their own, in every shape."""
    lost = {(one.task_id, one.reply) for one in real.lost}
    chosen: dict[str, dict[str, None]] = {}
    for row in rows:
        functions = chosen.setdefault(row.task_id, {})
        if len(functions) >= FUNCTIONS_PER_TASK or (row.task_id, _reply(row)) in lost:
            continue
        task = tasks[row.task_id]
        replacement = extract(_reply(row), task.entry_point, stub=task.prompt, is_method=False)[0].replacement
        alone = not replacement.imports and not replacement.helpers
        if alone and parameters(replacement.function) == parameters(task.prompt):
            functions[plain(replacement.function)] = None
    return [
        Row(task_id=name, source="made", model="", style=shape, raw=reply, code=function, label="pass")
        for name, functions in chosen.items()
        for function in functions
        for shape, reply in made_replies(function, tasks[name].prompt).items()
    ]


def _reply(row: Row) -> str:
    return row.raw if row.raw is not None else row.code or ""


def assemble(task: HumanEvalTask, replacement: Replacement) -> str:
    """The prompt without the target, and the replacement after it."""
    around = [piece.text for piece in statements_of(task.prompt) if getattr(piece.node, "name", "") != task.entry_point]
    return "\n\n".join([*replacement.imports, *around, *replacement.helpers, replacement.function]) + "\n"


def _run_all(programs: dict[int, tuple[str, HumanEvalTask]], workers: int) -> dict[int, str]:
    different = list(dict.fromkeys(programs.values()))
    with ThreadPoolExecutor(workers) as pool:
        ends = dict(zip(different, pool.map(_run, different), strict=True))
    return {number: ends[program] for number, program in programs.items() if ends[program]}


def _run(item: tuple[str, HumanEvalTask]) -> str:
    """Empty when the official test passes, else how it ended."""
    program, task = item
    text = f"{program}\n{task.test}\ncheck({task.entry_point})\n"
    with tempfile.TemporaryDirectory() as folder:
        try:
            ended = subprocess.run(
                [sys.executable, "-I", "-W", "ignore", "-c", text],
                cwd=folder,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=SECONDS,
                preexec_fn=_limit,
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


def _survival(rows: list[Row], reasons: dict[int, str]) -> Survival:
    return Survival(
        answers=len(rows),
        survived=len(rows) - len(reasons),
        by_source=_shares([row.source for row in rows], reasons),
        by_style=_shares([row.style for row in rows], reasons),
        reasons=dict(Counter(reasons.values()).most_common()),
        lost=tuple(
            Lost(
                task_id=rows[number].task_id,
                source=rows[number].source,
                style=rows[number].style,
                why=why,
                reply=_reply(rows[number]),
            )
            for number, why in reasons.items()
        ),
    )


def _shares(keys: list[str], reasons: dict[int, str]) -> dict[str, tuple[int, int]]:
    total = Counter(keys)
    lost = Counter(keys[number] for number in reasons)
    return {key: (count - lost[key], count) for key, count in total.most_common()}


def _print(title: str, survival: Survival, failures: int) -> None:
    share = 100 * survival.survived / survival.answers
    print(f"\n== {title}: {survival.survived} of {survival.answers} survived ({share:.2f} %)")
    print("by source")
    for key, (survived, answers) in survival.by_source.items():
        print(f"  {key:40} {survived:5} / {answers:5}  {100 * survived / answers:6.2f} %")
    print(f"by style, of {len(survival.by_style)} those with a loss")
    for key, (survived, answers) in survival.by_style.items():
        if survived < answers:
            print(f"  {key:40} {survived:5} / {answers:5}  {100 * survived / answers:6.2f} %")
    print("reasons of loss")
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
