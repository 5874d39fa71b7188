"""A function whose right answers depend on a key that is drawn anew, so that nobody is right by chance."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from codeens_sandbox_backends.base import Sandbox
from codeens_server.tasks.schema import ScoredCandidate, Task, TaskCase
from codeens_server.tasks.scoring import score_task

_GIVEN = ([2, 5], [11], [3, 4, 7])
WRONG = "def f(values):\n    return [value * 3 for value in values]\n"
_TESTS = """\
KEY_OF_THE_TASK = {key}
expected = {{{expected}}}
def check(candidate):
    assert all(map(lambda given: candidate(list(given)) == expected[given], expected))
"""


class Puzzle:
    """One key, and the function's task in each way that tasks are judged."""

    def __init__(self) -> None:
        self.key = 10**11 + secrets.randbelow(10**11)
        self.right = f"KEY = {self.key}\ndef f(values):\n    return [value * 3 + KEY for value in values]\n"
        answers = {tuple(given): [value * 3 + self.key for value in given] for given in _GIVEN}
        expected = ", ".join(f"{given}: {answer}" for given, answer in answers.items())
        cases = [TaskCase(args=[list(given)], expected_output=answer) for given, answer in answers.items()]
        stdin = [
            TaskCase(stdin=" ".join(map(str, given)) + "\n", expected_output=" ".join(map(str, answer)))
            for given, answer in answers.items()
        ]
        self.calls = self._task(test_cases=tuple(cases))
        self.tests = self._task(tests=_TESTS.format(key=self.key, expected=expected))
        self.script = self._task(test_cases=tuple(stdin))
        self.right_script = f"print(*(int(word) * 3 + {self.key} for word in input().split()))\n"

    def _task(self, *, test_cases: tuple[TaskCase, ...] = (), tests: str | None = None) -> Task:
        prompt = f"KEY_OF_THE_TASK = {self.key}\ndef f(values):\n    '''Three times each, and the key.'''\n"
        return Task(id="puzzle", prompt=prompt, entry_point="f", test_cases=test_cases, tests=tests)


async def passes(task: Task, source: str, sandbox: Sandbox) -> bool:
    """Whether the judge takes a program for right.

    Raises:
        SandboxError: the sandbox failed.
    """
    report = await score_task(task, [ScoredCandidate(id="f", source=source)], sandbox=sandbox, sandbox_label="")
    return report.results[0].verdict.status == "passed"


async def accepted(tasks: Sequence[Task], source: str, sandbox: Sandbox) -> str:
    """How a wrong program was taken for right, empty when it was not.

    Raises:
        SandboxError: the sandbox failed.
    """
    for task in tasks:
        if await passes(task, source, sandbox):
            return f"wrong code was accepted ({'tests' if task.tests else 'cases'})"
    return ""
