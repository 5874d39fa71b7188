"""What a function changes beside its arguments: variables, the process, files."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path
from string import Template

import pytest

from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import Try, labels, verdicts_of

MODULE = """
import functools
import os
import random
import tempfile
import time

COUNT = 0
NAMES: list[str] = []
TABLE: dict[str, list[int]] = {"a": [1]}


def noting(function):
    seen = []

    @functools.wraps(function)
    def noted(*args):
        seen.append(args)
        return function(*args)

    return noted


TABLES = {}
SEEN = {}
SHOWN = {"seen": SEEN}
HISTORY = [1]
_LATEST = [1]
SETTINGS = {"depth": 0}
GROUPS = {"a": []}


def table_of(name, size):
    if name not in TABLES:
        TABLES[name] = [number * number for number in range(size)]
    return [*TABLES[name]]


def see(name):
    SEEN[name] = len(name)


def begin_anew(number):
    HISTORY.clear()
    _LATEST.clear()
    return number


def configure(number):
    global SETTINGS
    SETTINGS = {"depth": number}


def group(item):
    GROUPS["a"].append(item)


class Node:
    gone = []

    def __init__(self, number):
        self.number = number
        self.next = self

    def __del__(self):
        Node.gone.append(self.number)


def link(number):
    return Node(number).number


def hand_down(name):
    os.environ["LAST_NAME"] = name


class Register:
    entries: list[int] = []
    last = None


def keep(item, kept=[]):
    kept.append(item)


def collect(item, into=[]):
    into.append(item)
    return len(into)


def squared(number):
    return number * number


def register(name):
    global COUNT
    COUNT += 1
    NAMES.append(name)
    TABLE["a"].append(len(name))
    return name


def enter(number):
    Register.entries.append(number)
    Register.last = number
    keep(number)


def surround(name):
    os.environ["LAST_NAME"] = name
    os.chdir("/")
    random.seed(len(name))


def clock(number):
    print(time.perf_counter_ns())
    return number


@noting
def doubled(number):
    return 2 * number


def save(text):
    with open(os.path.join(tempfile.gettempdir(), "saved.txt"), "w") as file:
        file.write(text)


def forget(name):
    os.makedirs(os.path.join(tempfile.gettempdir(), name), exist_ok=True)


def lock_up(text):
    path = os.path.join(tempfile.gettempdir(), "secret")
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o600)


def left_open(text):
    file = open(os.path.join(tempfile.gettempdir(), "open"), "w")
    file.write(text)
    file.flush()


def nested(name):
    os.makedirs(os.path.join(tempfile.gettempdir(), name, "below"), exist_ok=True)


def total(numbers):
    return sum(numbers)


def written(address):
    return str(address)


def read(template):
    return template.template
"""
TRIES = [
    Try(
        "link",
        [(number,) for number in range(40)],
        {
            ("more of what is no longer used", True): "def link(number):\n    node = Node(number)\n"
            "    kept = [[node] for _ in range(5)]\n    kept.append(kept)\n    return node.number",
            ("makes none", False): "def link(number):\n    return number",
        },
    ),
    Try(
        "hand_down",
        [("a",), ("",)],
        {
            ("the same otherwise", True): "def hand_down(name):\n    os.environ.update(LAST_NAME=name)",
            ("more past the mapping", False): "def hand_down(name):\n    os.environ['LAST_NAME'] = name\n"
            "    os.putenv('LAST_NAME', 'b')",
        },
    ),
    Try(
        "table_of",
        [("a", 3), ("", 0)],
        {
            ("keeps the same", True): "def table_of(name, size):\n    known = TABLES.get(name)\n"
            "    if known is None:\n        known = TABLES[name] = [n * n for n in range(size)]\n    return known[:]",
            ("makes it anew for another size", False): "def table_of(name, size):\n"
            "    if len(TABLES.get(name, ())) != size or name not in TABLES:\n"
            "        TABLES[name] = [n * n for n in range(size)]\n    return list(TABLES[name])",
        },
    ),
    Try(
        "see",
        [("a",), ("",)],
        {
            ("in place", True): "def see(name):\n    SEEN.update({name: len(name)})",
            ("not where another variable has it", False): "def see(name):\n    global SEEN\n"
            "    SEEN = {**SEEN, name: len(name)}",
        },
    ),
    Try(
        "begin_anew",
        [(1,)],
        {
            ("what nobody else has is new", True): "def begin_anew(number):\n    global _LATEST\n    _LATEST = []\n"
            "    del HISTORY[:]\n    return number",
            ("what others may have is new", False): "def begin_anew(number):\n    global HISTORY\n    HISTORY = []\n"
            "    _LATEST.clear()\n    return number",
        },
    ),
    Try(
        "configure",
        [(1,), (0,)],
        {
            ("new too", True): "def configure(number):\n    global SETTINGS\n    SETTINGS = dict(depth=number)",
            ("in place", False): "def configure(number):\n    SETTINGS['depth'] = number",
        },
    ),
    Try(
        "group",
        [(1,), (0,)],
        {
            ("in place", True): "def group(item):\n    items = GROUPS['a']\n    items += [item]",
            ("into a new list", False): "def group(item):\n    GROUPS['a'] = [*GROUPS['a'], item]",
        },
    ),
    Try(
        "collect",
        [(1,), (2,), (1, [5])],
        {
            ("in place too", True): "def collect(item, into=[]):\n    into += [item]\n    return len(into)",
            ("a new list for each call", False): "def collect(item, into=None):\n"
            "    into = [] if into is None else into\n    into.append(item)\n    return len(into)",
        },
    ),
    Try(
        "squared",
        [(1,), (2,), (3,)],
        {
            ("remembers by the number", True): "def squared(number, _known={}):\n"
            "    return _known.setdefault(number, number * number)",
            ("remembers one for all", False): "def squared(number, _known=[]):\n"
            "    _known.append(number * number)\n    return _known[0]",
        },
    ),
    Try(
        "register",
        [("a",), ("bcd",)],
        {
            ("same, and a table of its own", True): "_KNOWN = {}\n\n\ndef register(name):\n    global COUNT\n"
            "    COUNT = COUNT + 1\n    NAMES.extend([name])\n    _KNOWN[name] = 1\n"
            "    TABLE['a'] += [len(name)]\n    return name",
            ("does not count", False): "def register(name):\n    NAMES.append(name)\n"
            "    TABLE['a'].append(len(name))\n    return name",
            ("does not append", False): "def register(name):\n    global COUNT\n    COUNT += 1\n"
            "    TABLE['a'].append(len(name))\n    return name",
            ("leaves the table", False): "def register(name):\n    global COUNT\n    COUNT += 1\n"
            "    NAMES.append(name)\n    return name",
            ("keeps more", False): "def register(name):\n    global COUNT, LAST\n    COUNT += 1\n    LAST = name\n"
            "    NAMES.append(name)\n    TABLE['a'].append(len(name))\n    return name",
        },
    ),
    Try(
        "enter",
        [(1,), (2,)],
        {
            ("same in another order", True): "def enter(number):\n    keep(number)\n    Register.last = number\n"
            "    Register.entries += [number]",
            ("without the attribute", False): "def enter(number):\n    Register.entries.append(number)\n"
            "    keep(number)",
            ("without the default argument", False): "def enter(number):\n    Register.entries.append(number)\n"
            "    Register.last = number",
        },
    ),
    Try(
        "surround",
        [("a",), ("bc",)],
        {
            ("same", True): "def surround(name):\n    random.seed(len(name))\n    os.chdir('/')\n"
            "    os.environ.update(LAST_NAME=name)",
            ("no variable", False): "def surround(name):\n    os.chdir('/')\n    random.seed(len(name))",
            ("no folder", False): "def surround(name):\n    os.environ['LAST_NAME'] = name\n    random.seed(len(name))",
            ("no seed", False): "def surround(name):\n    os.environ['LAST_NAME'] = name\n    os.chdir('/')",
        },
    ),
    Try(
        "clock",
        [(1,)],
        {("prints nothing", True): "def clock(number):\n    return number"},
    ),
    Try(
        "doubled",
        [(1,), (2,)],
        {
            ("decorated alike", True): "@noting\ndef doubled(number):\n    return number + number",
            ("not decorated", False): "def doubled(number):\n    return number + number",
        },
    ),
    Try(
        "save",
        [("a",), ("",)],
        {
            ("writes otherwise", True): "def save(text):\n"
            "    file = os.open(tempfile.gettempdir() + '/saved.txt', os.O_CREAT | os.O_TRUNC | os.O_WRONLY)\n"
            "    os.write(file, text.encode())\n    os.close(file)",
            ("leaves the rest of what was there", False): "def save(text):\n"
            "    file = os.open(tempfile.gettempdir() + '/saved.txt', os.O_CREAT | os.O_WRONLY)\n"
            "    os.write(file, text.encode())\n    os.close(file)",
            ("writes nothing", False): "def save(text):\n    pass",
            ("appends", False): "def save(text):\n    path = os.path.join(tempfile.gettempdir(), 'saved.txt')\n"
            "    with open(path, 'a') as file:\n        file.write(text)",
        },
    ),
    Try(
        "forget",
        [("b",)],
        {
            ("fails the second time", False): "def forget(name):\n"
            "    os.mkdir(os.path.join(tempfile.gettempdir(), name))",
        },
    ),
    Try(
        "lock_up",
        [("a",)],
        {
            ("as private", True): "def lock_up(text):\n    path = tempfile.gettempdir() + '/secret'\n"
            "    with open(path, 'w') as file:\n        print(text, end='', file=file)\n    os.chmod(path, 384)",
            ("for all to read", False): "def lock_up(text):\n"
            "    with open(tempfile.gettempdir() + '/secret', 'w') as file:\n        file.write(text)",
        },
    ),
    Try(
        "left_open",
        [("a",)],
        {
            ("closed", True): "def left_open(text):\n"
            "    with open(tempfile.gettempdir() + '/open', 'w') as file:\n        file.write(text)",
        },
    ),
    Try(
        "nested",
        [("a",)],
        {
            ("looks whether it is there", True): "def nested(name):\n"
            "    for path in (name, name + '/below'):\n"
            "        if not os.path.isdir(tempfile.gettempdir() + '/' + path):\n"
            "            os.mkdir(tempfile.gettempdir() + '/' + path)",
            (
                "above only",
                False,
            ): "def nested(name):\n    os.makedirs(tempfile.gettempdir() + '/' + name, exist_ok=True)",
        },
    ),
    Try(
        "total",
        [([1, 2],), ([],)],
        {
            ("remembers what is in it", True): "_KNOWN = {}\n\n\ndef total(numbers):\n    key = tuple(numbers)\n"
            "    if key not in _KNOWN:\n        _KNOWN[key] = sum(numbers)\n    return _KNOWN[key]",
            ("remembers the list", False): "_LAST = [None, 0]\n\n\ndef total(numbers):\n"
            "    if _LAST[0] is not numbers:\n        _LAST[:] = [numbers, sum(numbers)]\n    return _LAST[1]",
            ("empties it later", False): "class _Later:\n    def __init__(self, numbers):\n"
            "        self.numbers = numbers\n\n    def __del__(self):\n        self.numbers.clear()\n\n\n"
            "_KEPT = []\n\n\ndef total(numbers):\n    _KEPT[:] = [_Later(numbers)]\n    return sum(numbers)",
        },
    ),
    Try(
        "written",
        [(IPv4Address("10.0.0.1"),)],
        {("remembers by value", True): "@functools.lru_cache\ndef written(address):\n    return format(address)"},
    ),
    Try(
        "read",
        [(Template("$a"),)],
        {
            (
                "remembers what may change",
                False,
            ): "@functools.lru_cache\ndef read(template):\n    return template.template"
        },
    ),
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    folder: Path = tmp_path_factory.mktemp("effects")
    return verdicts_of(folder, MODULE, TRIES)


@pytest.mark.parametrize(("name", "candidate", "right"), labels(TRIES))
def test_a_candidate_passes_only_if_it_leaves_the_same_behind(
    verdicts: dict[str, dict[str, Verdict]], name: str, candidate: str, right: bool
) -> None:
    verdict = verdicts[name][candidate]
    assert (verdict.status == "passed") is right, (verdict.reason, verdict.failure)
