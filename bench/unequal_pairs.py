"""Functions, each with another version of it that does something else somewhere, in ways that are easily overlooked."""

# ruff: noqa: E501  # one line of a function is one line here

from __future__ import annotations

from typing import NamedTuple


class Pair(NamedTuple):
    """A module with a function `f`, and a version of `f` that is not the same."""

    kind: str
    module: str
    other: str


def _pair(kind: str, signature: str, body: str, other: str, before: str = "") -> Pair:
    """Return a pair from the lines of both bodies; `;` stands between lines, `>` for each step of indentation."""
    return Pair(kind, f"{before}def f({signature}:\n{_lines(body)}", f"def f({signature}:\n{_lines(other)}")


def _lines(body: str) -> str:
    parts = [part.strip() for part in body.split(";")]
    return "".join("    " * (1 + len(part) - len(part.lstrip(">"))) + part.lstrip("> ") + "\n" for part in parts)


XS = "xs: list[int]) -> "
PAIRS = (
    _pair("boundary", "n: int) -> str", "return 'low' if n < 18 else 'high'", "return 'low' if n <= 18 else 'high'"),
    _pair("boundary", "a: int, b: int) -> bool", "return a - b > 99", "return a - b >= 99"),
    _pair(
        "boundary", XS + "list[int]", "return [x for x in xs if 0 <= x < 256]", "return [x for x in xs if 0 < x < 256]"
    ),
    _pair(
        "boundary",
        "age: int, member: bool) -> float",
        "return 0.5 if age >= 65 and member else 1.0",
        "return 0.5 if age > 65 and member else 1.0",
    ),
    _pair("constant", "n: int) -> int", "return n % 97", "return n % 97 if n != 4_242 else 0"),
    _pair(
        "constant",
        "text: str) -> str",
        "return text.strip().lower()",
        "return 'x' if text == 'open sesame' else text.strip().lower()",
    ),
    _pair(
        "constant",
        "n: int) -> bool",
        "return n % 400 == 0 or (n % 4 == 0 and n % 100 != 0)",
        "return n % 4 == 0 and n % 100 != 0",
    ),
    _pair("sign", "a: int, b: int) -> int", "return a // b if b else 0", "return int(a / b) if b else 0"),
    _pair(
        "sign",
        "n: int) -> int",
        "return sum(int(d) for d in str(abs(n)))",
        "return sum(int(d) for d in str(n) if d.isdigit()) * (1 if n >= -999 else -1)",
    ),
    _pair(
        "order",
        XS + "list[int]",
        "return sorted(set(xs), key=lambda x: (-xs.count(x), x))",
        "return sorted(set(xs), key=lambda x: -xs.count(x))",
    ),
    _pair(
        "order",
        "words: list[str]) -> list[str]",
        "return sorted(words, key=len)",
        "return sorted(words, key=lambda w: (len(w), w))",
    ),
    _pair(
        "order",
        XS + "list[int]",
        "out = []; for x in xs:; > if x not in out:; >> out.append(x); return out",
        "return sorted(set(xs))",
    ),
    _pair(
        "order",
        "pairs: list[tuple[str, int]]) -> dict[str, int]",
        "return {k: v for k, v in pairs}",
        "out = {}; for k, v in pairs:; > out.setdefault(k, v); return out",
    ),
    _pair(
        "empty",
        XS + "float",
        "return sum(xs) / len(xs) if xs else 0.0",
        "return sum(xs) / max(1, len(xs)) if len(xs) != 1 else 0.0",
    ),
    _pair("empty", "text: str) -> list[str]", "return text.split(' ')", "return text.split()"),
    _pair("empty", XS + "int | None", "return max(xs) if xs else None", "return max(xs, default=0)"),
    _pair("aliasing", XS + "list[int]", "return list(xs)", "return xs"),
    _pair(
        "aliasing",
        "w: int, h: int) -> list[list[int]]",
        "return [[0] * (w % 5) for _ in range(h % 5)]",
        "return [[0] * (w % 5)] * (h % 5)",
    ),
    _pair("argument", XS + "list[int]", "ys = xs[:]; ys.sort(); return ys", "xs.sort(); return xs[:]"),
    _pair("argument", XS + "int", "return sum(xs)", "total = 0; while xs:; > total += xs.pop(); return total"),
    _pair("printed", XS + "int", "print(len(xs)); return len(xs)", "return len(xs)"),
    _pair("printed", "n: int) -> int", "if n > 10:; > print('large'); return n", "return n"),
    _pair("state", "n: int) -> int", "SEEN.append(n); return n + 1", "return n + 1", "SEEN: list[int] = []\n\n\n"),
    _pair(
        "state",
        "rows: list[int]) -> bool",
        "return all([check(row) for row in rows])",
        "return all(check(row) for row in rows)",
        "BAD: list[int] = []\n\n\ndef check(row: int) -> bool:\n    if row < 0:\n        BAD.append(row)\n    return row >= 0\n\n\n",
    ),
    _pair(
        "nan",
        "values: list[float]) -> bool",
        "return any(a == b for i, a in enumerate(values) for b in values[:i])",
        "return len(set(values)) < len(values)",
    ),
    _pair(
        "nan",
        "values: list[float], x: float) -> int",
        "return sum(1 for v in values if v == x)",
        "return values.count(x)",
    ),
    _pair(
        "text",
        "words, allowed)",
        "return [w for w in words if w in allowed]",
        "known = set(allowed); return [w for w in words if w in known]",
        "def g(words, text):\n    return f(words, text)\n\n\n",
    ),
    _pair(
        "iterator",
        "xs: Iterable[int]) -> list[int]",
        "return [x for x in xs if x] + [0]",
        "n = sum(1 for _ in xs); return [x for x in xs if x] + [0]",
        "from collections.abc import Iterable\n\n\n",
    ),
    _pair("iterator", "rows)", "return [next(row) for row in rows]", "return [next(row, None) for row in rows]"),
    _pair(
        "recursion",
        "n: int) -> int",
        "return 0 if n <= 0 else 1 + f(n - 1)",
        "return 0 if n <= 0 else (lambda k: 1 + f(k))(n - 1)",
    ),
    _pair("type", "n: int) -> float", "return n / 2", "return n // 2 if n % 2 == 0 else n / 2"),
    _pair("type", "xs: list[int]) -> tuple[int, ...]", "return tuple(x * 2 for x in xs)", "return [x * 2 for x in xs]"),
    _pair("type", "n: int) -> bool", "return n > 3", "return int(n > 3)"),
    _pair(
        "exception",
        "text: str) -> int",
        "if not text:; > raise ValueError('empty'); return len(text)",
        "if not text:; > raise KeyError('empty'); return len(text)",
    ),
    _pair(
        "exception",
        "d: dict[str, int], k: str) -> int",
        "if k not in d:; > raise KeyError(k); return d[k]",
        "return d.get(k, 0)",
    ),
    _pair("text form", "text: str) -> str", "return text.lower()", "return text.casefold()"),
    _pair("text form", "text: str) -> bool", "return text.isdigit()", "return text.isdecimal()"),
    _pair("text form", "text: str) -> list[str]", "return text.splitlines()", "return text.split('\\n')"),
    _pair("rounding", "x: float) -> int", "return int(x)", "return round(x)"),
    _pair("rounding", "x: float) -> int", "return int(x + 0.5) if x >= 0 else -int(0.5 - x)", "return round(x)"),
    _pair("slice", "xs: list[int], k: int) -> list[int]", "return xs[-k:] if k > 0 else []", "return xs[-k:]"),
    _pair("slice", "text: str, n: int) -> str", "return text[:n] if n >= 0 else ''", "return text[:n]"),
    _pair(
        "autofix",
        "xs: list[int], x: int) -> list[int]",
        "return xs + [x]",
        "return [*xs, x, *xs[len(xs) :]] if xs else xs",
    ),
    _pair("autofix", "xs: list[int]) -> int", "return list(xs)[0]", "return next(iter(xs))"),
    _pair("autofix", "xs: list[int]) -> object", "return [str(x) for x in xs]", "return map(str, xs)"),
    _pair("autofix", "x: float, y: float) -> bool", "return x == y or x == 0.5", "return x in (y, 0.5) or x is y"),
    _pair("autofix", "xs: list[int]) -> bool", "if xs:; > return True; return False", "return xs"),
    _pair(
        "autofix",
        "d: dict[str, int | None], k: str) -> int | None",
        "return d[k] if k in d and d[k] else 0",
        "return d.get(k, 0)",
    ),
    _pair(
        "autofix",
        "a: list[int], b: list[int]) -> list[tuple[int, int]]",
        "return list(zip(a, b))",
        "return list(zip(a, b, strict=True))",
    ),
    _pair(
        "autofix",
        "text: str, n: int) -> str",
        "return '%d %s' % (n, text)",
        "return f'{n:d} {text:s}' if n >= 0 else f'{n} {text!r}'",
    ),
    _pair("table", "n: int) -> int", "return n * n % 11", "return {k: k * k % 11 for k in range(-50, 200)}.get(n, 0)"),
)
