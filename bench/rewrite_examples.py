"""What each offline rewrite gains on the kind of code it is for, over the size of the input.

Run from the repository: `python bench/rewrite_examples.py [RULE...]`.

Original and rewrite take turns in one process; the least processor time of each counts, so that a busy machine
blurs little. These are the shapes that the rules look for, at their best: how often they occur in real code, and what
evidence says of them there, is what `bench/rewrite_rules.py` tells.
"""

from __future__ import annotations

import copy
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from codeens_server.generation.rewrites.offline import offline_candidates
from codeens_server.generation.rewrites.rules import rule_names
from codeens_server.workspace.edit import splice
from codeens_server.workspace.find import find_target
from codeens_variants.manifest import Variant

SIZES = (5, 50, 500)
TURNS = 5
LONGEST_S = 0.3
"""Processor time of one turn above which no more turns are taken."""


@dataclass(frozen=True)
class Example:
    """Code that a rule is for, and arguments for it of a size."""

    rule: str
    source: str
    arguments: Callable[[int], tuple[Any, ...]]


def _words(size: int) -> list[str]:
    return [f"word{number % (size // 2 + 1)}" for number in range(size)]


def _numbers(size: int) -> list[int]:
    return [number * 7919 % 10007 for number in range(size)]


EXAMPLES: tuple[Example, ...] = (
    Example(
        "memoise",
        "def f(n: int) -> int:\n    if n < 2:\n        return n\n    return f(n - 1) + f(n - 2)\n",
        lambda size: (min(size, 22),),
    ),
    Example(
        "nested-loop-to-index",
        """
        def f(orders: list[dict], customers: list[dict]):
            found = []
            for order in orders:
                for customer in customers:
                    if customer["id"] == order["customer"]:
                        found.append(customer["name"])
            return found
        """,
        lambda size: ([{"customer": n} for n in range(size)], [{"id": n, "name": str(n)} for n in range(size)]),
    ),
    Example(
        "pairs-to-positions",
        """
        def f(xs: list[int], target: int):
            for i in range(len(xs)):
                for j in range(i + 1, len(xs)):
                    if xs[i] + xs[j] == target:
                        return i, j
            return None
        """,
        lambda size: (_numbers(size), -1),
    ),
    Example(
        "index-to-positions",
        "def f(names: list[str]):\n    return [names.index(name) for name in names]\n",
        lambda size: ([str(number) for number in range(size)],),
    ),
    Example(
        "grow-in-place",
        "def f(xs: list[int]):\n    out = []\n    for x in xs:\n        out = out + [x]\n    return out\n",
        lambda size: (_numbers(size),),
    ),
    Example(
        "sort-to-insort",
        """
        def f(xs: list[int]):
            seen = []
            middles = []
            for x in xs:
                seen.append(x)
                seen.sort()
                middles.append(seen[len(seen) // 2])
            return middles
        """,
        lambda size: (_numbers(size),),
    ),
    Example(
        "quadratic-builtins",
        "def f(xs: list[int]):\n    return [sum(xs[:i]) for i in range(len(xs))]\n",
        lambda size: (_numbers(size),),
    ),
    Example(
        "queue-to-deque",
        """
        def f(xs: list[int]):
            queue = list(xs)
            total = 0
            while queue:
                total += queue.pop(0)
            return total
        """,
        lambda size: (_numbers(size * 20),),
    ),
    Example(
        "manual-count-to-counter",
        """
        def f(xs: list[str]):
            counts = {}
            for x in xs:
                counts[x] = counts.get(x, 0) + 1
            return counts
        """,
        lambda size: (_words(size),),
    ),
    Example(
        "sort-to-min-max-heapq",
        "def f(xs: list[int]):\n    return sorted(xs)[:3]\n",
        lambda size: (_numbers(size * 20),),
    ),
    Example("pow-mod", "def f(a: int, b: int, m: int):\n    return a ** b % m\n", lambda size: (12345, size, 97)),
    Example(
        "list-membership-to-set",
        "def f(words: list[str], stop: list[str]):\n    return [word for word in words if word not in stop]\n",
        lambda size: (_words(size), [f"stop{number}" for number in range(size)]),
    ),
    Example(
        "hoist-loop-invariant",
        """
        def f(rows: list[str], term: str):
            found = []
            for row in rows:
                if term.lower() in row:
                    found.append(row)
            return found
        """,
        lambda size: (_words(size), "Word1"),
    ),
    Example(
        "concatenation-to-join",
        """
        def f(parts: list[str]):
            text = ""
            for part in parts:
                text = part + text
            return text
        """,
        lambda size: (_words(size),),
    ),
    Example(
        "iterrows-to-values",
        """
        import pandas as pd

        def f(table: pd.DataFrame):
            total = 0.0
            for _, row in table.iterrows():
                total += row["price"] * row["count"]
            return total
        """,
        lambda size: (_frame(size),),
    ),
    Example(
        "concat-once",
        """
        import pandas as pd

        def f(parts):
            table = pd.DataFrame({"a": [0]})
            for part in parts:
                table = pd.concat([table, part], ignore_index=True)
            return table
        """,
        lambda size: ([_frame(2) for _ in range(size // 5)],),
    ),
    Example(
        "element-loop-to-arrays",
        """
        import numpy as np

        def f(a: np.ndarray, b: np.ndarray):
            out = np.zeros(len(a))
            for i in range(len(a)):
                out[i] = a[i] * 2 + b[i]
            return out
        """,
        lambda size: (_array(size), _array(size)),
    ),
    Example(
        "ruff:PERF",
        "def f(xs: list[int]):\n    out = []\n    for x in xs:\n        out.append(x + 1)\n    return out\n",
        lambda size: (_numbers(size),),
    ),
    Example(
        "ruff:C4",
        "def f(xs: list[int]):\n    return any([x > 10 for x in xs]), set([x + 1 for x in xs])\n",
        lambda size: (_numbers(size),),
    ),
    Example(
        "ruff:FURB",
        "def f(xs: list[tuple[int, int]]):\n    return sorted(xs, key=lambda x: x[1])\n",
        lambda size: ([(number, -number) for number in _numbers(size)],),
    ),
)


def _frame(size: int) -> Any:
    pandas: Any = import_module("pandas")
    return pandas.DataFrame({"price": [number / 3 for number in range(size)], "count": list(range(size))})


def _array(size: int) -> Any:
    numpy: Any = import_module("numpy")
    return numpy.arange(size) / 3


def ratio(example: Example, rewritten: str, size: int) -> float:
    """Return the original's processor time divided by the rewrite's."""
    old, new = _defined(textwrap.dedent(example.source)), _defined(rewritten)
    arguments = example.arguments(size)
    repeats = max(1, 2000 // size)
    least = {old: float("inf"), new: float("inf")}
    for _ in range(TURNS):
        for function in (old, new):
            own = [copy.deepcopy(arguments) for _ in range(repeats)]
            started = time.process_time()
            for one in own:
                function(*one)
            least[function] = min(least[function], time.process_time() - started)
        if max(least.values()) > LONGEST_S:
            break
    return least[old] / max(least[new], 1e-9)


def _defined(source: str) -> Callable[..., Any]:
    space: dict[str, Any] = {"__name__": "example"}
    exec(compile(source, "example.py", "exec"), space)
    return space["f"]


def rewritten(example: Example) -> str | None:
    """Return the example's file after its rule; None where the rule makes nothing of it."""
    text = textwrap.dedent(example.source).lstrip("\n")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "example.py").write_text(text, encoding="utf-8")
        target = find_target("example.py::f", cwd=Path(folder))
        variant = Variant(name="example", description="", prompt="{function}", rewrites=(example.rule,))
        made = offline_candidates(target, text, [variant])
        return splice(text, target, made[0].replacement) if made else None


def rows(wanted: list[str]) -> Iterator[str]:
    """The table as Markdown."""
    yield f"| rule | {' | '.join(f'n = {size}' for size in SIZES)} |"
    yield f"|---|{'--:|' * len(SIZES)}"
    for example in EXAMPLES:
        if wanted and example.rule not in wanted:
            continue
        text = rewritten(example)
        cells = [f"{ratio(example, text, size):.1f}" for size in SIZES] if text else ["no rewrite"]
        yield f"| `{example.rule}` | {' | '.join(cells)} |"


def main() -> int:
    """Print the table; 2 where a rule does not exist."""
    unknown = set(sys.argv[1:]) - set(rule_names())
    if unknown:
        sys.stderr.write(f"no such rule: {', '.join(sorted(unknown))}\n")
        return 2
    for line in rows(sys.argv[1:]):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
