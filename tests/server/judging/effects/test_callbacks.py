"""When and with what a function calls what it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codeens_sandbox_backends.worker.values.codec import decode
from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import Try, labels, verdicts_of

MODULE = """
def applied(items, f):
    return [f(item) for item in items]


def first_that(items, f):
    for item in items:
        if f(item):
            return item
    return None


def both_of(items, f, g):
    return [(f(item), g(item)) for item in items]


def mapped(items, f):
    return (f(item) for item in items)


def asked(session, names):
    up = False
    for name in names:
        if session(name, timeout=2):
            up = True
    return up


def gathered(items, f):
    found = []
    for item in items:
        found.append(f(item))
    return found
"""
FUNCTION: Any = decode(["callback", ["list", 0, 1, 2], ["list"], ["list"]])
YES: Any = decode(["callback", ["list", 1], ["list"], ["list"]])
TRIES = [
    Try(
        "applied",
        [([1, 2, 2], FUNCTION), ([], FUNCTION)],
        {
            ("maps", True): "def applied(items, f):\n    return list(map(f, items))",
            (
                "calls twice",
                False,
            ): "def applied(items, f):\n    [f(i) for i in items]\n    return [f(i) for i in items]",
            ("backwards", False): "def applied(items, f):\n    return [f(i) for i in reversed(items)][::-1]",
            ("remembers", False): "def applied(items, f):\n    known = {i: f(i) for i in {*items}}\n"
            "    return [known[i] for i in items]",
        },
    ),
    Try(
        "first_that",
        [([1, 2, 3, 4], FUNCTION), ([1], FUNCTION)],
        {
            ("stops as early", True): "def first_that(items, f):\n    return next(filter(f, items), None)",
            (
                "asks for all",
                False,
            ): "def first_that(items, f):\n    return next(iter([i for i in items if f(i)]), None)",
        },
    ),
    Try(
        "both_of",
        [([1, 2], FUNCTION, FUNCTION)],
        {
            ("in turns", True): "def both_of(items, f, g):\n    return list(zip(map(f, items), map(g, items)))",
            ("one after the other", False): "def both_of(items, f, g):\n"
            "    return list(zip([f(i) for i in items], [g(i) for i in items]))",
        },
    ),
    Try(
        "mapped",
        [([1, 2], FUNCTION)],
        {
            ("as late", True): "def mapped(items, f):\n    return (f(each) for each in iter(items))",
            ("at once", False): "def mapped(items, f):\n    done = [f(item) for item in items]\n"
            "    return (item for item in done)",
        },
    ),
    Try(
        "asked",
        [(YES, ["a", "b", "c"])],
        {
            ("asks all", True): "def asked(session, names):\n"
            "    return any([bool(session(n, timeout=2)) for n in names])",
            ("stops at the first", False): "def asked(session, names):\n"
            "    return any(session(n, timeout=2) for n in names)",
            ("waits for longer", False): "def asked(session, names):\n"
            "    return any([bool(session(n, timeout=3)) for n in names])",
        },
    ),
    Try(
        "gathered",
        [([1, 2, 3], FUNCTION)],
        {
            ("a list for each call", True): "def gathered(items, f):\n    return [f(item) for item in items]",
            ("one list for all", False): "_FOUND = []\n\n\ndef gathered(items, f):\n    _FOUND.clear()\n"
            "    for item in items:\n        _FOUND.append(f(item))\n    return list(_FOUND)",
        },
    ),
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    folder: Path = tmp_path_factory.mktemp("effects")
    return verdicts_of(folder, MODULE, TRIES)


@pytest.mark.parametrize(("name", "candidate", "right"), labels(TRIES))
def test_a_candidate_passes_only_if_it_calls_what_it_is_given_alike(
    verdicts: dict[str, dict[str, Verdict]], name: str, candidate: str, right: bool
) -> None:
    verdict = verdicts[name][candidate]
    assert (verdict.status == "passed") is right, (verdict.reason, verdict.failure)
