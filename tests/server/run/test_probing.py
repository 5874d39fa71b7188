"""Inputs made against one candidate, in a real sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import anyio
import pytest

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.programs import CallInput, Returned
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import Settings
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.verdict import Verdict
from codeens_server.judging.judge import Judged, judge, judge_again, judge_further
from codeens_server.run import probing
from codeens_server.run.probing import Prober
from codeens_server.views.cells import verdict_cell
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.find import find_target
from tests.server.facts import candidate
from tests.server.run.conftest import Look

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("patient")]
Probe: TypeAlias = Callable[[str], Awaitable[Verdict]]
ORIGINAL = "def f(n: int) -> int:\n    total = 0\n    for k in range(n % 7):\n        total += k\n    return total\n"
SUM = "def f(n: int) -> int:\n    n %= 7\n    return n * (n - 1) // 2\n"


@pytest.fixture
async def probe(tmp_path: Path) -> AsyncIterator[Probe]:
    """Judges a candidate by ten calls that are known, then probes it."""
    (tmp_path / "mod.py").write_text(ORIGINAL)
    target, settings = find_target("mod.py::f", cwd=tmp_path), Settings(limits=Limits(wall_s=60.0))
    try:
        sandbox: Sandbox = await get_backend("local").open(sandbox_spec(target, settings))
    except SandboxUnavailable as missing:
        pytest.skip(str(missing))
    evidence = Evidence(
        mode="improve",
        cases=tuple(
            Case(
                id=f"generated-{n}",
                origin="generated",
                input=CallInput(args=(n,)),
                expected=Returned(value=n * (n - 1) // 2, args=(n,)),
            )
            for n in range(7)
        ),
    )
    prober = Prober(target, evidence, run_id="r", run_timeout_s=600.0, limits=settings.limits, sandbox=sandbox)

    async def run(source: str) -> Verdict:
        one = candidate("c", source)
        judged = await judge(one, target=target, evidence=evidence, sandbox=sandbox, sandbox_label="")
        assert judged.verdict.status == "passed"
        return (await prober.probe(one, judged)).verdict

    yield run
    await sandbox.aclose()


async def test_a_right_candidate_passes_with_the_number_of_inputs_searched(probe: Probe) -> None:
    verdict = await probe(SUM)
    assert (verdict.status, verdict.passed, verdict.unreached) == ("passed", 7, ())
    assert verdict.searched > 30
    assert f"{verdict.searched} more searched" in verdict_cell(verdict, "", improving=True).detail


async def test_a_table_of_the_known_inputs_is_no_implementation(probe: Probe) -> None:
    verdict = await probe("def f(n: int) -> int:\n    return {n: n * (n - 1) // 2 for n in range(7)}[n]\n")
    assert verdict.status == "error"
    assert verdict.failure is not None
    assert verdict.failure.where.startswith("f(")


async def test_a_constant_of_the_candidate_is_tried(probe: Probe) -> None:
    verdict = await probe(SUM.replace("    n %= 7\n", "    if n == 824_177:\n        return -1\n    n %= 7\n"))
    assert verdict.status == "failed"
    assert verdict.failure is not None
    assert verdict.failure.where == "f(824177)"


async def test_a_difference_that_was_noticed_in_time_has_more_of_it_to_be_looked_into(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines: list[float] = []

    def noting(judging: Callable[..., Awaitable[Judged]]) -> Callable[..., Awaitable[Judged]]:
        async def judged(*given: object, **named: object) -> Judged:
            deadlines.append(anyio.current_effective_deadline())
            return await judging(*given, **named)

        return judged

    monkeypatch.setattr(probing, "judge_again", noting(judge_again))
    monkeypatch.setattr(probing, "judge_further", noting(judge_further))
    await probe("def f(n: int) -> int:\n    return {n: n * (n - 1) // 2 for n in range(7)}[n]\n")
    begun, looked_into = deadlines
    assert looked_into > begun


@pytest.mark.parametrize("magic", ["len(set(_seen)) < len(_seen) - 3", "len(_seen) == 11"])
async def test_a_candidate_that_counts_its_calls_is_found_when_it_is_called_again(probe: Probe, magic: str) -> None:
    counting = SUM.replace("(n: int)", "(n: int, _seen=[])").replace(
        "    n %= 7\n", f"    _seen.append(n)\n    if {magic}:\n        return -1\n    n %= 7\n"
    )
    verdict = await probe(counting)
    assert verdict.status == "failed"
    assert verdict.reason.startswith("called again, in another order, it differs")


async def test_what_the_original_does_not_do_twice_is_no_reason_to_reject(verdict_of: Look) -> None:
    original = "def f(n: int, _seen=[]):\n    _seen.append(n)\n    return _seen.count(n) + n\n"
    verdict = await verdict_of(original, original.replace("_seen.count(n) + n", "n + _seen.count(n)"))
    assert verdict.status == "passed"


async def test_pairs_that_are_taken_apart_stay_pairs(verdict_of: Look) -> None:
    verdict = await verdict_of(PAIRS, INDEXED)
    assert verdict.status == "passed", (verdict.reason, verdict.failure)


async def test_kinds_that_the_original_does_not_tell_apart_refuse_nothing(verdict_of: Look) -> None:
    original = FLATTEN.replace(ANY_OTHER, "type(item) is list")
    verdict = await verdict_of(original, FLATTEN.replace(ANY_OTHER, "isinstance(item, (list, set))"))
    assert verdict.status == "passed", (verdict.reason, verdict.failure)


async def test_lines_of_a_candidate_that_no_input_reached_are_shown(probe: Probe) -> None:
    hidden = "    if n * n == 22_201 * 22_201 * 4:\n        return -1\n    n %= 7\n"
    verdict = await probe(SUM.replace("    n %= 7\n", hidden))
    assert (verdict.status, verdict.unreached) == ("passed", ("return -1",))
    assert "1 line never run" in verdict_cell(verdict, "", improving=True).detail


EQUAL_VALUES = """def f(left: list[float], right: list[float]) -> int:
    return sum(1 for a in left for b in right if a == b)
"""
COUNTED = """def f(left, right):
    counts = {}
    for b in right:
        counts[b] = counts.get(b, 0) + 1
    return sum(counts.get(a, 0) for a in left)
"""
WORDS_IN = """def f(words, allowed):
    kept = []
    for word in words:
        if word in allowed:
            kept.append(word)
    return kept


def in_text(words, text):
    return f(words, text)


def in_list():
    return f(["a", "b"], ["b", "c"])
"""
FIRSTS = """def f(rows):
    return [next(row) for row in rows]
"""
DIGITS = """def f(n: int) -> int:
    if n <= 0:
        return 0
    return n + f(n - 1)
"""
DECODE = '''def f(code):
    """Decode.

    For code = (4, "q7") the output should be "q7q7q7q7".
    """
    return code[1] * code[0]
'''
HALVES = "def f(n: int) -> int:\n    return 0 if n < 1 else 1 + f(n // 2)\n"
PAIRS = """def f(left: list[tuple[int, str]], right: list[tuple[int, str]]) -> list[str]:
    return [name for a, _ in left for b, name in right if a == b]
"""
INDEXED = """def f(left, right):
    by_number = {}
    for number, name in right:
        by_number.setdefault(number, []).append(name)
    return [name for number, _ in left for name in by_number.get(number, ())]
"""
ITERABLE = "from collections.abc import Iterable\n\n\n"
FLATTEN = '''def f(items):
    """Flatten.

    >>> f([[1, 2], [3, [4]], 5])
    [1, 2, 3, 4, 5]
    """
    found = []
    for item in items:
        if isinstance(item, Iterable) and not isinstance(item, (str, bytes)):
            found.extend(f(item))
        else:
            found.append(item)
    return found
'''
ANY_OTHER = "isinstance(item, Iterable) and not isinstance(item, (str, bytes))"
NUMBERS = '''def f(items):
    """Add up what is a number.

    >>> f([1, "a", 2])
    3
    """
    return sum(item for item in items if isinstance(item, (int, float)))
'''
RETRY = """from typing import Callable


def f(call: Callable[[], int], times: int) -> int:
    times = max(1, min(times, 5))
    for attempt in range(times):
        try:
            return call()
        except TimeoutError:
            if attempt == times - 1:
                raise
    return 0
"""
THRICE = """from typing import Callable


def f(call: Callable[[int], int], number: int) -> int:
    for attempt in range(3):
        try:
            return call(number)
        except ConnectionError:
            if attempt == 2:
                raise
    return 0
"""
HALF_UP = """def f(x):
    from decimal import ROUND_HALF_UP, Decimal

    return str(Decimal(str(x)).quantize(Decimal("0.01"), ROUND_HALF_UP))
"""
MERGE = """def f(base: dict, over: dict) -> dict:
    result = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = f(result[key], value)
        else:
            result[key] = value
    return result
"""
LOOK_UP = """def f(data: dict, path: str, default=None):
    for part in path.split("/"):
        if not isinstance(data, dict) or part not in data:
            return default
        data = data[part]
    return data
"""
FOUND = """def f(data, path, default=None):
    for part in path.split("/"):
        if not isinstance(data, dict) or data.get(part) is None:
            return default
        data = data[part]
    return data
"""
DEPTH = """def f(value):
    if isinstance(value, dict):
        return 1 + max((f(item) for item in value.values()), default=0)
    return 1 + max(map(f, value), default=0) if isinstance(value, list) else 0
"""
REST = """from decimal import ROUND_HALF_UP, Decimal


def f(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
"""
LIMITS = "LIMITS = [50, 437]\n\n\ndef f(points: float) -> int:\n    return sum(points >= limit for limit in LIMITS)\n"
MEAN = """import math


def f(values: list[float]) -> float:
    kept = [value for value in values if not math.isnan(value)]
    return sum(kept) / len(kept) if kept else 0.0
"""
PAIRS_OF = """def f(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(";"):
        key, sign, value = part.partition("=")
        if sign:
            found[key] = value
    return found
"""
LASTS = """import re


def f(text: str) -> int:
    match = re.fullmatch(r"(\\d+)h(\\d+)m", text)
    return int(match[1]) * 60 + int(match[2]) if match else -1
"""
IN_UTC = """from datetime import datetime, timezone


def f(moment: datetime) -> datetime:
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
"""
VARIABLE = """import os


def f(name: str) -> str:
    return os.environ.get(name, "none")
"""
FIRST_LINE = """import io


def f(source: io.StringIO) -> str:
    with source:
        return source.readline()
"""
KINDS = {
    "a file that is given and closed": (FIRST_LINE, "def f(source):\n    return source.readline()\n"),
    "a key twice, as the text writes keys": (
        PAIRS_OF,
        PAIRS_OF.replace("found[key] = value", "found.setdefault(key, value)"),
    ),
    "a text as its pattern has it": (LASTS, LASTS.partition("\n\n\n")[2].replace("* 60", "* 24")),
    "a time in a zone": (IN_UTC, "def f(moment):\n    return moment.replace(tzinfo=timezone.utc)\n"),
    "a variable of the environment that is set": (VARIABLE, "def f(name):\n    return 'none'\n"),
    "a limit that stands beside the function": (LIMITS, LIMITS.partition("\n\n\n")[2].replace(">=", ">")),
    "a float that is no number": (MEAN, "def f(values):\n    return sum(values) / len(values) if values else 0.0\n"),
    "a dict below the same key of two dicts": (
        MERGE,
        MERGE.replace("f(result[key], value)", "{**result[key], **value}"),
    ),
    "a tuple where lists are asked for": (
        "def f(items: list) -> list:\n    return [x for y in items for x in (f(y) if isinstance(y, list) else [y])]\n",
        "def f(items):\n    return [x for y in items for x in (f(y) if isinstance(y, (list, tuple)) else [y])]\n",
    ),
    "a list in a list of anything": (
        "def f(items: list) -> list:\n    return [x for y in items for x in (f(y) if isinstance(y, list) else [y])]\n",
        "def f(items):\n    return [x for y in items for x in (y if isinstance(y, list) else [y])]\n",
    ),
    "containers in what has no type": (
        DEPTH,
        DEPTH.replace("(f(item) for item", "(isinstance(item, (dict, list)) for item"),
    ),
    "None at the end of a way into what is nested": (LOOK_UP, FOUND),
    "an amount halfway between two decimals": (
        REST,
        REST.partition("\n\n\n")[2].replace(", rounding=ROUND_HALF_UP", ""),
    ),
    "a number that is halved as often as Python recurses": (
        HALVES,
        "def f(n):\n    def below(m):\n        return f(m)\n    return 0 if n < 1 else 1 + below(n // 2)\n",
    ),
    "the same nan twice": (EQUAL_VALUES, COUNTED),
    "a text where only lists were thought of": (
        WORDS_IN,
        "def f(words, allowed):\n    known = set(allowed)\n    return [word for word in words if word in known]\n",
    ),
    "an exhausted iterator": (
        FIRSTS,
        "def f(rows):\n    def firsts():\n        yield from (next(row) for row in rows)\n    return list(firsts())\n",
    ),
    "an iterator for an iterable": (
        "from typing import Iterable\n\n\ndef f(xs: Iterable[int]) -> int:\n    return sum(1 for x in xs if x > 3)\n",
        "def f(xs):\n    return len(xs) - sum(1 for x in xs if x <= 3)\n",
    ),
    "near the depth of recursion": (
        DIGITS,
        "def f(n):\n    def inner(k):\n        return f(k)\n    return 0 if n <= 0 else n + inner(n - 1)\n",
    ),
    "an object of a class without arguments": (
        "class Empty:\n    pass\n\n\ndef f(item: Empty, n: int) -> int:\n    return n if n < 50 else 50\n",
        "def f(item, n):\n    return n\n",
    ),
    "an item that is no list, where any iterable is asked for": (
        ITERABLE + FLATTEN,
        FLATTEN.replace(ANY_OTHER, "isinstance(item, (list, tuple))"),
    ),
    "a number that is no int, where the text asks for both": (NUMBERS, NUMBERS.replace("(int, float)", "int")),
    "two texts that are alike when they are folded": (
        "def f(a: str, b: str) -> bool:\n    return a.lower() == b.lower()\n",
        "def f(a, b):\n    return a.casefold() == b.casefold()\n",
    ),
    "words that are alike when they are folded": (
        "def f(words: list[str]) -> int:\n    return len({word.upper() for word in words})\n",
        "def f(words):\n    return len({word.lower() for word in words})\n",
    ),
    "digits with a line between them": (
        "def f(text: str) -> int:\n    try:\n        return int(text)\n    except ValueError:\n        return -1\n",
        "def f(text):\n    import re\n    return int(text) if re.fullmatch(r'\\s*[-+]?\\d+\\s*', text) else -1\n",
    ),
    "a whole number that no float is": (
        "def f(n: int) -> int:\n    return n // 7\n",
        "def f(n):\n    import math\n    return math.floor(n / 7)\n",
    ),
    "a number halfway between two decimals": ("def f(x: float) -> str:\n    return f'{x:.2f}'\n", HALF_UP),
    "a digit beyond ASCII before a capital": (
        "import re\n\n\ndef f(text: str) -> str:\n    return re.sub(r'(\\d)([A-Z])', r'\\1_\\2', text)\n",
        "def f(text):\n    return re.sub(r'([0-9])([A-Z])', r'\\1_\\2', text)\n",
    ),
    "a function that raises once and then no more": (
        RETRY,
        RETRY.partition("\n\n\n")[2].replace("range(times)", "range(times + 1)").replace("times - 1", "times"),
    ),
    "an error for which the candidate alone waits": (
        RETRY,
        RETRY.partition("\n\n\n")[2].replace("TimeoutError", "(TimeoutError, ZeroDivisionError)"),
    ),
    "a function that raises each time": (
        THRICE,
        THRICE.partition("\n\n\n")[2].replace("attempt == 2", "attempt == 3"),
    ),
    "an item without a hash in a list of anything": (
        "def f(items: list) -> list:\n    return [x for at, x in enumerate(items) if x not in items[:at]]\n",
        "def f(items):\n    return list(dict.fromkeys(items))\n",
    ),
    "a program that is ended": (
        "import sys\n\n\ndef f(errors: list[str]) -> None:\n    if errors:\n        sys.exit(min(len(errors), 125))\n",
        "def f(errors):\n    if errors:\n        sys.exit(1)\n",
    ),
    "as many letters, of the same kinds, in other numbers": (
        "def f(a: str, b: str) -> bool:\n    return sorted(a) == sorted(b)\n",
        "def f(a, b):\n    return len(a) == len(b) and set(a) == set(b)\n",
    ),
    "the last day of February in a leap year": (
        "import datetime as dt\n\n\ndef f(d: dt.date) -> bool:\n    return (d + dt.timedelta(days=1)).day == 1\n",
        "def f(d):\n    return d.day == (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[d.month - 1]\n",
    ),
    "a value that the docstring gives in words": (
        DECODE,
        "def f(code):\n    return code[1] * 2\n",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_inputs_of_each_kind_tell_code_apart(verdict_of: Look, kind: str) -> None:
    original, other = KINDS[kind]
    verdict = await verdict_of(original, other)
    assert verdict.status != "passed"
    assert verdict.failure is not None or verdict.conditions
