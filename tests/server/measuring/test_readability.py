"""Readability of sources, by the tools themselves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from codeens_server.measuring.readability import Unmeasurable, readability, score

PLAIN = '''
def total(xs):
    """Adds up.

    Over many lines.
    """
    return sum(xs)
'''
NESTED = """
def total(xs):
    result = 0
    for x in xs:
        if x is not None:
            if x > 0 or x < 0:
                result += x
    return result
"""
HIDDEN = """
def total(xs):
    def inner(ys):
        for y in ys:
            if y:
                return y
        return 0
    return inner(xs)
"""
IN_THREADS_THAT_END = """
import anyio
from codeens_server.measuring.readability import readability
for _ in range(3):
    print(anyio.run(readability, "def f(x):\\n    return x\\n").cognitive)
"""
"""Each loop's worker threads end with it."""

pytestmark = pytest.mark.anyio


async def test_a_plain_function_reads_easier_than_nested_branches() -> None:
    plain, nested = await readability(PLAIN), await readability(NESTED)
    assert (plain.cyclomatic, plain.cognitive, plain.lines) == (1, 0, 2)
    assert (nested.cyclomatic, nested.lines) == (5, 7)
    assert nested.cognitive >= 6
    assert plain.score > nested.score


async def test_decisions_inside_an_inner_function_are_counted() -> None:
    assert (await readability(HIDDEN)).cyclomatic == 3


async def test_comments_that_silence_a_tool_change_nothing() -> None:
    loud = "def f(l=[]):\n    return l\n"
    silenced = "# ruff: noqa\ndef f(l=[]):  # noqa\n    return l  # noqa: complexipy\n"
    silent_complexity = NESTED.replace("(xs):", "(xs):  # complexipy: ignore")
    assert (await readability(loud)).findings == (await readability(silenced)).findings > 0
    assert (await readability(silent_complexity)).cognitive == (await readability(NESTED)).cognitive


async def test_names_of_the_module_around_the_source_are_no_findings() -> None:
    assert (await readability("def f(x: Vector) -> Vector:\n    return scale(x)")).findings == 0


async def test_a_golfed_line_is_found() -> None:
    golfed = "def f(x):\n    return " + " + ".join(f"x[{index}]" for index in range(30)) + "\n"
    assert (await readability(golfed)).findings == 1


@pytest.mark.parametrize(
    "source",
    ["def f(:\n", "x = 1\x00", "def f():\n    return " + "(" * 5000 + ")" * 5000, "x = 1\n" * 100_000],
    ids=["syntax", "null byte", "too deep", "too large"],
)
async def test_a_source_that_cannot_be_analysed_says_so(source: str) -> None:
    with pytest.raises(Unmeasurable, match="source"):
        await readability(source)


@pytest.mark.parametrize("metric", ["cyclomatic", "cognitive", "lines", "findings"])
def test_the_score_falls_with_each_metric_and_stays_between_0_and_100(metric: str) -> None:
    least = {"cyclomatic": 1, "cognitive": 0, "lines": 0, "findings": 0}
    scores = [score(**{**least, metric: least[metric] + more}) for more in (0, 1, 2, 10, 100, 10_000)]
    assert scores[0] == 100.0
    assert scores == sorted(set(scores), reverse=True)
    assert scores[-1] > 0


def test_a_server_whose_threads_come_and_go_stays_alive() -> None:
    done = subprocess.run([sys.executable, "-c", IN_THREADS_THAT_END], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.split()) == (0, ["0", "0", "0"]), done.stderr


@pytest.mark.parametrize(
    "source",
    [
        "CODE = 'def u(xs): return xs'\ndef f(xs):\n    scope = {}\n    exec(CODE, scope)\n    return scope['u'](xs)\n",
        "from base64 import b64decode\ndef f(xs):\n    return eval(b64decode('eHM='))\n",
        "run = eval\ndef f(xs):\n    return run('xs')\n",
        "import marshal\nfrom types import FunctionType\ndef f(xs):\n    return FunctionType(marshal.loads(xs), {})\n",
        "import types\ndef f(xs):\n    return types.FunctionType(f.__code__, {})(xs)\n",
    ],
)
async def test_code_that_runs_code_from_a_text_has_no_readability(source: str) -> None:
    with pytest.raises(Unmeasurable, match="it runs code that is no source"):
        await readability(source)
