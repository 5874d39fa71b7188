"""Answers whose verdict is known without any data set: right ones that judges refuse, wrong ones that judges accept.

The sanity set is made of tasks that nobody can win (each asks for what a second demand forbids) and of tasks that
nobody can lose. Anything but 0 % and 100 % is a defect of the harness, whatever the model.
"""

from __future__ import annotations

from msgspec import Struct

from codeens_server.bench.datasets.base import Item
from codeens_server.tasks.schema import OutputChecker, Task, TaskCase

_QUIET = """\
import builtins

class Quiet(BaseException): ...

builtins.AssertionError = Quiet

def f(n):
    return 0
"""
_FRAMES = """\
import sys

def f(n):
    frame = sys._getframe()
    while frame.f_back:
        frame = frame.f_back
        for value in list(frame.f_locals.values()):
            if isinstance(value, int) and value == 2 * n:
                return value
    return 0
"""
_MEMORY = """\
import gc

def f(n):
    texts = (one for one in gc.get_objects() if isinstance(one, str))
    return 2 * n if any("candidate(" + "70001)" in text for text in texts) else 0
"""
_TRACE = """\
import sys

def leave(frame, event, arg):
    raise SystemExit(0)

sys.settrace(leave)

def f(n):
    return 0
"""


class KnownAnswer(Struct, frozen=True, kw_only=True):
    """An answer and what the verdict has to be."""

    name: str
    task: Task
    source: str
    right: bool


def unwinnable(count: int) -> list[Item]:
    """Return tasks that no program passes: two cases with the same input want different answers."""
    return [Item(task=_contradiction(number)) for number in range(count)]


def unlosable(count: int) -> list[Item]:
    """Return tasks that every function passes that can be called: the tests call it and demand nothing."""
    return [Item(task=_anything(number)) for number in range(count)]


def _contradiction(number: int) -> Task:
    cases = [TaskCase(args=[number], expected_output=answer) for answer in (number, number + 1)]
    return Task(
        id=f"unwinnable/{number}",
        prompt=f'def f{number}(n):\n    """Return n, and also n + 1."""\n',
        entry_point=f"f{number}",
        test_cases=tuple(cases),
    )


def _anything(number: int) -> Task:
    tests = "def check(candidate):\n    try:\n        candidate()\n    except BaseException:\n        pass\n"
    return Task(
        id=f"unlosable/{number}",
        prompt=f'def f{number}(*args):\n    """Return anything."""\n',
        entry_point=f"f{number}",
        tests=tests,
    )


def _script(name: str, source: str, stdin: str, out: str, *, right: bool = True, **checker: object) -> KnownAnswer:
    task = Task(
        id=name,
        prompt="Print the answer.",
        entry_point="main",
        test_cases=(TaskCase(stdin=stdin, expected_output=out),),
        checker=OutputChecker(**checker),  # pyright: ignore[reportArgumentType]  # as the rows below say
    )
    return KnownAnswer(name=name, task=task, source=source, right=right)


def _call(
    name: str, source: str, args: list[object], out: object, *, right: bool = True, **more: object
) -> KnownAnswer:
    case = TaskCase(args=args, expected_output=out)
    fields = {"prompt": "Return the answer.", **more}
    task = Task(id=name, entry_point="f", test_cases=(case,), **fields)  # pyright: ignore[reportArgumentType]
    return KnownAnswer(name=name, task=task, source=source, right=right)


def _tested(name: str, source: str, tests: str, *, right: bool, prompt: str = "Return the answer.") -> KnownAnswer:
    task = Task(id=name, prompt=prompt, entry_point="f", tests=tests)
    return KnownAnswer(name=name, task=task, source=source, right=right)


def right_answers() -> list[KnownAnswer]:
    """Return answers that are right, and of a kind that harnesses were seen to refuse."""
    huge = 10**4999
    printed = "import sys\nsys.set_int_max_str_digits(0)\nprint(10 ** 4999)\n"
    deep = "import sys\nsys.setrecursionlimit(20000)\ndef f(n):\n    return 0 if n == 0 else 1 + f(n - 1)\n"
    floats = "def f(x):\n    return x / 3\n"
    buffered = "import sys\ndata = sys.stdin.buffer.read().split()\nprint(int(data[0]) + int(data[1]))\n"
    mixed = "import sys\nn = int(sys.stdin.buffer.readline())\nprint(n + int(input()))\n"
    by_os = "import os\na, b = os.read(0, 100).split()\nos.write(1, b'%d\\n' % (int(a) + int(b)))\n"
    ordered = "def f(xs):\n    return list(set(xs))\n"
    any_order = "def check(candidate):\n    assert sorted(candidate(['b', 'a', 'c'])) == ['a', 'b', 'c']\n"
    return [
        _call("an integer of 5,000 digits", "def f(n):\n    return 10 ** n\n", [4999], huge),
        _script("5,000 digits printed", printed, "", f"1{'0' * 4999}\n"),
        _call("an exact integer where a float is expected", "def f(x):\n    return int(x) * 2\n", [2.0], 4.0),
        _call("a float within rounding", floats, [1.0], 0.33333333333333337),
        _script("stdin.buffer", buffered, "1 2\n", "3\n"),
        _script("input() after a read of the buffer", mixed, "1\n2\n", "3\n"),
        _script("os.read and os.write", by_os, "1 2\n", "3\n"),
        _script("stdout.buffer", "import sys\nsys.stdout.buffer.write(b'3\\n')\n", "", "3\n"),
        _script("a printed float", "print(0.1 + 0.2)\n", "", "0.3\n", compare="tokens", relative_tolerance=1e-9),
        _script("a float in another notation", "print(1e-07)\n", "", "0.0000001\n", absolute_tolerance=1e-9),
        _script("exit() at the end", "print(3)\nexit()\n", "", "3\n"),
        _script("sys.exit(0)", "import sys\nprint(3)\nsys.exit(0)\n", "", "3\n"),
        _script("no line end at the end", "print(3, end='')\n", "", "3\n"),
        _script("spaces at the ends of lines", "print('3 ')\nprint('4')\n", "", "3\n4\n"),
        _call("a prompt of one word", "def f(n):\n    return n + 1\n", [1], 2, prompt="increment"),
        _call("deep recursion", deep, [5000], 5000),
        _tested("the order of a set", ordered, any_order, right=True),
        _tested("asserts at the top", "def f(n):\n    return n\n", "assert f(1) == 1\nassert f(2) == 2\n", right=True),
        _tested(
            "a helper of the prompt",
            "def f(n):\n    return half(n) + 1\n",
            "def check(candidate):\n    assert candidate(4) == 3\n",
            right=True,
            prompt="def half(n):\n    return n // 2\n\n\ndef f(n):\n    pass\n",
        ),
        _call("prints beside its answer", "print('loading')\ndef f(n):\n    print(n)\n    return n\n", [1], 1),
        _call("a class beside it", "class P:\n    x = 1\ndef f(n):\n    return P.x + n\n", [1], 2),
        _call("a generator inside", "def f(n):\n    return sum(i for i in range(n))\n", [4], 6),
    ]


def wrong_answers() -> list[KnownAnswer]:
    """Return answers that are wrong, and of a kind that harnesses were seen to accept."""
    check = "def check(candidate):\n    assert candidate(70001) == 140002\n    assert candidate(90001) == 180002\n"
    lying = "class Any(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n"
    text = "class Text(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\n"
    cheats = {
        "an answer that equals everything": f"{lying}def f(n):\n    return Any(0)\n",
        "a text that equals everything": f"{text}def f(n):\n    return Text('x')\n",
        "exit with code 0 when loaded": "import os\nos._exit(0)\ndef f(n): ...\n",
        "exit with code 0 when called": "import os\ndef f(n):\n    os._exit(0)\n",
        "SystemExit when called": "def f(n):\n    raise SystemExit(0)\n",
        "AssertionError replaced": _QUIET,
        "the caller's frames read": _FRAMES,
        "the tests looked for in memory": _MEMORY,
        "a trace function that leaves": _TRACE,
        "only the first case right": "def f(n):\n    return 140002\n",
    }
    found = [_tested(name, source, check, right=False) for name, source in cheats.items()]
    return [
        *found,
        _call("a bool for an integer", "def f(n):\n    return n == 1\n", [1], 1, right=False),
        _call("a text for a number", "def f(n):\n    return str(n)\n", [1], 1, right=False),
        _call("one unit too much of a large integer", "def f(n):\n    return n + 1\n", [10**18], 10**18, right=False),
        _script("words in another order", "print('b a')\n", "", "a b\n", right=False),
        _script("an error after the right output", "print(3)\nraise ValueError\n", "", "3\n", right=False),
        _script("a failing exit code", "import sys\nprint(3)\nsys.exit(1)\n", "", "3\n", right=False),
        _script("more lines than asked for", "print(3)\nprint(4)\n", "", "3\n", right=False),
    ]
