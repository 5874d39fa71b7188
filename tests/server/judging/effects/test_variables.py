"""Whether a function reads environment variables as it did: nobody gives them as arguments."""

from __future__ import annotations

import pytest

from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import Try, labels, verdicts_of

MODULE = """
import os

NAME = "SHOP_DEBUG"


def is_on():
    return os.environ.get(NAME, "").strip().lower() in {"1", "true"}


def limit(most):
    text = os.getenv("SHOP_LIMIT")
    return min(most, int(text)) if text else most


def _prefix():
    return os.environ.get("SHOP_PREFIX", "shop")


def title(text):
    return f"{_prefix()}: {text}"


def plain(text):
    return text.strip()
"""
TRIES = [
    Try(
        "is_on",
        [()],
        {
            ("a name for it", True): "def is_on():\n"
            "    said = (os.getenv(NAME) or '').lower().strip()\n    return said == '1' or said == 'true'",
            ("as it is written", False): "def is_on():\n    return os.environ.get(NAME) in {'1', 'true'}",
            ("whether it is set", False): "def is_on():\n    return bool(os.environ.get(NAME))",
            ("never", False): "def is_on():\n    return False",
        },
    ),
    Try(
        "limit",
        [(5,), (0,)],
        {
            ("other words", True): "def limit(most):\n    text = os.environ.get('SHOP_LIMIT', '')\n"
            "    return most if text == '' else min(int(text), most)",
            ("an empty one", False): "def limit(most):\n    return min(most, int(os.getenv('SHOP_LIMIT', str(most))))",
        },
    ),
    Try(
        "title",
        [("a",)],
        {
            ("joined", True): "def title(text):\n    return ': '.join([_prefix(), text])",
            ("its default", False): "def title(text):\n    return f'shop: {text}'",
            ("none for empty", False): "def title(text):\n    return f\"{_prefix() or 'shop'}: {text}\"",
        },
    ),
    Try("plain", [(" a ",)], {("both ends", True): "def plain(text):\n    return text.lstrip().rstrip()"}),
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    return verdicts_of(tmp_path_factory.mktemp("variables"), MODULE, TRIES)


@pytest.mark.parametrize(("name", "label", "is_right"), labels(TRIES))
def test_what_is_read_from_the_environment_is_read_by_the_candidate_too(
    verdicts: dict[str, dict[str, Verdict]], name: str, label: str, is_right: bool
) -> None:
    verdict = verdicts[name][label]
    assert (verdict.status == "passed") == is_right, verdict.reason
    if not is_right:
        assert "what it does where environment variables are set" in verdict.reason
