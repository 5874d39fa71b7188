"""From replies of any shape to a replacement."""

from __future__ import annotations

import html
import json

import pytest

from codeens_server.domain.target import Replacement
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
WRONG = "def total(items, start=0):\n    return 0"
BODY = "    for item in items:\n        start += item\n    return start"
FLAT = "for item in items:\n    start += item\nreturn start"


def _fence(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}\n```"


def _taken(reply: str, name: str = "total", *, stub: str = STUB, is_method: bool = False) -> Replacement:
    """The likeliest implementation."""
    return extract(reply, name, stub=stub, is_method=is_method)[0].replacement


def _extract(reply: str, name: str = "total", stub: str = STUB) -> str:
    return _taken(reply, name, stub=stub).function


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
        f"<think>\nPerhaps:\n{_fence(WRONG)}\nNo.\n</think>\n\n{PLAIN}",
        f"Perhaps:\n{_fence(WRONG)}\nNo.\n</think>\n{_fence(PLAIN)}",
        f"<thinking>a <thinking>{_fence(WRONG)}</thinking> b</thinking>\n{_fence(PLAIN)}",
        f"[THINK]{_fence(WRONG)}[/THINK]{_fence(PLAIN)}",
        f"◁think▷\n{_fence(WRONG)}\n◁/think▷\n{_fence(PLAIN, '')}",
        f"{_fence(PLAIN)}\n<reasoning>\n{_fence(WRONG)}\n</reasoning>",
        f"<think>\n{_fence(PLAIN)}\n</think>",
        f"<think>\nAll in here.\n{_fence(PLAIN)}",
        f"<think>\n{'word ' * 30_000}\n</think>\n{_fence(PLAIN)}",
        f"{_fence(PLAIN)}\n{'word ' * 30_000}",
        f"<|channel|>analysis<|message|>{WRONG}<|end|><|start|>assistant<|channel|>final<|message|>{PLAIN}<|return|>",
        f"{PLAIN}<|endoftext|>",
        f"{_fence(PLAIN)}\n<|im_end|>\n<|im_start|>user\n{_fence(WRONG)}",
        f"\ufeff{PLAIN}",
        _fence(PLAIN.replace("    ", "\u00a0 \u00a0 ")),
        _fence(PLAIN.replace("def ", "def \u200b")),
        _fence("\n".join(f"{'...' if row else '>>>'} {line}" for row, line in enumerate(PLAIN.split("\n"))), "pycon"),
        "\n".join(f"> {line}" for line in PLAIN.split("\n")),
        "\n".join(f"{row:2} | {line}" for row, line in enumerate(PLAIN.split("\n"), 1)),
        _fence("\n".join(f"{row}: {line}" for row, line in enumerate(PLAIN.split("\n"), 1))),
        f'<pre><code class="language-python">{html.escape(PLAIN)}</code></pre>',
        json.dumps({"explanation": "It's quick.", "code": PLAIN}),
        _fence(json.dumps({"answer": {"code": PLAIN}}, indent=2), "json"),
        json.dumps(PLAIN),
        PLAIN.replace("\n", "\\n"),
        json.dumps({"cells": [{"cell_type": "code", "source": PLAIN.splitlines(keepends=True)}]}),
        f"{_fence(PLAIN.replace('total', 'quick'))}\n" + _fence(f"{PLAIN.replace('total', 'quick')}\n\ntotal = quick"),
        _fence(PLAIN.replace("total", "total_of_all")),
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


SHOWN = "import math\n\n\ndef area(r: float) -> float:\n    square = r * r\n    return square * 3.14\n"
BETTER = "def area(r: float) -> float:\n    square = r ** 2\n    return square * math.pi"
HUNK = """\
@@ -3,3 +3,3 @@
 def area(r: float) -> float:
-    square = r * r
-    return square * 3.14
+    square = r ** 2
+    return square * math.pi
"""
BLOCKS = """\
<<<<<<< SEARCH
    square = r * r
=======
    square = r ** 2
>>>>>>> REPLACE
and
<<<<<<< SEARCH
return square * 3.14
=======
return square * math.pi
>>>>>>> REPLACE
"""


@pytest.mark.parametrize(
    "reply",
    [
        _fence(f"--- a/m.py\n+++ b/m.py\n{HUNK}", "diff"),
        f"Change it so:\n\n{HUNK}\nThat is all.",
        _fence(HUNK.split("\n", 1)[1], "diff"),
        f"*** Begin Patch\n*** Update File: m.py\n{HUNK.replace('-3,3 +3,3 @@', 'def area')}*** End Patch",
        BLOCKS,
        f"m.py\n{_fence(BLOCKS)}",
    ],
)
def test_a_change_is_made_in_the_function_that_was_shown(reply: str) -> None:
    (taken,) = extract(reply, "area", stub=SHOWN, is_method=False)
    assert taken.replacement == Replacement(function=BETTER)
    assert taken.receipt == ("read from a change of the function that was shown",)


def test_a_change_of_other_lines_is_none() -> None:
    with pytest.raises(Unusable, match="a change of lines that 'area' does not have"):
        extract(BLOCKS.replace("r * r", "r + r"), "area", stub=SHOWN, is_method=False)


def test_each_distinct_definition_counts_and_the_repeated_original_does_not() -> None:
    original = SHOWN.split("\n\n\n")[1]
    other = BETTER.replace("** 2", "* r")
    reply = "\nor\n".join(map(_fence, [other, BETTER, BETTER.replace("** 2", "**  2"), original]))
    taken = extract(reply, "area", stub=SHOWN, is_method=False)
    assert [each.replacement.function for each in taken] == [BETTER.replace("** 2", "**  2"), other]
    assert taken[0].receipt == ("the original, repeated, passed over", "one of 2 different definitions")
    (alone,) = extract(_fence(original), "area", stub=SHOWN, is_method=False)
    assert alone.replacement.function == original.rstrip()


def test_both_branches_of_a_definition_by_version_count() -> None:
    new = "    def total(items, start=0):\n        return sum(items, start)"
    old = "\n".join(f"    {line}" for line in PLAIN.split("\n"))
    reply = f"import sys\nif sys.version_info >= (3, 12):\n{new}\nelse:\n{old}"
    found = [each.replacement.function for each in extract(reply, "total", stub=STUB, is_method=False)]
    assert found == [WHOLE, f"{SIGNATURE}\n{DOCSTRING}\n    return sum(items, start)"]


@pytest.mark.parametrize(
    "mark",
    [
        "# ... rest of the code unchanged ...",
        "# (rest of the function stays the same)",
        "# ... existing code ...",
        "# …",
        "# the rest is unchanged",
        "...",
    ],
)
def test_a_definition_that_leaves_code_out_is_named_and_passed_over(mark: str) -> None:
    torn = f"def total(items, start=0):\n    start += 1\n    {mark}\n    return start"
    with pytest.raises(Unusable, match="leaves code out: ") as refused:
        _extract(torn)
    assert str(refused.value).endswith(mark)
    assert _extract(f"{_fence(PLAIN)}\nor\n{_fence(torn)}") == WHOLE


@pytest.mark.parametrize(
    "comment",
    [
        "# the rest of the items is added",
        "# same sum as before, in one pass",
        "# ... and the other half",
        "# other codes",
    ],
)
def test_an_honest_comment_leaves_nothing_out(comment: str) -> None:
    assert comment in _extract(PLAIN.replace("    return", f"    {comment}\n    return"))


def test_a_reply_cut_off_while_thinking_says_so() -> None:
    reply = f"<think>\nFirst:\n{_fence(PLAIN)}\nBut then"
    with pytest.raises(Unusable, match="cut off while the model was thinking"):
        extract(reply, "total", stub=STUB, is_method=False, was_cut=True)


def test_code_about_thinking_tags_is_read_whole() -> None:
    last = 'return items.split("</think>")[-1] + "<|endoftext|>"'
    code = f"def total(items, start=0):\n    '''a <think>b</think> c'''\n    {last}"
    assert _extract(_fence(code)).endswith(last)


def test_the_receipt_says_what_was_taken_off() -> None:
    (taken,) = extract(f"<think>Hm.</think>\n{json.dumps({'code': PLAIN})}", "total", stub=STUB, is_method=False)
    assert taken.receipt == ("3 characters of thinking left out", "read from JSON")


def test_of_a_very_long_reply_the_end_is_read() -> None:
    talk = "Let us think about it once more.\n" * 6000
    (taken,) = extract(f"{talk}{_fence(PLAIN)}", "total", stub=STUB, is_method=False)
    assert taken.replacement.function == WHOLE
    assert [line.partition(" ")[2] for line in taken.receipt] == ["characters of its middle not read"]


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
    found = _taken(reply, "total", stub=STUB)
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
    found = _taken("\nand\n".join(map(_fence, [*parts, function])), "total", stub=STUB)
    assert found.imports == ("from heapq import nsmallest",)
    assert found.helpers == (parts[1],)


def test_a_helper_of_the_file_is_left_out_unless_the_reply_changes_it() -> None:
    uses = "def total(items, start=0):\n    return half(items[0])"
    same = "def half(n: int) -> float:\n    # the same in other words\n    return n / 2"
    other = "def half(n: int) -> float:\n    return n // 2"
    assert _taken(f"{same}\n\n{uses}", "total", stub=STUB).helpers == ()
    assert _taken(f"{other}\n\n{uses}", "total", stub=STUB).helpers == (other,)


def test_a_star_import_stays_when_a_name_is_otherwise_unknown() -> None:
    reply = "from math import *\n\ndef total(items, start=0):\n    return {}(items)"
    assert _taken(reply.format("fsum"), "total", stub=STUB).imports == ("from math import *",)
    assert _taken(reply.format("sum"), "total", stub=STUB).imports == ()


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
    found = _taken(reply, "area", stub=stub, is_method=True)
    assert found.function == method.format(" -> int")
    assert found.helpers == ()


def test_a_class_around_a_function_gives_up_its_siblings_as_helpers() -> None:
    reply = (
        "class Solution:\n"
        "    def total(self, items, start=0):\n        return self._add(items) + start\n\n"
        "    def _add(self, items):\n        return sum(items)"
    )
    found = _taken(reply, "total", stub=STUB)
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
