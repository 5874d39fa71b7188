"""Objects in variables that a call changes inside, of classes that only they know how to look into."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import labels, tries_of, verdicts_of

MODULE = """
import array
import collections
import contextvars
import io
import itertools
import queue
import random
import threading
import types

import beside

RNG = random.Random(3)
IDS = itertools.count(1)
BUFFER = array.array("q")
OUT = io.StringIO()
QUEUE = queue.Queue()
SPACE = types.SimpleNamespace(last=0)
LOCAL = threading.local()
CHAIN = collections.ChainMap({})
CONTEXT = contextvars.ContextVar("context", default=0)


class Names(list):
    pass


class Table(dict):
    pass


NAMES = Names()
TABLE = Table()


def roll(number):
    RNG.random()
    return number


def numbered(number):
    next(IDS)
    return number


def buffered(number):
    BUFFER.append(number)
    return number


def written(number):
    OUT.write(str(number))
    return number


def queued(number):
    QUEUE.put(number)
    return number


def noted(number):
    SPACE.last = number
    return number


def local(number):
    LOCAL.last = number
    return number


def chained(number):
    CHAIN['k'] = number
    return number


def listed(number):
    NAMES.append(number)
    return number


def tabled(number):
    TABLE[number] = 1
    return number


def in_context(number):
    CONTEXT.set(number)
    return number


def counted(number):
    counted.calls = getattr(counted, 'calls', 0) + 1
    return number


def elsewhere(number):
    beside.SEEN.append(number)
    return number
"""
OF_A_FILE = """
import tempfile

FILE = tempfile.TemporaryFile("w")


def told(number):
    FILE.write(str(number))
    return number
"""
"""Apart, since what makes a file as it is loaded needs a sandbox of its own."""
OF_NUMPY = """
import numpy

SUMS = numpy.zeros(3)


def summed(number):
    SUMS[0] += number
    return number
"""
RIGHT = {
    # What does the same to each object, otherwise written.
    "roll": "_ = RNG.random()",
    "numbered": "IDS.__next__()",
    "buffered": "BUFFER.extend([number])",
    "written": "OUT.write(f'{number}')",
    "queued": "QUEUE.put_nowait(number)",
    "noted": "SPACE.last = 0 + number",
    "local": "LOCAL.last = 0 + number",
    "chained": "CHAIN.update(k=number)",
    "listed": "NAMES.extend([number])",
    "tabled": "TABLE.update({number: 1})",
    "in_context": "_ = CONTEXT.set(number)",
    "counted": "counted.calls = 1 + getattr(counted, 'calls', 0)",
    "elsewhere": "beside.SEEN += [number]",
}
TRIES = tries_of(RIGHT)
TRIES_OF_A_FILE = tries_of({"told": "print(number, end='', file=FILE)"})
TRIES_OF_NUMPY = tries_of({"summed": "SUMS[:1] += number"})


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    folder: Path = tmp_path_factory.mktemp("effects")
    found = verdicts_of(folder, MODULE, TRIES, beside={"beside.py": "SEEN = []\n"})
    found |= verdicts_of(tmp_path_factory.mktemp("file"), OF_A_FILE, TRIES_OF_A_FILE)
    if find_spec("numpy"):
        found |= verdicts_of(tmp_path_factory.mktemp("numpy"), OF_NUMPY, TRIES_OF_NUMPY)
    return found


@pytest.mark.parametrize(("name", "candidate", "right"), labels([*TRIES, *TRIES_OF_A_FILE, *TRIES_OF_NUMPY]))
def test_a_candidate_passes_only_if_it_leaves_objects_alike_inside(
    verdicts: dict[str, dict[str, Verdict]], name: str, candidate: str, right: bool
) -> None:
    if name not in verdicts:
        pytest.skip("numpy is not installed")
    verdict = verdicts[name][candidate]
    assert (verdict.status == "passed") is right, (verdict.reason, verdict.failure)
