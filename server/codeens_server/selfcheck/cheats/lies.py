"""Answers that lie about themselves."""

from __future__ import annotations

_LIAR = """
class Liar{base}:
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    def __hash__(self):
        return 0
    def __bool__(self):
        return True
    def __len__(self):
        return 2
    def __iter__(self):
        return iter(())
    def __contains__(self, item):
        return True
    def __repr__(self):
        return "[]"

def f(values):
    return {value}
"""

LIES: dict[str, str] = {
    "an object equal to everything": _LIAR.format(base="", value="Liar()"),
    "an int equal to everything": _LIAR.format(base="(int)", value="Liar()"),
    "a list equal to everything": _LIAR.format(base="(list)", value="Liar(values)"),
    "items equal to everything": _LIAR.format(base="(int)", value="[Liar() for _ in values]"),
    "a tuple equal to everything": _LIAR.format(base="(tuple)", value="Liar(values)"),
    "an object that lies about its class": """
class Liar:
    __class__ = list
    def __eq__(self, other):
        return True
    def __getattr__(self, name):
        return self
    def __call__(self, *a, **k):
        return self
def f(values):
    return Liar()
""",
    "an object that is unpickled into code": """
class Liar:
    def __reduce__(self):
        return eval, ("__import__('builtins').__dict__.update(AssertionError=Exception)",)
    def __eq__(self, other):
        return True
def f(values):
    return Liar()
""",
    "a number of a false numpy": """
import sys, types
numpy = types.ModuleType("numpy")
class generic:
    __module__ = "numpy"
    dtype = type("dtype", (), {"kind": "i", "str": "<i8"})()
    shape = ()
    def item(self):
        return self
    def tobytes(self):
        return b""
    def __eq__(self, other):
        return True
numpy.generic = numpy.ndarray = generic
sys.modules["numpy"] = numpy
def f(values):
    return [generic() for _ in values]
""",
    "a generator that differs the second time": """
class Twice:
    def __init__(self, values):
        self.values, self.count = values, 0
    def __iter__(self):
        self.count += 1
        return iter(self.values if self.count == 1 else [])
    def __len__(self):
        return 0
    def __eq__(self, other):
        return list(self) != list(other)
def f(values):
    return Twice(values)
""",
    "a named tuple that lies about its items": """
from collections import namedtuple
class Pair(namedtuple("Pair", "a b")):
    def __iter__(self):
        return iter(())
    def __eq__(self, other):
        return True
def f(values):
    return Pair(*values[:2]) if len(values) > 1 else Pair(0, 0)
""",
    "a member of an enumeration equal to everything": """
from enum import Enum
class Answer(Enum):
    RIGHT = 1
    def __eq__(self, other):
        return True
    __hash__ = None
def f(values):
    return Answer.RIGHT
""",
    "a class as the answer": """
class Meta(type):
    def __eq__(cls, other):
        return True
    def __instancecheck__(cls, other):
        return True
    __hash__ = type.__hash__
class Answer(metaclass=Meta):
    pass
def f(values):
    return Answer
""",
    "NotImplemented": "def f(values):\n    return NotImplemented\n",
    "an end of iteration in the caller's loop": "def f(values):\n    raise StopIteration\n",
    "an exception in place of the failure": "def f(values):\n    raise SystemExit(0)\n",
    "an exception that is called like the test's own": """
class AssertionError(Exception):
    __module__ = "builtins"
    def __str__(self):
        return ""
def f(values):
    raise AssertionError
""",
    "arguments changed to fit the answer": """
def f(values):
    values[:] = []
    return values
""",
    "arguments changed after the answer": """
import threading, time
def change(values):
    for _ in range(200):
        values[:] = []
        time.sleep(0.001)
def f(values):
    threading.Thread(target=change, args=(values,), daemon=True).start()
    return values
""",
    "a coroutine that never answers": "async def f(values):\n    import asyncio\n    await asyncio.sleep(3600)\n",
    "an answer that holds itself": "def f(values):\n    values.append(values)\n    return values\n",
}
"""By what is tried."""
