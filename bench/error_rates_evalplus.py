"""EvalPlus' judge on the same answers as `error_rates.py`, as far as these call a function.

    python bench/error_rates_evalplus.py --evalplus PYTHON [--data FOLDER]

PYTHON is an interpreter that has EvalPlus. It judges the traps of `codeens_server/bench/traps.py` by their calls, and
HumanEvalPack's functions before and after their repair by HumanEval's own inputs (the further ones of HumanEval+ want
what not all repaired functions do). EvalPlus isolates nothing: what is run are traps of this project and a public data
set.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from codeens_server.bench.datasets.loading import load_tasks
from codeens_server.bench.traps import KnownAnswer, right_answers, wrong_answers

_JUDGE = Path(__file__).with_name("error_rates_evalplus_judge.py")


class Judged(NamedTuple):
    """An answer as EvalPlus takes it, and what its verdict has to be."""

    name: str
    entry_point: str
    program: str
    inputs: list[list[Any]]
    expected: list[Any]
    right: bool
    atol: float = 0.0
    """How far a float may be off, as the data set says."""

    @property
    def line(self) -> str:
        return _literal((self.entry_point, self.program, self.inputs, self.expected, self.atol))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evalplus", required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("CODEENS_DATA"))
    options = parser.parse_args()
    sets = {"traps": [one for each in (*right_answers(), *wrong_answers()) for one in _trap(each)]}
    if options.data:
        sets["repairs"] = list(_repairs(options.data))
    for name, judged in sets.items():
        _measure(name, judged, options.evalplus)


def _trap(one: KnownAnswer) -> Iterator[Judged]:
    """Yield a trap where all that it asks for are calls with known results."""
    task = one.task
    if task.wants_script:
        return
    calls = [(list(case.args or ()), case.expected_output) for case in task.test_cases]
    calls += _asserted(task.tests or "", {task.entry_point, "candidate"})
    if calls:
        inputs, expected = [args for args, _ in calls], [value for _, value in calls]
        yield Judged(one.name, task.entry_point, task.program(one.source), inputs, expected, one.right)


def _asserted(tests: str, names: set[str]) -> Iterator[tuple[list[Any], Any]]:
    """Yield the calls of asserts of the form `f(1) == 2`."""
    for node in ast.walk(ast.parse(tests)):
        match node:
            case ast.Assert(test=ast.Compare(left=ast.Call(func=ast.Name(id=name), args=args), comparators=[value])):
                if name in names:
                    yield [ast.literal_eval(arg) for arg in args], ast.literal_eval(value)
            case _:
                pass


def _repairs(data: Path) -> Iterator[Judged]:
    with gzip.open(data / "humaneval" / "HumanEvalPlus-Mini.jsonl.gz", "rt", encoding="utf-8") as file:
        plus = {row["task_id"].rpartition("/")[2]: row for row in map(json.loads, file)}
    for item in load_tasks("humanevalpack", None, {"CODEENS_DATA": str(data)}).items:
        row, task = plus[item.task.id.rpartition("/")[2]], item.task
        inputs = row["base_input"]
        names: dict[str, Any] = {}
        exec(row["prompt"] + row["canonical_solution"], names)
        expected = [names[row["entry_point"]](*given) for given in json.loads(json.dumps(inputs))]
        for what, source in (("repaired", task.reference or ""), ("faulty", item.shown or "")):
            named, program = f"{task.id} {what}", task.program(source)
            right, atol = what == "repaired", row["atol"]
            yield Judged(named, row["entry_point"], program, inputs, expected, right, atol)


def _measure(name: str, judged: Sequence[Judged], python: str) -> None:
    text = "".join(one.line + "\n" for one in judged)
    done = subprocess.run([python, _JUDGE], input=text, capture_output=True, text=True, check=True)
    verdicts = [line == "pass" for line in done.stdout.splitlines()[-len(judged) :]]
    for right, what in ((True, "right, refused"), (False, "wrong, accepted")):
        asked = [(one, said) for one, said in zip(judged, verdicts, strict=True) if one.right is right]
        wrong = [one.name for one, said in asked if said is not right]
        print(f"{name}: {what}: {len(wrong)} of {len(asked)}{': ' if wrong else ''}{', '.join(wrong)}")


def _literal(value: Any) -> str:
    """Return a value as Python source on one line; large integers have no decimal form."""
    if isinstance(value, (list, tuple)):
        inside = "".join(f"{_literal(one)}, " for one in cast("Sequence[Any]", value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value).items()
        return "{" + "".join(f"{_literal(key)}: {_literal(one)}, " for key, one in pairs) + "}"
    return hex(value) if isinstance(value, int) and not isinstance(value, bool) else repr(value)


if __name__ == "__main__":
    main()
