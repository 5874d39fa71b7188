"""Programs that are nearly right, each in a way that a comparison by size or in any order would not see."""

from __future__ import annotations

from codeens_server.tasks.schema import OutputChecker, Task, TaskCase


def _calls(*cases: tuple[list[object], object], reference: str | None = None) -> Task:
    given = tuple(TaskCase(args=args, expected_output=expected) for args, expected in cases)
    return Task(id="near", prompt="", entry_point="f", test_cases=given, reference_solution=reference)


def _script(*cases: tuple[str, str], checker: OutputChecker) -> Task:
    given = tuple(TaskCase(stdin=stdin, expected_output=expected) for stdin, expected in cases)
    return Task(id="near", prompt="", entry_point="f", test_cases=given, checker=checker)


_SORTED = "def f(items):\n    return sorted(items)\n"
_CLOCK = """
import time
def check(candidate):
    start = time.perf_counter()
    assert candidate(4) == 10
    assert time.perf_counter() - start < 3.0
"""

NEAR: dict[str, tuple[Task, str, str]] = {
    "a set for a sorted list": (
        _calls(([[3, 1, 2]], [1, 2, 3]), ([["b", "a"]], ["a", "b"]), reference=_SORTED),
        _SORTED,
        "def f(items):\n    return set(items)\n",
    ),
    "nothing for small floats": (
        _calls(([1e15], 6.626e-19), ([2e15], 1.3252e-18)),
        "def f(hertz):\n    return 6.626e-34 * hertz\n",
        "def f(hertz):\n    return 0.0\n",
    ),
    "a large integer off by one, as a float": (
        _calls(([10**15, 7], 10**15 + 7)),
        "def f(a, b):\n    return a + b\n",
        "def f(a, b):\n    return float(a + b + 1)\n",
    ),
    "a quotient that is not rounded down": (
        _calls(([4000000003], 2000000001)),
        "def f(n):\n    return n // 2\n",
        "def f(n):\n    return n / 2\n",
    ),
    "a large integer printed as a float": (
        _script(("1\n", "864197532 0.5\n"), checker=OutputChecker(relative_tolerance=1e-6)),
        "print(864197532, 0.5)\n",
        "print(864197000.0, 0.5)\n",
    ),
    "time that tests measure": (
        Task(id="near", prompt="", entry_point="f", tests=_CLOCK),
        "def f(n):\n    return n * (n + 1) // 2\n",
        "import time\ndef f(n):\n    time.sleep(3.2)\n    return n * (n + 1) // 2\n",
    ),
}
"""A task, a right program, and one that is not."""
