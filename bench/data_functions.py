"""Thirty functions of data code as loops, each with the vectorised answer people want and with one that is wrong."""

from __future__ import annotations

from typing import NamedTuple


class Sample(NamedTuple):
    """One function. `call` are the arguments of its test, `large` those it is timed on, as source."""

    name: str
    parameters: str
    loop: str
    vectorised: str
    wrong: str
    call: str
    large: str


_ARRAY = "np.array([3.0, 1.5, 4.25, 1.0, 5.5])"
_LARGE = "np.random.default_rng(1).uniform(0, 100, 20_000)"
_ORDERS = 'pd.DataFrame({"key": ["a", "b", "a", "c"], "price": [1.5, 2.0, 3.25, 0.5], "count": [1, 5, 2, 4]})'
_MANY = (
    'pd.DataFrame({"key": np.random.default_rng(1).choice(list("abcdefgh"), 5_000), '
    '"price": np.random.default_rng(2).uniform(0, 9, 5_000), "count": np.random.default_rng(3).integers(1, 9, 5_000)})'
)
_SERIES = "pd.Series([2.0, 1.0, 4.0, 8.0])"
_LONG = "pd.Series(np.random.default_rng(1).uniform(1, 100, 20_000))"

_NUMPY = (
    Sample(
        "moving_mean",
        "values, width",
        """
        out = []
        for i in range(len(values) - width + 1):
            total = 0.0
            for j in range(width):
                total = total + values[i + j]
            out.append(total / width)
        return np.array(out)
        """,
        "return np.lib.stride_tricks.sliding_window_view(values, width).mean(axis=1)",
        "return np.lib.stride_tricks.sliding_window_view(values, width).mean(axis=1)[:-1]",
        f"{_ARRAY}, 2",
        f"{_LARGE}, 20",
    ),
    Sample(
        "moving_sum",
        "values, width",
        """
        out = []
        for i in range(len(values) - width + 1):
            out.append(sum(values[i : i + width]))
        return np.array(out)
        """,
        "c = np.concatenate(([0.0], np.cumsum(values)))\n    return c[width:] - c[:-width]",
        "c = np.cumsum(values)\n    return c[width:] - c[:-width]",
        f"{_ARRAY}, 2",
        f"{_LARGE}, 20",
    ),
    Sample(
        "distance",
        "xs, ys",
        """
        total = 0.0
        for x, y in zip(xs, ys):
            total += (x - y) ** 2
        return total ** 0.5
        """,
        "return np.sqrt(((xs - ys) ** 2).sum())",
        "return np.abs(xs - ys).sum()",
        f"{_ARRAY}, {_ARRAY} * 2",
        f"{_LARGE}, {_LARGE} * 2",
    ),
    Sample(
        "normalise",
        "values",
        """
        mean = sum(values) / len(values)
        spread = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
        return np.array([(value - mean) / spread for value in values])
        """,
        "return (values - values.mean()) / values.std()",
        "return (values - values.mean()) / values.std(ddof=1)",
        _ARRAY,
        _LARGE,
    ),
    Sample(
        "clipped",
        "values, low, high",
        """
        out = []
        for value in values:
            out.append(low if value < low else high if value > high else value)
        return np.array(out)
        """,
        "return np.clip(values, low, high)",
        "return np.minimum(values, high)",
        f"{_ARRAY}, 1.5, 4.0",
        f"{_LARGE}, 10.0, 90.0",
    ),
    Sample(
        "count_above",
        "values, limit",
        """
        count = 0
        for value in values:
            if value > limit:
                count += 1
        return count
        """,
        "return int(np.count_nonzero(values > limit))",
        "return int(np.count_nonzero(values >= limit))",
        f"{_ARRAY}, 1.5",
        f"{_LARGE}, 50.0",
    ),
    Sample(
        "running_max",
        "values",
        """
        out = []
        best = float("-inf")
        for value in values:
            best = max(best, value)
            out.append(best)
        return np.array(out)
        """,
        "return np.maximum.accumulate(values)",
        "return np.full(len(values), values.max(initial=0.0))",
        _ARRAY,
        _LARGE,
    ),
    Sample(
        "dot",
        "xs, ys",
        """
        total = 0.0
        for x, y in zip(xs, ys):
            total += x * y
        return total
        """,
        "return float(np.dot(xs, ys))",
        "return float(np.dot(xs[1:], ys[1:]))",
        f"{_ARRAY}, {_ARRAY} * 2",
        f"{_LARGE}, {_LARGE} * 2",
    ),
    Sample(
        "counts",
        "values, bins",
        """
        out = [0] * bins
        for value in values:
            out[value] += 1
        return np.array(out)
        """,
        "return np.bincount(values, minlength=bins)",
        "return np.bincount(values + 1, minlength=bins)[:bins]",
        "np.array([0, 2, 2, 1, 3]), 5",
        "np.random.default_rng(1).integers(0, 50, 20_000), 50",
    ),
    Sample(
        "differences",
        "values",
        """
        out = []
        for i in range(1, len(values)):
            out.append(values[i] - values[i - 1])
        return np.array(out)
        """,
        "return np.diff(values)",
        "return -np.diff(values)",
        _ARRAY,
        _LARGE,
    ),
    Sample(
        "row_sums",
        "matrix",
        """
        out = []
        for row in matrix:
            total = 0.0
            for value in row:
                total += value
            out.append(total)
        return np.array(out)
        """,
        "return matrix.sum(axis=1)",
        "return matrix[:, 1:].sum(axis=1)",
        "np.array([[1.0, 2.5], [0.5, 4.0], [3.0, 1.0]])",
        "np.random.default_rng(1).uniform(0, 9, (2_000, 10))",
    ),
    Sample(
        "matmul",
        "a, b",
        """
        n = len(a)
        out = np.zeros((n, n))
        for i in range(n):
            for j in range(n):
                for k in range(n):
                    out[i, j] += a[i, k] * b[k, j]
        return out
        """,
        "return a @ b",
        "return b @ a",
        "np.array([[1.0, 2.0], [0.5, 4.0]]), np.array([[0.0, 1.5], [2.5, 1.0]])",
        "np.random.default_rng(1).uniform(0, 9, (60, 60)), np.random.default_rng(2).uniform(0, 9, (60, 60))",
    ),
    Sample(
        "softmax",
        "values",
        """
        raised = [math.exp(value) for value in values]
        total = sum(raised)
        return np.array([value / total for value in raised])
        """,
        "raised = np.exp(values - values.max())\n    return raised / raised.sum()",
        "raised = np.exp(values - values.max())\n    return raised / raised.max()",
        _ARRAY,
        _LARGE,
    ),
    Sample(
        "positions",
        "values, limit",
        """
        out = []
        for i in range(len(values)):
            if values[i] > limit:
                out.append(i)
        return np.array(out)
        """,
        "return np.flatnonzero(values > limit)",
        "return np.flatnonzero(values > limit) + 1",
        f"{_ARRAY}, 2.0",
        f"{_LARGE}, 50.0",
    ),
    Sample(
        "polynomial",
        "values, factors",
        """
        out = []
        for value in values:
            total = 0.0
            for power, factor in enumerate(factors):
                total += factor * value**power
            out.append(total)
        return np.array(out)
        """,
        "return np.polyval(factors[::-1], values)",
        "return np.polyval(factors, values)",
        f"{_ARRAY}, np.array([1.0, 0.5, 2.0])",
        f"{_LARGE}, np.array([1.0, 0.5, 2.0])",
    ),
)
_PANDAS = (
    Sample(
        "revenue",
        "orders",
        """
        totals = {}
        for _, row in orders.iterrows():
            totals[row["key"]] = totals.get(row["key"], 0.0) + row["price"] * row["count"]
        return pd.Series(totals, dtype=float).sort_values(ascending=False)
        """,
        'return (orders["price"] * orders["count"]).groupby(orders["key"]).sum().sort_values(ascending=False)',
        'return orders["price"].groupby(orders["key"]).sum().sort_values(ascending=False)',
        _ORDERS,
        _MANY,
    ),
    Sample(
        "with_total",
        "orders",
        """
        totals = []
        for _, row in orders.iterrows():
            totals.append(row["price"] * row["count"])
        out = orders.copy()
        out["total"] = totals
        return out
        """,
        'return orders.assign(total=orders["price"] * orders["count"])',
        'return orders.assign(total=orders["price"] + orders["count"])',
        _ORDERS,
        _MANY,
    ),
    Sample(
        "mean_price",
        "orders",
        """
        prices = {}
        for _, row in orders.iterrows():
            prices.setdefault(row["key"], []).append(row["price"])
        return pd.Series({key: sum(found) / len(found) for key, found in sorted(prices.items())}, dtype=float)
        """,
        'return orders.groupby("key")["price"].mean()',
        'return orders.groupby("key")["price"].median()',
        _ORDERS,
        _MANY,
    ),
    Sample(
        "sizes",
        "orders",
        """
        sizes = {}
        for key in orders["key"]:
            sizes[key] = sizes.get(key, 0) + 1
        return pd.Series(sizes, dtype="int64").sort_index()
        """,
        'return orders.groupby("key").size()',
        'return orders.groupby("key")["count"].sum()',
        _ORDERS,
        _MANY,
    ),
    Sample(
        "dear",
        "orders, limit",
        """
        rows = []
        for _, row in orders.iterrows():
            if row["price"] > limit:
                rows.append(row)
        return pd.DataFrame(rows, columns=orders.columns).reset_index(drop=True)
        """,
        'return orders[orders["price"] > limit].reset_index(drop=True)',
        'return orders[orders["price"] >= limit].reset_index(drop=True)',
        f"{_ORDERS}, 1.5",
        f"{_MANY}, 5.0",
    ),
    Sample(
        "prices_of",
        "orders, names",
        """
        found = []
        for name in names:
            for _, row in orders.iterrows():
                if row["key"] == name:
                    found.append(row["price"])
                    break
        return found
        """,
        'first = orders.drop_duplicates("key").set_index("key")["price"]\n'
        "    return [float(first[name]) for name in names if name in first.index]",
        'last = orders.drop_duplicates("key", keep="last").set_index("key")["price"]\n'
        "    return [float(last[name]) for name in names if name in last.index]",
        f'{_ORDERS}, ["a", "c", "x"]',
        f'{_MANY}, ["a", "h", "x"]',
    ),
    Sample(
        "labels",
        "orders",
        """
        return pd.Series([
            "high" if row["price"] > 2 else "low" for _, row in orders.iterrows()
        ], index=orders.index, dtype=object)
        """,
        'return pd.Series(np.where(orders["price"] > 2, "high", "low"), index=orders.index)',
        'return pd.Series(np.where(orders["price"] >= 2, "high", "low"), index=orders.index)',
        _ORDERS,
        _MANY,
    ),
    Sample(
        "filled",
        "values",
        """
        out = []
        last = float("nan")
        for value in values:
            if value == value:
                last = value
            out.append(last)
        return pd.Series(out, index=values.index, dtype=float)
        """,
        "return values.ffill()",
        "return values.bfill()",
        "pd.Series([1.0, float('nan'), 3.0, float('nan')])",
        f"{_LONG}.where(lambda each: each > 20)",
    ),
    Sample(
        "running_total",
        "values",
        """
        out = []
        total = 0.0
        for value in values:
            total += value
            out.append(total)
        return pd.Series(out, index=values.index)
        """,
        "return values.cumsum()",
        "return values.cumsum().shift(fill_value=0.0)",
        _SERIES,
        _LONG,
    ),
    Sample(
        "shares",
        "orders",
        """
        total = 0.0
        for price in orders["price"]:
            total += price
        return pd.Series([price / total for price in orders["price"]], index=orders.index, name="price")
        """,
        'return orders["price"] / orders["price"].sum()',
        'return orders["price"] / orders["price"].max()',
        _ORDERS,
        _MANY,
    ),
    Sample(
        "days",
        "frame",
        """
        out = []
        for _, row in frame.iterrows():
            out.append((row["end"] - row["start"]).days)
        return pd.Series(out, index=frame.index)
        """,
        'return (frame["end"] - frame["start"]).dt.days',
        'return (frame["end"] - frame["start"]).dt.days + 1',
        'pd.DataFrame({"start": pd.to_datetime(["2024-01-01", "2024-02-28"]), '
        '"end": pd.to_datetime(["2024-01-09", "2024-03-01"])})',
        'pd.DataFrame({"start": pd.date_range("2020-01-01", periods=5_000, freq="h"), '
        '"end": pd.date_range("2021-01-01", periods=5_000, freq="D")})',
    ),
    Sample(
        "upper",
        "names",
        """
        out = []
        for name in names:
            out.append(name.upper())
        return pd.Series(out, index=names.index)
        """,
        "return names.str.upper()",
        "return names.str.title()",
        'pd.Series(["ann", "bob", "eve"])',
        'pd.Series(["ann", "bob", "eve"] * 5_000)',
    ),
    Sample(
        "top",
        "orders, count",
        """
        rows = sorted(orders.to_dict("records"), key=lambda row: row["price"], reverse=True)
        return pd.DataFrame(rows[:count], columns=orders.columns)
        """,
        'return orders.nlargest(count, "price").reset_index(drop=True)',
        'return orders.nsmallest(count, "price").reset_index(drop=True)',
        f"{_ORDERS}, 2",
        f"{_MANY}, 20",
    ),
    Sample(
        "first_of_each",
        "orders",
        """
        seen = set()
        kept = []
        for place, key in enumerate(orders["key"]):
            if key not in seen:
                seen.add(key)
                kept.append(place)
        return orders.iloc[kept]
        """,
        'return orders.drop_duplicates("key")',
        'return orders.drop_duplicates("key", keep="last")',
        _ORDERS,
        _MANY,
    ),
    Sample(
        "growth",
        "values",
        """
        out = [float("nan")]
        for i in range(1, len(values)):
            out.append(values.iloc[i] / values.iloc[i - 1] - 1)
        return pd.Series(out, index=values.index)
        """,
        "return values.pct_change()",
        "return values.diff()",
        _SERIES,
        _LONG,
    ),
)
SAMPLES = (*_NUMPY, *_PANDAS)
