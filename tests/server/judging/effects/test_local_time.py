"""Whether a function asks for local time or for the world's, on machines that have the world's."""

from __future__ import annotations

import pytest

from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import Try, labels, verdicts_of

MODULE = """
import os
from datetime import datetime, timezone


def day_of(stamp):
    return datetime.fromtimestamp(stamp, timezone.utc).date().isoformat()


def midnight(stamp):
    day = datetime.fromtimestamp(stamp)
    return day.replace(hour=0, minute=0, second=0).timestamp()


def zone(name):
    return os.environ.get("TZ", name)
"""
TRIES = [
    Try(
        "day_of",
        [(0,), (1_719_430_000,)],
        {
            ("by name", True): "def day_of(stamp):\n"
            "    return f'{datetime.fromtimestamp(stamp, tz=timezone.utc):%Y-%m-%d}'",
            ("of local time", False): "def day_of(stamp):\n    return datetime.fromtimestamp(stamp).date().isoformat()",
        },
    ),
    Try(
        "midnight",
        [(0,), (1_719_430_000,)],
        {
            ("by its date", True): "def midnight(stamp):\n    day = datetime.fromtimestamp(stamp).date()\n"
            "    return datetime(day.year, day.month, day.day).timestamp()",
            ("of the world", False): "def midnight(stamp):\n    return float(stamp - stamp % 86_400)",
        },
    ),
    Try(
        "zone",
        [("none",)],
        {("sees no other in the environment", True): "def zone(name):\n    return os.getenv('TZ') or name"},
    ),
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    return verdicts_of(tmp_path_factory.mktemp("local"), MODULE, TRIES)


@pytest.mark.parametrize(("function", "candidate", "right"), labels(TRIES))
def test_local_time_is_told_from_that_of_the_world(
    verdicts: dict[str, dict[str, Verdict]], function: str, candidate: str, right: bool
) -> None:
    verdict = verdicts[function][candidate]
    assert verdict.passes == right, (verdict.reason, verdict.failure)


def test_it_is_said_to_show_in_another_time_zone(verdicts: dict[str, dict[str, Verdict]]) -> None:
    assert "what it does in another time zone" in verdicts["day_of"]["of local time"].reason
