"""Functions that both call are made to raise, in a real sandbox."""

from __future__ import annotations

import pytest

from tests.server.run.conftest import Look

pytestmark = pytest.mark.anyio
HELPED = """def price(code: str) -> int:
    return len(code)


def f(codes: list[str]) -> int:
    return sum(price(code) for code in codes)
"""
HIDING = """def f(codes):
    total = 0
    for code in codes:
        try:
            total += price(code)
        except Exception:
            continue
    return total
"""
KINDS = {
    "hides it": (HELPED, HIDING),
    "lets it through": (
        HELPED.partition("def f")[0] + HIDING.replace("(codes)", "(codes: list[str])"),
        HIDING.replace("except Exception", "except LookupError"),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_candidate_that_alone_treats_an_exception_of_a_helper_so_is_refused(
    verdict_of: Look, kind: str
) -> None:
    verdict = await verdict_of(*KINDS[kind])
    assert (verdict.status, verdict.reason) == ("failed", "differs where price raises Exception")


async def test_what_the_standard_library_never_raises_refuses_nothing_and_is_named(verdict_of: Look) -> None:
    original = "import json\n\n\ndef f(values: list[int]) -> int:\n    return len(json.dumps(values))\n"
    hiding = (
        "def f(values):\n    try:\n        return len(json.dumps(values))\n    except Exception:\n        return 0\n"
    )
    verdict = await verdict_of(original, hiding)
    assert verdict.status == "passed"
    assert "what raises Exception (caught by one of both alone, and never met)" in verdict.uncompared


KNOWN = """KNOWN = {"a": 1, "b": 2}


def price(value: int) -> int:
    return value * 2


def f(code: str, other: str) -> int:
    try:
        return price(KNOWN.get(code, 0))
    except ZeroDivisionError:
        return len(other)
"""
NARROWER = """def f(code, other):
    try:
        value = KNOWN.get(code, 0)
    except ValueError:
        return len(other)
    return price(value)
"""


async def test_what_no_helper_is_known_to_raise_refuses_nobody(verdict_of: Look) -> None:
    verdict = await verdict_of(KNOWN, NARROWER)
    assert verdict.status == "passed"
    assert "what raises ValueError, ZeroDivisionError" in " ".join(verdict.uncompared)


async def test_who_lets_through_what_a_helper_raises_by_name_is_refused(verdict_of: Look) -> None:
    raising = KNOWN.replace(
        "    return value * 2", "    if value > 9:\n        raise ZeroDivisionError\n    return value * 2"
    )
    verdict = await verdict_of(raising, NARROWER)
    assert (verdict.status, verdict.reason) == ("failed", "differs where price raises ZeroDivisionError")


async def test_who_falls_back_where_a_helper_fails_that_the_original_does_not_call_is_not_refused(
    verdict_of: Look,
) -> None:
    falling = HIDING.replace("continue", "total += len(code)")
    verdict = await verdict_of(HELPED.replace("sum(price(code)", "sum(len(code)"), falling)
    assert verdict.status == "passed"
