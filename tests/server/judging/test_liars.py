"""Values that lie about what they are. None of them helps its candidate, whatever was expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codeens_server.domain.target import Target
from codeens_server.tasks.schema import ScoredCandidate, Task, TaskCase
from codeens_server.tasks.scoring import score_task
from codeens_server.workspace.find import find_target
from tests.server.judging.rooms import local_sandbox

pytestmark = pytest.mark.anyio

AGREEABLE = """
def yes(*_, **__):
    return True
class Agreeable:
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = yes
    def __hash__(self): return hash(ANSWER)
    def __len__(self): return len(ANSWER) if hasattr(ANSWER, "__len__") else 1
    def __iter__(self): return iter(ANSWER)
    def __getitem__(self, key): return ANSWER[key]
    def __repr__(self): return repr(ANSWER)
    __str__ = __repr__
    def __format__(self, spec): return format(ANSWER, spec)
    def __index__(self): return ANSWER
    __int__ = __float__ = __complex__ = __trunc__ = __round__ = __abs__ = __index__
    def __reduce__(self): return (type(ANSWER), (ANSWER,))
    def __reduce_ex__(self, _): return self.__reduce__()
    def __getstate__(self): return ANSWER
    def __getnewargs__(self): return (ANSWER,)
    def __copy__(self): return ANSWER
    def __deepcopy__(self, _): return ANSWER
    def __instancecheck__(self, _): return True
    def keys(self): return ANSWER.keys()
    def items(self): return ANSWER.items()
    def tolist(self): return ANSWER
    __array__ = __json__ = item = tolist
    def __getattr__(self, name): return ANSWER
BASES = {int: int, str: str, list: list, dict: dict}
BASE = BASES[type(ANSWER)]
"""
LIES = {
    "equal to everything": "class Lie(Agreeable): pass",
    "a subclass": "class Lie(Agreeable, BASE): pass",
    "says its class is another": "class Lie(Agreeable):\n    __class__ = property(lambda self: BASE)",
    "says it is a class": "class Lie(Agreeable):\n    __class__ = type\n    def __hash__(self): return hash(int)",
    "named like the type": """
Lie = type(BASE.__name__, (Agreeable,), {"__module__": "builtins", "__qualname__": BASE.__qualname__})""",
    "a metaclass that answers": """
class Meta(type):
    def __getattribute__(cls, name):
        return getattr(BASE, name)
    __eq__ = yes
    def __hash__(cls): return hash(BASE)
    def __instancecheck__(cls, _): return True
    def __subclasscheck__(cls, _): return True
    def mro(cls): return [cls, object]
class Lie(metaclass=Meta):
    __eq__ = yes
    def __hash__(self): return 0""",
    "says what its state is": """
class Lie(Agreeable):
    __slots__ = ("real",)
    __dict__ = property(lambda self: {"value": ANSWER})""",
    "hides its dictionary": "class Lie(Agreeable):\n    __dict__ = property(lambda self: {'value': ANSWER})",
    "changes its class when looked at": """
class Lie(Agreeable):
    def __getattribute__(self, name):
        try:
            self.__class__ = type(self)
        finally:
            return ANSWER""",
    "an iterator of the language": """
class Lie(Agreeable):
    __module__ = "builtins"
    def __next__(self): raise StopIteration""",
    "a named tuple": """
class Lie(tuple):
    _fields = ("value",)
    __eq__ = yes
    def __iter__(self): return iter(ANSWER)
    def __len__(self): return 1""",
    "a member of an enumeration": """
import enum
class Lies(enum.Enum):
    A = 1
    __eq__ = yes
    def __hash__(self): return 0
def Lie():
    Lies.A._name_ = Lies.A._value_ = ANSWER
    return Lies.A""",
    "an exception": """
class Lie(Exception):
    __eq__ = yes
    args = property(lambda self: (ANSWER,))
    def __str__(self): return str(ANSWER)""",
    "of another library": """
import sys, types
class ndarray(Agreeable):
    __module__ = "numpy"
    shape, dtype = (), types.SimpleNamespace(kind="i", itemsize=8, str="<i8")
    def tobytes(self, *_): return b"\\4" + bytes(7)
sys.modules["numpy"] = types.SimpleNamespace(ndarray=ndarray, generic=ndarray)
Lie = ndarray""",
    "a default of its own": """
import collections
class Lie(collections.defaultdict):
    __eq__ = yes
    def __missing__(self, key): return ANSWER
Lie.__module__, Lie.__qualname__ = "builtins", "dict" """,
    "not equal to itself": "def Lie(): return float('nan')",
    "a function": "def Lie(): return lambda *_: ANSWER",
    "a weak reference": """
import weakref
keep = Agreeable()
def Lie(): return weakref.proxy(keep)""",
}
EXPECTED: list[Any] = [4, "ab", [1, 2], {"a": 1}]


def task(expected: Any) -> Task:
    return Task(
        id="lies",
        prompt="",
        entry_point="f",
        test_cases=(TaskCase(expected_output=expected),),
        tests=f"def check(candidate):\n    assert candidate() == {expected!r}\n",
    )


@pytest.mark.parametrize("expected", EXPECTED, ids=repr)
async def test_no_lie_passes_and_the_truth_does(expected: Any, tmp_path: Path) -> None:
    candidates = [
        ScoredCandidate(id=name, source=f"ANSWER = {expected!r}\n{AGREEABLE}\n{lie}\ndef f():\n    return Lie()\n")
        for name, lie in LIES.items()
    ]
    truth = ScoredCandidate(id="truth", source=f"def f():\n    return {expected!r}\n")

    async with local_sandbox(_anywhere(tmp_path)) as sandbox:
        report = await score_task(task(expected), [*candidates, truth], sandbox=sandbox, sandbox_label="")

    passed = {result.candidate.id: result.verdict.passed for result in report.results if result.verdict.passed}
    assert passed == {"truth": 2}
    assert all(result.reason for result in report.results if result.rank is None)


def _anywhere(folder: Path) -> Target:
    (folder / "m.py").write_text("def f():\n    return 1\n", encoding="utf-8")
    return find_target(f"{folder / 'm.py'}::f", cwd=folder)
