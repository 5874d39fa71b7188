"""What callers read off an exception."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import Try, labels, verdicts_of

MODULE = """
import sys


class Refused(Exception):
    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


def refuse(code):
    if code > 9:
        raise Refused("too large", code)
    sys.exit(code)


def find(table, key):
    if key not in table:
        raise KeyError(key)
    return table[key]


def ratio(number):
    try:
        return 1 // number
    except ZeroDivisionError as error:
        raise Refused("no", 1) from error


def noted(number):
    error = Refused("no", 1)
    if number > 1:
        error.__notes__ = ["large"]
    raise error
"""
TRIES = [
    Try(
        "refuse",
        [(2,), (0,), (10,)],
        {
            ("other words", True): "def refuse(code):\n    if code >= 10:\n        raise Refused('no', code)\n"
            "    raise SystemExit(code)",
            ("another code", False): "def refuse(code):\n    if code > 9:\n        raise Refused('too large', code)\n"
            "    sys.exit(1)",
            ("another attribute", False): "def refuse(code):\n    if code > 9:\n"
            "        raise Refused('too large', 0)\n    sys.exit(code)",
        },
    ),
    Try(
        "find",
        [({"a": 1}, "a"), ({}, 3)],
        {
            ("the table raises", True): "def find(table, key):\n    return table[key]",
            ("another key", False): "def find(table, key):\n    if key not in table:\n        raise KeyError(table)\n"
            "    return table[key]",
        },
    ),
    Try(
        "ratio",
        [(0,), (2,)],
        {
            ("from the same", True): "def ratio(number):\n    try:\n        return 1 // number\n"
            "    except ArithmeticError as wrong:\n        raise Refused('cannot', 1) from wrong",
            ("from nothing", False): "def ratio(number):\n    if not number:\n        raise Refused('no', 1)\n"
            "    return 1 // number",
            ("from something else", False): "def ratio(number):\n    if not number:\n"
            "        raise Refused('no', 1) from KeyError(0)\n    return 1 // number",
        },
    ),
    Try(
        "noted",
        [(1,), (2,)],
        {
            ("with another note", True): "def noted(number):\n    error = Refused('no', 1)\n    if number >= 2:\n"
            "        error.__notes__ = ['big']\n    raise error",
            ("without a note", False): "def noted(number):\n    raise Refused('no', 1)",
        },
    ),
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    folder: Path = tmp_path_factory.mktemp("effects")
    return verdicts_of(folder, MODULE, TRIES)


@pytest.mark.parametrize(("name", "candidate", "right"), labels(TRIES))
def test_a_candidate_passes_only_if_its_exceptions_tell_callers_the_same(
    verdicts: dict[str, dict[str, Verdict]], name: str, candidate: str, right: bool
) -> None:
    verdict = verdicts[name][candidate]
    assert (verdict.status == "passed") is right, (verdict.reason, verdict.failure)
