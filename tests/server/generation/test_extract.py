"""From replies of any shape to a replacement."""

from __future__ import annotations

import pytest

from codeens_server.generation.reply.extract import Unusable, extract

STUB = '''import math
from typing import List


def half(n: int) -> float:
    """Half of n."""
    return n / 2


def total(items: List[int], start: int = 0) -> int:
    """The sum of items.

    >>> total([1, 2])
    3
    """
'''
DOCSTRING = '''    """The sum of items.

    >>> total([1, 2])
    3
    """'''
SIGNATURE = "def total(items: List[int], start: int = 0) -> int:"
WHOLE = f"{SIGNATURE}\n{DOCSTRING}\n    for item in items:\n        start += item\n    return start"
PLAIN = "def total(items, start=0):\n    for item in items:\n        start += item\n    return start"
BODY = "    for item in items:\n        start += item\n    return start"
FLAT = "for item in items:\n    start += item\nreturn start"


def _fence(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}\n```"


def _extract(reply: str, name: str = "total", stub: str = STUB) -> str:
    return extract(reply, name, stub=stub, is_method=False).function


@pytest.mark.parametrize(
    "reply",
    [
        PLAIN,
        _fence(PLAIN),
        _fence(PLAIN, "py"),
        _fence(PLAIN, ""),
        _fence(PLAIN).replace("```", "~~~"),
        f"Here's what I'd do:\n\n{_fence(PLAIN)}\n\nIt's O(n).",
        f"Here it is: {_fence(PLAIN)}",
        f"Here it is:\n```python\n{PLAIN}",
        f"{PLAIN}\n```\nThat's all.",
        f"1. First:\n\n   {_fence(PLAIN)}".replace("\n", "\n   "),
        f"The stub:\n{_fence(STUB + '    ...')}\nThe answer:\n{_fence(PLAIN)}",
        f"{_fence(PLAIN)}\nIt prints:\n{_fence('3', 'text')}\nor run\n{_fence('python m.py', 'bash')}",
        f"It's simple:\n\n{PLAIN}\n\nDoesn't it look good?",
        f"{STUB}\n\n{PLAIN}",
        f"{PLAIN}\n\nprint(total([1]))\nassert total([]) == 0\n\nif __name__ == '__main__':\n    print(total([2]))",
        f"{PLAIN}\n\ndef test_total():\n    assert total([1, 2",
        BODY,
        f"{BODY}\n\n\ndef other(x):\n    for y in",
        _fence(BODY),
        BODY.lstrip(),
        FLAT,
        _fence(FLAT),
        f"def total(items, start=0):\n{FLAT}",
        _fence(PLAIN).replace("    ", "\t"),
        BODY.replace("    ", "\t"),
        _fence(PLAIN).replace("    ", "  "),
        _fence(PLAIN).replace("\n", "\r\n"),
        _fence("class Solution:\n    " + PLAIN.replace("(items", "(self, items").replace("\n", "\n    ")),
        _fence("class Solution:\n    @staticmethod\n    " + PLAIN.replace("\n", "\n    ")),
    ],
)
def test_every_shape_gives_the_same_function(reply: str) -> None:
    expected = WHOLE.split("\n")
    found = _extract(reply).replace("\t", "    ").split("\n")
    assert [line.strip() for line in found] == [line.strip() for line in expected]
    compile("from typing import List\n" + _extract(reply), "reply", "exec")


def test_the_last_whole_definition_counts() -> None:
    first = PLAIN.replace("start += item", "start -= item")
    torn = "def total(items, start=0):\n    if items:\n        return sum("
    assert _extract(f"{_fence(first)}\nBetter:\n{_fence(PLAIN)}") == WHOLE
    assert _extract(f"{PLAIN}\n\n{torn}") == WHOLE


def test_a_torn_function_is_cut_back_to_where_it_surely_ends() -> None:
    assert _extract(f"{PLAIN}\n    print('never rea").endswith("return start")
    with pytest.raises(Unusable, match="'total' is torn off"):
        _extract("def total(items, start=0):\n    for item in items:\n        start += item\n    retu(")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("I can't help with that.", "no Python code"),
        ("```python\ndef sum_all(items):\n    return 1\n```", "other functions but not 'total'"),
        (STUB, "'total' is torn off, has no body"),
        ("def total(items:\n    return (", "'total' is torn off"),
        ("def total(items):\n" + "(" * 5000, "'total' is torn off"),
        ("```\n" * 400, "no Python code"),
        ("x = (\n" * 3000, "no Python code"),
        ("def total(items):\n    return " + "-" * 90_000 + "1", "'total'"),
    ],
)
def test_what_holds_no_implementation_is_refused_with_the_reason(reply: str, why: str) -> None:
    with pytest.raises(Unusable, match=why):
        _extract(reply)


def test_what_the_function_uses_comes_with_it_and_nothing_else() -> None:
    reply = """
from __future__ import annotations
import math
import os, functools
from itertools import accumulate as acc, chain

LIMIT = 10
TABLE = []
for i in range(LIMIT):
    TABLE.append(i * i)
UNUSED = [1]
UNUSED.append(2)

@functools.cache
def square(n):
    return TABLE[n] if n < LIMIT else n * n

def never_called():
    return chain()

def total(items, start=0):
    for value in acc(items):
        start += square(value) + math.floor(half(value))
    return start

print(total(TABLE))
assert TABLE
"""
    found = extract(reply, "total", stub=STUB, is_method=False)
    assert found.imports == ("import functools", "from itertools import accumulate as acc")
    assert found.helpers == (
        "LIMIT = 10",
        "TABLE = []",
        "for i in range(LIMIT):\n    TABLE.append(i * i)",
        "@functools.cache\ndef square(n):\n    return TABLE[n] if n < LIMIT else n * n",
    )


def test_helpers_and_imports_of_other_fences_are_found() -> None:
    parts = ["import os\nfrom heapq import nsmallest", "def least(x):\n    return nsmallest(1, x)"]
    function = "def total(items, start=0):\n    return least(items)[0]"
    found = extract("\nand\n".join(map(_fence, [*parts, function])), "total", stub=STUB, is_method=False)
    assert found.imports == ("from heapq import nsmallest",)
    assert found.helpers == (parts[1],)


def test_a_helper_of_the_file_is_left_out_unless_the_reply_changes_it() -> None:
    uses = "def total(items, start=0):\n    return half(items[0])"
    same = "def half(n: int) -> float:\n    # the same in other words\n    return n / 2"
    other = "def half(n: int) -> float:\n    return n // 2"
    assert extract(f"{same}\n\n{uses}", "total", stub=STUB, is_method=False).helpers == ()
    assert extract(f"{other}\n\n{uses}", "total", stub=STUB, is_method=False).helpers == (other,)


def test_a_star_import_stays_when_a_name_is_otherwise_unknown() -> None:
    reply = "from math import *\n\ndef total(items, start=0):\n    return {}(items)"
    assert extract(reply.format("fsum"), "total", stub=STUB, is_method=False).imports == ("from math import *",)
    assert extract(reply.format("sum"), "total", stub=STUB, is_method=False).imports == ()


def test_signature_decorators_and_docstring_of_the_file_are_kept() -> None:
    stub = '@register("x")\nasync def f(a: int, *, b: str = "y") -> str:\n    """Doc."""\n    ...'
    reply = "@cache\nasync def f(a, *, b='y'): return b * a  # short"
    assert _extract(reply, "f", stub).split("\n") == [
        "@register('x')",
        "@cache",
        'async def f(a: int, *, b: str = "y") -> str:',
        '    """Doc."""',
        "    return b * a  # short",
    ]


def test_another_signature_is_left_as_the_reply_has_it() -> None:
    assert _extract("def total(values, start=0):\n    return 1").startswith("def total(values, start=0):")
    assert _extract("def total(items, start=1):\n    return 1").startswith("def total(items, start=1):")


def test_a_docstring_of_the_reply_stays() -> None:
    assert '"""Mine."""' in _extract('def total(items, start=0):\n    """Mine."""\n    return 1')


def test_a_method_is_taken_out_of_its_class_as_it_is() -> None:
    stub = "def area(self) -> int:\n    return self.w * self.h"
    method = 'def area(self){}:\n    # kept\n    text = """\n  a"""\n    return self.w'
    inside = method.format("").replace("\n    ", "\n        ")
    reply = f"class Box:\n    def __init__(self):\n        self.w = 1\n\n    {inside}"
    found = extract(reply, "area", stub=stub, is_method=True)
    assert found.function == method.format(" -> int")
    assert found.helpers == ()


def test_a_class_around_a_function_gives_up_its_siblings_as_helpers() -> None:
    reply = (
        "class Solution:\n"
        "    def total(self, items, start=0):\n        return self._add(items) + start\n\n"
        "    def _add(self, items):\n        return sum(items)"
    )
    found = extract(reply, "total", stub=STUB, is_method=False)
    assert found.helpers == ("def _add(items):\n    return sum(items)",)
    assert found.function.endswith("return _add(items) + start")


def test_a_class_that_keeps_state_cannot_be_unwrapped() -> None:
    reply = "class Solution:\n    def total(self, items, start=0):\n        self.seen = items\n        return start"
    with pytest.raises(Unusable):
        _extract(reply)


def test_a_nested_function_is_found_inside_the_repeated_outer_one() -> None:
    stub = "def inner(x):\n    return x + base"
    reply = "def outer(base):\n    def inner(x):\n        return base + x\n    return inner"
    assert _extract(reply, "inner", stub) == "def inner(x):\n    return base + x"


def test_a_fence_inside_a_docstring_does_not_end_the_code() -> None:
    reply = _fence("def total(items, start=0):\n    '''Use:\n    ```\n    total([1])\n    ```\n    '''\n    return 7")
    assert _extract(reply).endswith("return 7")
