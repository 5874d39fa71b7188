"""A small workspace to run ensembles in: functions that are quick to judge, and answers for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

MODULE = '''"""Sums."""

from __future__ import annotations


def total(numbers: list[int]) -> int:
    """The sum of the squares.

    >>> total([1, 2])
    5
    """
    result = 0
    for number in numbers:
        for _ in range(abs(number)):
            result = result + abs(number)
    return result


class Account:
    """Money."""

    def __init__(self, start: int) -> None:
        self.amount = start

    @property
    def empty(self) -> bool:
        return self.amount == 0

    @empty.setter
    def empty(self, value: bool) -> None:
        self.amount = 0


def later(number: int) -> int:
    """Twice the number.

    >>> later(2)
    4
    """
    raise NotImplementedError


def keep(numbers: list[int], wanted: list[int]) -> list[int]:
    """Those that are wanted."""
    kept = []
    for number in numbers:
        if number in wanted:
            kept.append(number)
    return kept
'''

TESTS = """from sums import total


def test_nothing_is_zero():
    assert total([]) == 0


def test_many():
    assert total(list(range(240)) * 4) == 18316960
    assert total(list(range(200)) * 4) == 10586800
    assert total(list(range(160)) * 6) == 8115360
"""

RIGHT = '''```python
from operator import mul


def total(numbers: list[int]) -> int:
    """The sum of the squares.

    >>> total([1, 2])
    5
    """
    return sum(map(mul, numbers, numbers))
```'''

WRONG = '''```python
def total(numbers: list[int]) -> int:
    """The sum of the squares.

    >>> total([1, 2])
    5
    """
    return sum(number * abs(number) for number in numbers)
```'''

SETTINGS = """
max_inputs = 20
max_mutants = 4
variants = ["baseline", "performance"]
rewrites = "never"
"""


class Folders:
    """The workspace and the home of a user."""

    def __init__(self, base: Path, settings: str = SETTINGS) -> None:
        self.workspace = base / "sums"
        self.home = base / "home"
        self.workspace.mkdir(parents=True)
        (self.workspace / "pyproject.toml").write_text("", encoding="utf-8")
        self.module.write_text(MODULE, encoding="utf-8")
        (self.workspace / "test_sums.py").write_text(TESTS, encoding="utf-8")
        self.configure(settings)

    @property
    def module(self) -> Path:
        return self.workspace / "sums.py"

    @property
    def uri(self) -> str:
        return self.module.as_uri()

    @property
    def results(self) -> Path:
        return self.home / ".local" / "share" / "codeens" / "results"

    def configure(self, settings: str) -> None:
        """Write the user's settings file."""
        path = self.home / ".config" / "codeens" / "codeens.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(settings, encoding="utf-8")


def one_right_one_wrong(asked: dict[str, Any]) -> dict[str, Any]:
    """Answers for `total`: of the two variants one is right, and the other is wrong for negative numbers."""
    prompt = asked["messages"][-1]["content"] + asked["messages"][0]["content"]
    return {"text": RIGHT if "as fast as it can" in prompt else WRONG, "tokensIn": 10, "tokensOut": 20}
