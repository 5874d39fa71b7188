"""Programs that look for the calls which come next, and tests whose later calls tell earlier answers."""

from __future__ import annotations

_NEXT = """
import gc, sys
def later(given):
    found = []
    def look(value):
        if isinstance(value, list) and value and isinstance(value[0], dict) and "args" in value[0]:
            args = [call.get("args") for call in value]
            if [given] in args:
                found.extend(args[args.index([given]) + 1:])
    frame = sys._getframe(1)
    while frame is not None:
        for value in list(frame.f_locals.values()):
            look(value)
        frame = frame.f_back
    for thing in gc.get_objects():
        look(thing)
    return found
def f(given):
    found = later(given)
    return found[0][0] if found else LAST
"""

AHEAD: dict[str, tuple[str, str, str]] = {
    "a chain of calls": (
        "def f(n):\n    return 5 * n + KEY\n",
        (
            "def check(candidate):\n    n = want = 1\n    for _ in range(4):\n"
            "        n, want = candidate(n), 5 * want + KEY\n        assert n == want\n"
        ),
        _NEXT,
    ),
    "a call with an answer": (
        "def f(text):\n    return text.strip() + ('' if text.endswith('KEY') else 'KEY')\n",
        (
            "def check(candidate):\n    for text in (' a', 'b '):\n        got = candidate(text)\n"
            "        assert got == text.strip() + 'KEY'\n        assert candidate(got) == got\n"
        ),
        _NEXT.replace("LAST", "given"),
    ),
    "answers that are written down as the next calls": (
        "def f(n):\n    return n if n > KEY else n + KEY\n",
        (
            "def check(candidate):\n    assert candidate(1) == KEY + 1\n    assert candidate(KEY + 1) == KEY + 1\n"
            "    assert candidate(2) == KEY + 2\n    assert candidate(KEY + 2) == KEY + 2\n"
        ),
        _NEXT.replace("LAST", "given"),
    ),
}
"""A right program, tests, and a program that answers with what is called next; `KEY` stands for a secret number."""
