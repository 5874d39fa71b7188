"""What is read when, of iterators that are given and of generators and context managers that are returned."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import Try, labels, verdicts_of

MODULE = """
import contextlib

NAMES: list[str] = []


class Skipped(Exception):
    pass


def until(items, last):
    found = []
    for item in items:
        found.append(item)
        if item == last:
            break
    return found


def walk(items):
    total = 0
    for item in items:
        total += item
        yield item
    return total


def each(items):
    for item in items:
        print(item)
        yield item


def guarded(items):
    print("open")
    try:
        yield from items
    finally:
        print("closed")


def running(total):
    while total < 20:
        got = yield total
        total += 3 if got is None else got


def taken(items):
    done = 0
    for item in items:
        try:
            yield item
            done += 1
        except ValueError:
            continue
    return done


def renamed(name):
    while len(name) < 9:
        got = yield name
        name = name + "." if got is None else name + got.upper()


def patient(total):
    while total < 9:
        try:
            total += (yield total) or 4
        except ZeroDivisionError:
            yield -1


def followed(numbers):
    for number in numbers:
        try:
            yield number
        except (ValueError, Skipped):
            NAMES.append("skipped")
            yield None


def plainly(numbers):
    for number in numbers:
        yield number


def quotients(numbers):
    for number in numbers:
        try:
            yield 1 / number
        except ZeroDivisionError:
            yield None


@contextlib.contextmanager
def listed(name):
    NAMES.append(name)
    try:
        yield len(name)
    finally:
        NAMES.remove(name)


async def printed(count):
    try:
        for number in range(count):
            print(number)
            yield number
    finally:
        print("closed")


@contextlib.contextmanager
def forgiving(name):
    try:
        yield name.upper()
    except KeyError:
        NAMES.append(name)


@contextlib.asynccontextmanager
async def finding(name):
    try:
        yield name.upper()
    except KeyError:
        raise ValueError(name) from None


@contextlib.asynccontextmanager
async def opened(name):
    NAMES.append(name)
    try:
        yield len(name)
    finally:
        NAMES.remove(name)
"""
TRIES = [
    Try(
        "until",
        [(iter([1, 2, 3]), 2), (iter([]), 2), ([1, 2], 1)],
        {
            ("reads as far", True): "def until(items, last):\n    found = []\n    for item in items:\n"
            "        found += [item]\n        if item == last:\n            return found\n    return found",
            ("reads all", False): "def until(items, last):\n    found = list(items)\n"
            "    return found[: found.index(last) + 1] if last in found else found",
        },
    ),
    Try(
        "walk",
        [([1, 2],), ([],)],
        {
            ("returns the same at the end", True): "def walk(items):\n    yield from items\n    return sum(items)",
            ("returns nothing", False): "def walk(items):\n    yield from items",
        },
    ),
    Try(
        "each",
        [([1, 2],), (iter([1, 2]),)],
        {
            ("as lazy", True): "def each(items):\n    for item in items:\n        print(f'{item}')\n        yield item",
            ("prints first", False): "def each(items):\n    items = list(items)\n    print(*items, sep='\\n')\n"
            "    yield from items",
            ("works at once", False): "def each(items):\n    items = list(items)\n    for item in items:\n"
            "        print(item)\n    return (item for item in items)",
        },
    ),
    Try(
        "guarded",
        [([1, 2],)],
        {
            ("closes", True): "def guarded(items):\n    print('open')\n    try:\n        for item in items:\n"
            "            yield item\n    finally:\n        print('closed')",
            ("closes at the end only", False): "def guarded(items):\n    print('open')\n    yield from items\n"
            "    print('closed')",
        },
    ),
    Try(
        "running",
        [(1,), (30,)],
        {
            ("takes the same", True): "def running(total):\n    while total < 20:\n        sent = yield total\n"
            "        total += sent if sent is not None else 3",
            ("takes nothing", False): "def running(total):\n    yield from range(total, 20, 3)",
            ("takes 0 for nothing", False): "def running(total):\n    while total < 20:\n"
            "        total += (yield total) or 3",
        },
    ),
    Try(
        "taken",
        [([1],), ([1, 2],), ([],)],
        {
            ("counts what goes well", True): "def taken(items):\n    done = 0\n    for item in items:\n        try:\n"
            "            yield item\n        except ValueError:\n            pass\n        else:\n"
            "            done += 1\n    return done",
            ("lets it through", False): "def taken(items):\n    yield from items\n    return len(items)",
            ("counts all", False): "def taken(items):\n    done = 0\n    for item in items:\n        try:\n"
            "            yield item\n        except ValueError:\n            pass\n        done += 1\n    return done",
        },
    ),
    Try(
        "renamed",
        [("ab",)],
        {
            ("takes the same", True): "def renamed(name):\n    while len(name) < 9:\n        sent = yield name\n"
            "        name += '.' if sent is None else sent.upper()",
            ("takes it as it is", False): "def renamed(name):\n    while len(name) < 9:\n        sent = yield name\n"
            "        name += sent or '.'",
        },
    ),
    Try(
        "patient",
        [(1,)],
        {
            ("goes on as well", True): "def patient(total):\n    while total < 9:\n        try:\n"
            "            got = yield total\n            total += got or 4\n"
            "        except ArithmeticError:\n            yield 0 - 1",
            ("ends", False): "def patient(total):\n    while total < 9:\n        total += (yield total) or 4",
        },
    ),
    Try(
        "followed",
        [([1, 0],)],
        {
            ("handles the same", True): "def followed(numbers):\n    for n in numbers:\n        try:\n"
            "            yield n\n        except (Skipped, ValueError):\n            NAMES.append('skipped')\n"
            "            yield",
            ("handles one of them", False): "def followed(numbers):\n    for n in numbers:\n        try:\n"
            "            yield n\n        except ValueError:\n            NAMES.append('skipped')\n            yield",
            ("handles nothing", False): "def followed(numbers):\n    yield from numbers",
        },
    ),
    Try(
        "plainly",
        [([1, 0],)],
        {
            ("hands on", True): "def plainly(numbers):\n    yield from [n for n in numbers]",
            ("swallows", False): "def plainly(numbers):\n    for n in numbers:\n        try:\n"
            "            yield n\n        except Exception:\n            pass",
        },
    ),
    Try(
        "quotients",
        [([1, 0],)],
        {
            ("throws nothing itself", True): "def quotients(numbers):\n    for n in numbers:\n"
            "        yield 1 / n if n else None",
            ("takes what nobody sends", True): "def quotients(numbers):\n    for n in numbers:\n"
            "        got = yield 1 / n if n else None\n        if got:\n            yield got",
        },
    ),
    Try(
        "listed",
        [("a",), ("bc",)],
        {
            ("same", True): "@contextlib.contextmanager\ndef listed(name):\n    NAMES.extend([name])\n    try:\n"
            "        yield len(name)\n    finally:\n        NAMES.pop()",
            ("stays after an error", False): "@contextlib.contextmanager\ndef listed(name):\n"
            "    NAMES.append(name)\n    yield len(name)\n    NAMES.remove(name)",
            ("nothing inside", False): "@contextlib.contextmanager\ndef listed(name):\n    yield len(name)",
        },
    ),
    Try(
        "printed",
        [(3,), (0,)],
        {
            ("as late", True): "async def printed(count):\n    number = 0\n    try:\n        while number < count:\n"
            "            print(number)\n            yield number\n            number += 1\n"
            "    finally:\n        print('closed')",
            ("prints first", False): "async def printed(count):\n    try:\n        for number in range(count):\n"
            "            print(number)\n        for number in range(count):\n            yield number\n"
            "    finally:\n        print('closed')",
            ("closes at the end only", False): "async def printed(count):\n    for number in range(count):\n"
            "        print(number)\n        yield number\n    print('closed')",
        },
    ),
    Try(
        "forgiving",
        [("a",)],
        {
            ("forgives the same", True): "@contextlib.contextmanager\ndef forgiving(name):\n    try:\n"
            "        yield name.upper()\n    except KeyError as error:\n        NAMES.extend([name])\n",
            ("forgives nothing", False): "@contextlib.contextmanager\ndef forgiving(name):\n    yield name.upper()\n",
            ("does not note it", False): "@contextlib.contextmanager\ndef forgiving(name):\n"
            "    with contextlib.suppress(KeyError):\n        yield name.upper()\n",
        },
    ),
    Try(
        "finding",
        [("a",)],
        {
            ("tells the same", True): "@contextlib.asynccontextmanager\nasync def finding(name):\n"
            "    large = name.upper()\n    try:\n        yield large\n    except KeyError:\n"
            "        raise ValueError(name)\n",
            ("lets it through", False): "@contextlib.asynccontextmanager\nasync def finding(name):\n"
            "    yield name.upper()\n",
        },
    ),
    Try(
        "opened",
        [("a",)],
        {
            ("same", True): "@contextlib.asynccontextmanager\nasync def opened(name):\n    NAMES.extend([name])\n"
            "    try:\n        yield len(name)\n    finally:\n        NAMES.pop()",
            ("stays after an error", False): "@contextlib.asynccontextmanager\nasync def opened(name):\n"
            "    NAMES.append(name)\n    yield len(name)\n    NAMES.remove(name)",
        },
    ),
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    folder: Path = tmp_path_factory.mktemp("effects")
    return verdicts_of(folder, MODULE, TRIES)


@pytest.mark.parametrize(("name", "candidate", "right"), labels(TRIES))
def test_a_candidate_passes_only_if_it_reads_and_yields_at_the_same_time(
    verdicts: dict[str, dict[str, Verdict]], name: str, candidate: str, right: bool
) -> None:
    verdict = verdicts[name][candidate]
    assert (verdict.status == "passed") is right, (verdict.reason, verdict.failure)
