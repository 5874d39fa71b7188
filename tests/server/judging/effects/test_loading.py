"""What a candidate does when it is loaded, before anybody calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import Try, labels, verdicts_of

MODULE = """
import random
import sys
import threading
import time

import beside

TABLE = {"a": 1}
LEFT = iter([1, 2, 3])


class Steps(list):
    def __or__(self, step):
        self.append(step)
        return self

    @property
    def last(self):
        return self.pop()


STEPS = Steps([1])


def half(number):
    return number / 2
"""
_HALF = "\n\n\ndef half(number):\n    return number / _TWO"
TRIES = [
    Try(
        "half",
        [(1,), (2,)],
        {
            ("makes a table", True): f"_TABLE = [n / 2 for n in range(9)]\n\n\n_TWO = len(_TABLE) - 7{_HALF}",
            ("makes a generator of its own", True): f"_OWN = random.Random(3)\n\n\n_TWO = _OWN.randint(2, 2){_HALF}",
            ("imports what sets something up", True): "try:\n    import logging.config as _config\n"
            f"except ImportError:\n    _config = None\n\n\n_TWO = int('2'){_HALF}",
            ("makes a class", True): "class _Two(int):\n    '''A number.'''\n\n\n_TWO = _Two(2)" + _HALF,
            ("seeds", False): f"_TWO = (random.seed(4), 2)[1]{_HALF}",
            ("draws", False): f"_TWO = 2 + int(random.random() / 2){_HALF}",
            ("changes the recursion limit", False): f"_TWO = sys.setrecursionlimit(9000) or 2{_HALF}",
            ("prints", False): f"_TWO = print('two') or 2{_HALF}",
            ("leaves a thread", False): "_THREAD = threading.Thread(target=time.sleep, args=(60,), daemon=True)\n\n\n"
            f"_TWO = _THREAD.start() or 2{_HALF}",
            ("fills another module", False): f"_TWO = beside.SEEN.append(1) or 2{_HALF}",
            ("fills its module", False): f"_TWO = TABLE.setdefault('b', 2){_HALF}",
            ("reads a constant of a module", True): f"_TWO = sys.maxsize // sys.maxsize + 1{_HALF}",
            ("adds by an operator", False): f"_STEPS = STEPS | 2\n\n\n_TWO = 2{_HALF}",
            ("asks an attribute", False): f"_LAST = STEPS.last\n\n\n_TWO = 2{_HALF}",
            ("unpacks", False): f"_ONE, _TWO, _ = LEFT{_HALF}",
            ("looks inside", False): f"_HAS = 2 in LEFT\n\n\n_TWO = 2{_HALF}",
            ("by an annotation", False): "def half(number: TABLE.setdefault('b', 2)):\n    return number / 2",
            ("by a default", False): "def half(number, _two=random.seed(4) or 2):\n    return number / _two",
        },
    ),
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    folder: Path = tmp_path_factory.mktemp("effects")
    return verdicts_of(folder, MODULE, TRIES, beside={"beside.py": "SEEN = []\n"})


@pytest.mark.parametrize(("name", "candidate", "right"), labels(TRIES))
def test_a_candidate_passes_only_if_loading_it_leaves_what_loading_the_original_does(
    verdicts: dict[str, dict[str, Verdict]], name: str, candidate: str, right: bool
) -> None:
    verdict = verdicts[name][candidate]
    assert (verdict.status == "passed") is right, (verdict.reason, verdict.failure)
