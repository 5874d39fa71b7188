"""Lists, frames and arrays that are not copied, or taken apart, once for each element."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.server.rewrites.workshop import check_equal, defined, function, outcome, rewritten

GROW = "grow-in-place"
ROWS = "iterrows-to-values"
CONCAT = "concat-once"
ARRAYS = "element-loop-to-arrays"


def test_a_list_of_its_own_grows_in_place(tmp_path: Path) -> None:
    source = """
        def f(rows: list[list[int]]):
            out = []
            for row in rows:
                out = out + [len(out)]
                out = out + row[1:]
            return out, sum(rows, []), sum([row[:1] for row in rows], [])
    """
    after = rewritten(tmp_path, GROW, source)
    assert after is not None
    assert "out.append(len(out))" in after
    assert "out.extend(row[1:])" in after
    assert "list(chain.from_iterable(rows))" in after
    check_equal(source, after, [([],), ([[]],), ([[1, 2], [], [3]],)])


@pytest.mark.parametrize(
    "body",
    [
        """
        for row in rows:
            start = start + [1]
        return start
        """,
        """
        out = []
        kept = []
        for row in rows:
            kept.append(out)
            out = out + [1]
        return kept
        """,
        """
        out = [1]
        for x in out:
            if x < 3:
                out = out + [x + 1]
        return out
        """,
        """
        out = []
        for row in rows:
            out = out + row
        return out
        """,
        """
        out = start
        for row in rows:
            out = out + [1]
        return out
        """,
        "return sum(rows, [])",
        "return sum(rows, start)",
    ],
    ids=["parameter", "kept", "walked", "unknown addition", "other name", "unknown parts", "other start"],
)
def test_a_list_that_others_hold_or_nobody_knows_is_copied_as_before(tmp_path: Path, body: str) -> None:
    assert rewritten(tmp_path, GROW, function("f(rows, start: list)", body)) is None


FRAMES = """
import pandas as pd


def f(table: pd.DataFrame, kind):
    total = 0
    for index, row in table.iterrows():
        if row["kind"] == kind:
            total += row["price"] * row["count"] + index
    return total
"""


def test_rows_are_arrays_of_the_same_values(tmp_path: Path) -> None:
    pd: Any = pytest.importorskip("pandas")
    after = rewritten(tmp_path, ROWS, FRAMES)
    assert after is not None
    assert 'row[table_columns["price"]]' in after
    tables = [
        pd.DataFrame({"kind": ["a", "b", "a"], "price": [1.5, 2.0, 3.0], "count": [1, 2, 3]}),
        pd.DataFrame({"kind": [1, 2], "price": [1.5, 2.0], "count": [1, 2]}, index=[5, 7]),
        pd.DataFrame({"kind": [], "price": []}),
        pd.DataFrame({"kind": [1], "price": [3]}),
    ]
    old, new = defined(FRAMES, "f"), defined(after, "f")
    for table in tables:
        for kind in ("a", 1):
            assert outcome(new, (table, kind))[0] == outcome(old, (table, kind))[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('row["kind"] == kind', "row.sum() == kind"),
        ('row["kind"] == kind', "kind(row)"),
        ("total += ", 'row["price"] = '),
        ("return total", "return row"),
        ("import pandas as pd", "import frames as pd"),
    ],
)
def test_rows_that_are_more_than_read_stay_series(tmp_path: Path, old: str, new: str) -> None:
    assert old in FRAMES
    assert rewritten(tmp_path, ROWS, FRAMES.replace(old, new)) is None


def test_frames_are_concatenated_once(tmp_path: Path) -> None:
    pd: Any = pytest.importorskip("pandas")
    source = """
        import pandas as pd

        def f(parts):
            table = pd.DataFrame({"a": [1, 2]})
            for part in parts:
                table = pd.concat([table, part], ignore_index=True)
            return table
    """
    after = rewritten(tmp_path, CONCAT, source)
    assert after is not None
    assert "table = pd.concat([table, *table_parts], ignore_index=True)" in after
    parts = [pd.DataFrame({"a": [0.5]}), pd.DataFrame({"b": [True]}, index=[4])]
    old, new = defined(textwrap.dedent(source), "f"), defined(after, "f")
    for some in (parts, parts[:1], []):
        pd.testing.assert_frame_equal(new(some), old(some))


def test_elements_are_computed_as_whole_arrays(tmp_path: Path) -> None:
    np: Any = pytest.importorskip("numpy")
    source = """
        import numpy as np

        def f(a: np.ndarray, b: np.ndarray, k: float):
            out = np.zeros(len(a) + 1)
            for i in range(len(a)):
                out[i] = (a[i] - k) * b[i] / 2
            return out
    """
    after = rewritten(tmp_path, ARRAYS, source)
    assert after is not None
    assert "out[:len(a)] = (a - k) * b[:len(a)] / 2" in after
    one, other = np.linspace(-3, 3, 7), np.arange(9) / 3
    old, new = defined(textwrap.dedent(source), "f"), defined(after, "f")
    for call in ((one, other, 0.1), (one[:0], other, 2.0), (np.arange(3), one, 2)):
        assert new(*call).tolist() == old(*call).tolist()
    with pytest.raises(ValueError, match="broadcast"):
        new(one, other[:3], 1.0)


@pytest.mark.parametrize(
    "line",
    [
        "out[i] = a[i - 1]",
        "out[i] = g(a[i])",
        "out[i] = out[i] + a[i]",
        "out[i] = k * 2",
        "total += a[i]",
        "a[i] = a[i] * 2",
    ],
)
def test_loops_that_are_no_arithmetic_on_elements_stay(tmp_path: Path, line: str) -> None:
    body = f"""
        out = np.zeros(len(a))
        total = 0.0
        for i in range(len(a)):
            {line}
        return out, total
    """
    source = f"import numpy as np\n\n{function('f(a: np.ndarray, g, k: float)', body)}"
    assert rewritten(tmp_path, ARRAYS, source) is None
