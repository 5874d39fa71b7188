"""Forty functions with headroom, ten of each kind, each with an answer that is known to be better, and inputs for both."""

# ruff: noqa: E501  # one function is one line here

from __future__ import annotations

from typing import NamedTuple


class Pair(NamedTuple):
    """A function `f`, a better one, and the arguments of a call that has something to gain, all as source."""

    kind: str
    name: str
    slow: str
    fast: str
    arguments: str


_NUMBERS = "[(i * 7919) % 1009 for i in range(1000)]"
_WORDS = "['w%d' % ((i * 31) % 211) for i in range(1200)]"
_ROWS = "[{'id': i, 'key': (i * 37) % 300, 'n': i % 11} for i in range(600)]"


def _f(parameters: str, body: str) -> str:
    return f"def f({parameters}):\n" + "".join(f"    {line}\n" for line in body.split("; "))


def _of(kind: str, *rows: tuple[str, str, str, str, str]) -> tuple[Pair, ...]:
    return tuple(Pair(kind, name, _f(head, slow), _f(head, fast), given) for name, head, slow, fast, given in rows)


_JOINS = _of(
    "quadratic join",
    (
        "in both",
        "a, b",
        "return [x for x in a if x in b]",
        "known = set(b); return [x for x in a if x in known]",
        f"{_NUMBERS}, {_NUMBERS}[::2]",
    ),
    (
        "in neither",
        "a, b",
        "return [x for x in a if b.count(x) == 0]",
        "known = set(b); return [x for x in a if x not in known]",
        f"{_NUMBERS}, {_NUMBERS}[::2]",
    ),
    (
        "by key",
        "a, b",
        "return [(x['id'], y['id']) for x in a for y in b if x['key'] == y['key']]",
        "by = {}; [by.setdefault(y['key'], []).append(y['id']) for y in b]; return [(x['id'], i) for x in a for i in by.get(x['key'], ())]",
        f"{_ROWS}, {_ROWS}",
    ),
    (
        "first match",
        "a, b",
        "return [next((y['n'] for y in b if y['id'] == x), None) for x in a]",
        "by = {}; [by.setdefault(y['id'], y['n']) for y in b]; return [by.get(x) for x in a]",
        f"{_NUMBERS}, {_ROWS}",
    ),
    (
        "two that sum",
        "a, s",
        "return any(a[i] + a[j] == s for i in range(len(a)) for j in range(i))",
        "seen = set(); return any(s - x in seen or seen.add(x) for x in a)",
        f"{_NUMBERS}, -1",
    ),
    (
        "pairs equal",
        "a",
        "return sum(a[i] == a[j] for i in range(len(a)) for j in range(i))",
        "from collections import Counter; return sum(n * (n - 1) // 2 for n in Counter(a).values())",
        _NUMBERS,
    ),
    (
        "closest",
        "a",
        "return min(abs(a[i] - a[j]) for i in range(len(a)) for j in range(i))",
        "s = sorted(a); return min(y - x for x, y in zip(s, s[1:]))",
        _NUMBERS,
    ),
    (
        "below each",
        "a",
        "return [sum(y < x for y in a) for x in a]",
        "from bisect import bisect_left; s = sorted(a); return [bisect_left(s, x) for x in a]",
        _NUMBERS,
    ),
    (
        "anagrams",
        "a",
        "return [[y for y in a if sorted(y) == sorted(x)] for x in a]",
        "by = {}; [by.setdefault(''.join(sorted(y)), []).append(y) for y in a]; return [list(by[''.join(sorted(x))]) for x in a]",
        f"{_WORDS}[:200]",
    ),
    (
        "overlaps",
        "a, b",
        "return [any(l <= x <= r for l, r in b) for x in a]",
        "known = {x for l, r in b for x in range(l, r + 1)}; return [x in known for x in a]",
        f"{_NUMBERS}, [(i, i + 2) for i in range(0, 1000, 10)]",
    ),
)
_REPEATED = _of(
    "repeated work",
    ("largest", "a", "return [x / max(a) for x in a]", "top = max(a); return [x / top for x in a]", _NUMBERS),
    (
        "mean",
        "a",
        "return [x - sum(a) / len(a) for x in a]",
        "mean = sum(a) / len(a); return [x - mean for x in a]",
        _NUMBERS,
    ),
    (
        "prefixes",
        "a",
        "return [sum(a[:i + 1]) for i in range(len(a))]",
        "from itertools import accumulate; return list(accumulate(a))",
        _NUMBERS,
    ),
    (
        "windows",
        "a, k",
        "return [sum(a[i:i + k]) for i in range(len(a) - k + 1)]",
        "from itertools import accumulate; s = [0, *accumulate(a)]; return [y - x for x, y in zip(s, s[k:])]",
        f"{_NUMBERS}, 100",
    ),
    (
        "fibonacci",
        "n",
        "return n if n < 2 else f(n - 1) + f(n - 2)",
        "a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b; return a",
        "16",
    ),
    (
        "running max",
        "a",
        "return [max(a[:i + 1]) for i in range(len(a))]",
        "from itertools import accumulate; return list(accumulate(a, max))",
        _NUMBERS,
    ),
    (
        "patterns",
        "a",
        "import re; return [bool(re.compile('w[0-9]*7$').match(x)) for x in a]",
        "import re; match = re.compile('w[0-9]*7$').match; return [bool(match(x)) for x in a]",
        _WORDS,
    ),
    (
        "sorted again",
        "a",
        "return [sorted(a)[i] for i in range(0, len(a), 10)]",
        "s = sorted(a); return [s[i] for i in range(0, len(a), 10)]",
        _NUMBERS,
    ),
    (
        "powers",
        "c, x",
        "return sum(v * x ** i for i, v in enumerate(c))",
        "total = 0\n    for v in reversed(c):\n        total = total * x + v; return total",
        f"{_NUMBERS}, 3",
    ),
    (
        "primes",
        "n",
        "return [x for x in range(2, n) if all(x % d for d in range(2, x))]",
        "s = bytearray([1]) * n; s[:2] = b'\\0\\0'; [s.__setitem__(slice(d * d, n, d), bytes(len(range(d * d, n, d)))) for d in range(2, int(n ** 0.5) + 1) if s[d]]; return [x for x in range(n) if s[x]]",
        "1500",
    ),
)
_STRUCTURES = _of(
    "wrong data structure",
    (
        "unique",
        "a",
        "found = []; [found.append(x) for x in a if x not in found]; return found",
        "return list(dict.fromkeys(a))",
        _NUMBERS,
    ),
    (
        "queue",
        "n",
        "q = list(range(n)); return [q.pop(0) for _ in range(n)]",
        "from collections import deque; q = deque(range(n)); return [q.popleft() for _ in range(n)]",
        "30000",
    ),
    (
        "counts",
        "a",
        "return {x: a.count(x) for x in a}",
        "from collections import Counter; return dict(Counter(a))",
        _WORDS,
    ),
    ("front", "a", "out = []; [out.insert(0, x) for x in a]; return out", "return a[::-1]", f"{_NUMBERS} * 10"),
    (
        "smallest",
        "a, k",
        "return [sorted(a)[i] for i in range(k)]",
        "from heapq import nsmallest; return nsmallest(k, a)",
        f"{_NUMBERS}, 20",
    ),
    (
        "heap",
        "a",
        "out, a = [], list(a)\n    while a:\n        x = min(a)\n        a.remove(x)\n        out.append(x); return out",
        "return sorted(a)",
        _NUMBERS,
    ),
    (
        "position",
        "a, b",
        "return [a.index(x) for x in b]",
        "at = {x: i for i, x in reversed(list(enumerate(a)))}; return [at[x] for x in b]",
        f"{_NUMBERS}, {_NUMBERS}",
    ),
    (
        "duplicates",
        "a",
        "return len(a) != len([x for i, x in enumerate(a) if x not in a[:i]])",
        "return len(a) != len(set(a))",
        _NUMBERS,
    ),
    (
        "search",
        "a, b",
        "return [x in a for x in b]",
        "known = frozenset(a); return [x in known for x in b]",
        f"list(range(2000)), {_NUMBERS}",
    ),
    (
        "groups",
        "a",
        "keys = sorted({x['n'] for x in a}); return {k: [x['id'] for x in a if x['n'] == k] for k in keys}",
        "by = {}; [by.setdefault(x['n'], []).append(x['id']) for x in a]; return {k: by[k] for k in sorted(by)}",
        _ROWS,
    ),
)
_ALLOCATION = _of(
    "allocation",
    (
        "text",
        "a",
        "out = ''\n    for x in a:\n        out = x + ',' + out; return out",
        "return ''.join(x + ',' for x in reversed(a))",
        f"{_WORDS} * 5",
    ),
    (
        "appended",
        "a",
        "out = []\n    for x in a:\n        out = out + [x * 2]; return out",
        "return [x * 2 for x in a]",
        _NUMBERS,
    ),
    (
        "flat",
        "a",
        "return sum(a, [])",
        "from itertools import chain; return list(chain.from_iterable(a))",
        "[[i, i + 1] for i in range(1500)]",
    ),
    ("any list", "a", "return any([x % 2 == 0 for x in a])", "return any(x % 2 == 0 for x in a)", _NUMBERS),
    (
        "copied",
        "a",
        "total = 0\n    for i in range(len(a)):\n        total += list(a)[i]; return total",
        "return sum(a)",
        _NUMBERS,
    ),
    ("slices", "a", "n = 0\n    while a:\n        n, a = n + a[0], a[1:]; return n", "return sum(a)", _NUMBERS),
    (
        "merged",
        "a",
        "out = {}\n    for x in a:\n        out = {**out, x['id']: x['n']}; return out",
        "return {x['id']: x['n'] for x in a}",
        _ROWS,
    ),
    ("tuples", "a", "out = ()\n    for x in a:\n        out += (x,); return out", "return tuple(a)", f"{_NUMBERS} * 3"),
    (
        "lines",
        "a",
        "return [x for x in '\\n'.join(a).split('\\n') if x.strip() == x]",
        "return [x for x in a if x.strip() == x]",
        _WORDS,
    ),
    (
        "bytes",
        "n",
        "out = b''\n    for i in range(n):\n        out = out + bytes([i % 256]); return out",
        "return bytes(i % 256 for i in range(n))",
        "12000",
    ),
)
PAIRS = (*_JOINS, *_REPEATED, *_STRUCTURES, *_ALLOCATION)
