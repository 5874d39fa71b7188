"""What code does for a subclass of the class that it stands in."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import Made, Try, labels, verdicts_of

MODULE = """
class Money:
    made = 0

    def __init__(self, amount):
        self.amount = amount

    @classmethod
    def parse(cls, text):
        return cls(int(text))

    @classmethod
    def counted(cls, amount):
        cls.made += 1
        return amount

    def doubled(self):
        return type(self)(self.amount * 2)

    def called(self):
        return Money(self.amount)

    def same(self, other):
        return isinstance(other, Money) and self.amount == other.amount


class Frozen:
    __slots__ = ("amount",)

    def __setattr__(self, name, value):
        raise AttributeError(name)

    def named(self):
        return self.__class__.__name__
"""
FIVE = Made(["object", "kept:Money", ["amount", 5]])
TRIES = [
    Try(
        "Money.parse",
        [("7",), ("x",)],
        {
            ("of the class at hand", True): "@classmethod\ndef parse(cls, text):\n    n = int(text)\n    return cls(n)",
            ("of the class by its name", False): "@classmethod\ndef parse(cls, text):\n    return Money(int(text))",
        },
    ),
    Try(
        "Money.counted",
        [(7,)],
        {
            ("on the class at hand", True): "@classmethod\ndef counted(cls, amount):\n    cls.made = cls.made + 1\n"
            "    return amount",
            ("on the class by its name", False): "@classmethod\ndef counted(cls, amount):\n    Money.made += 1\n"
            "    return amount",
        },
    ),
    Try(
        "Money.doubled",
        [(FIVE,)],
        {
            ("asks in another way", True): "def doubled(self):\n    return self.__class__(2 * self.amount)",
            ("names the class", False): "def doubled(self):\n    return Money(2 * self.amount)",
        },
    ),
    Try(
        "Money.called",
        [(FIVE,)],
        {
            ("names it too", True): "def called(self):\n    made = Money(self.amount)\n    return made",
        },
    ),
    Try(
        "Money.same",
        [(FIVE, FIVE), (FIVE, 5)],
        {
            ("asked first", True): "def same(self, other):\n    if not isinstance(other, Money):\n"
            "        return False\n    return other.amount == self.amount",
            ("of no subclass", False): "def same(self, other):\n    return type(other) is Money and"
            " self.amount == other.amount",
        },
    ),
    Try(
        "Frozen.named",
        [(Made(["object", "kept:Frozen", ["amount", 5]]),)],
        {
            ("by its type", True): "def named(self):\n    return type(self).__name__",
            ("by a literal", False): "def named(self):\n    return 'Frozen'",
        },
    ),
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    folder: Path = tmp_path_factory.mktemp("subclasses")
    return verdicts_of(folder, MODULE, TRIES)


@pytest.mark.parametrize(("name", "candidate", "right"), labels(TRIES))
def test_a_candidate_passes_only_if_it_does_the_same_for_a_subclass(
    verdicts: dict[str, dict[str, Verdict]], name: str, candidate: str, right: bool
) -> None:
    verdict = verdicts[name][candidate]
    assert (verdict.status == "passed") is right, (verdict.reason, verdict.failure)
    assert right or "what it does for a subclass" in verdict.reason


def test_a_candidate_that_keeps_a_subclass_where_the_original_names_the_class_passes_on_that_condition(
    tmp_path: Path,
) -> None:
    keeps = "def called(self):\n    return type(self)(self.amount)"
    attempt = Try("Money.called", [(FIVE,)], {("keeps it", True): keeps})
    verdict = verdicts_of(tmp_path, MODULE, [attempt])["Money.called"]["keeps it"]
    assert verdict.status == "conditional"
    assert [(each.kind, each.said) for each in verdict.conditions] == [
        ("outside", "keeps a subclass where the original does not")
    ]
