"""Rules that change how the work grows with the input: pairs, repeated sums, powers, recursion."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.rewrites.workshop import Call, check_equal, function, rewritten

INDEX = "nested-loop-to-index"
QUADRATIC = "quadratic-builtins"
POWER = "pow-mod"

ORDERS = [{"customer": 1, "sum": 5}, {"customer": 2, "sum": 7}, {"customer": 1, "sum": 1}]
CUSTOMERS = [{"id": 1, "name": "a"}, {"id": 3, "name": "b"}, {"id": 1, "name": "c"}]


def test_matching_two_lists_looks_matches_up(tmp_path: Path) -> None:
    source = """
        def f(customers, orders):
            report = []
            for customer in customers:
                total = sum(order["sum"] for order in orders if order["customer"] == customer["id"])
                # the first large one
                for order in orders:
                    if customer["id"] == order["customer"] and order["sum"] > 1:
                        report.append((customer["name"], order["sum"], total))
                        break
            return report
    """
    after = rewritten(tmp_path, INDEX, source)
    assert after is not None
    assert after.count("orders_by_customer = defaultdict(list)") == 1
    assert 'for order in (orders_by_customer.get(customer["id"], ()) if orders_by_customer else ()):' in after
    assert 'if customer["id"] == order["customer"] and order["sum"] > 1:' in after
    assert "# the first large one" in after
    check_equal(source, after, [([], ORDERS), (CUSTOMERS, []), (CUSTOMERS, ORDERS), (CUSTOMERS, [{"customer": 1}])])


NAN = float("nan")
FLOATS: list[Call] = [([NAN, 1.0], [1.0, NAN]), ([], [2.0]), ([2], [2.0, True])]
TEXTS: list[Call] = [(["a", "b"], ["b", "b"]), ([], ["a"]), (["a"], [])]


@pytest.mark.parametrize(
    ("signature", "calls"),
    [
        ("f(left: list[float], right: list[float])", FLOATS),
        ("f(left: list[str], right: list[str])", TEXTS),
        ("f(left, right)", [*FLOATS, *TEXTS]),
    ],
)
def test_an_index_finds_what_is_equal_and_a_nan_is_equal_to_nothing(
    tmp_path: Path, signature: str, calls: list[Call]
) -> None:
    body = """
        found = []
        for a in left:
            for b in right:
                if a == b:
                    found.append((a, b))
        return found
    """
    source = function(signature, body)
    after = rewritten(tmp_path, INDEX, source)
    assert after is not None
    assert ("if a == b" in after) is ("str" not in signature)
    check_equal(source, after, calls)


def test_an_index_reads_no_key_that_was_not_read_before(tmp_path: Path) -> None:
    source = """
        def f(orders: list[dict], customers: list[dict]):
            return [c["id"] for o in orders for c in customers if c["id"] == o["customer"]]
    """
    loop = """
        def f(orders: list[dict], customers: list[dict]):
            found = []
            for o in orders:
                for c in customers:
                    if c["id"] == o["customer"]:
                        found.append(c["name"])
                        break
            return found
    """
    customers = [{"id": 1, "name": "x"}, {"id": 1, "name": "y"}]
    for text in (source, loop):
        after = rewritten(tmp_path, INDEX, text)
        assert after is not None
        check_equal(
            text, after, [([{}], []), ([], [{}]), ([{"customer": 1}, {"customer": 2}], customers), ([{}], customers)]
        )


@pytest.mark.parametrize(
    "body",
    [
        """
        for a in xs:
            for b in ys:
                if a == b:
                    ys.remove(b)
        """,
        """
        for b in ys:
            if b == 3:
                print(b)
        """,
        """
        for a in xs:
            for b in ys:
                if b == 3:
                    print(b)
        """,
        """
        for a in xs:
            for b in ys:
                if b > a:
                    print(b)
        """,
        """
        for a in xs:
            for b in ys:
                if b == a:
                    print(b)
                else:
                    print(a)
        """,
        """
        for a in xs:
            for b in ys:
                if b == a:
                    print(b)
            print(b)
        """,
        """
        for a in xs:
            ys = ys[1:]
            for b in ys:
                if b == a:
                    print(b)
        """,
    ],
)
def test_searches_that_an_index_could_not_answer_stay(tmp_path: Path, body: str) -> None:
    source = function("f(xs, ys)", body)
    assert rewritten(tmp_path, INDEX, source) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return [x for x in xs if x in counts.keys()]", "if x in counts]"),
        ("return [x for x in xs if x not in list(counts.keys())]", "if x not in counts]"),
        (
            """
            found = []
            for x in xs:
                found.insert(0, x)
            return found
            """,
            "found.append(x)\n    found.reverse()",
        ),
        (
            """
            for i in range(len(xs)):
                for j in range(i + 1, len(xs)):
                    if xs[i] == xs[j]:
                        return True
            return False
            """,
            "return len(set(xs)) < len(xs)",
        ),
        (
            """
            for i, x in enumerate(xs):
                for y in xs[i+1:]:
                    if x == y:
                        return False
            return True
            """,
            "return len(set(xs)) == len(xs)",
        ),
        (
            """
            twice = []
            for i in range(len(xs) - 1):
                for j in range(i + 1, len(xs)):
                    if xs[i] == xs[j] and xs[i] not in twice:
                        twice.append(xs[i])
            return twice
            """,
            "twice = [item for item, count in Counter(xs).items() if count > 1]",
        ),
        (
            """
            for i in range(len(xs)):
                if sum(xs[:i]) == sum(xs[i + 1:]):
                    return i
            return -1
            """,
            "if xs_totals[i] == (xs_totals[-1] - xs_totals[i + 1]):",
        ),
        (
            """
            if k <= 0:
                return []
            return [sum(xs[i:i + k]) / k for i in range(len(xs) - k + 1)]
            """,
            "[(xs_totals[i + k] - xs_totals[i]) / k for i in",
        ),
    ],
)
def test_work_that_grows_with_the_square_is_done_once(tmp_path: Path, body: str, expected: str) -> None:
    source = function("f(xs: list[int], counts: dict[int, int], k: int)", body)
    after = rewritten(tmp_path, QUADRATIC, source)
    assert after is not None
    assert expected in after
    lists = [[], [1], [2, 1, 2], [1, 7, 3, 6, 5, 6], [0, 0, 0, 4, 4], [-1, 1, 0]]
    check_equal(source, after, [(xs, {1: 2}, k) for xs in lists for k in (-1, 0, 1, 2, 9)])


@pytest.mark.parametrize(
    "body",
    [
        """
        found = [0]
        for x in xs:
            found.insert(0, x)
        return found
        """,
        """
        found = []
        for x in xs:
            found.insert(0, len(found))
        return found
        """,
        "return [sum(xs[:i]) for i in range(k)]",
        "return [sum(ys[:i]) for i in range(len(ys))]",
        "return [sum(xs[i:i + k]) for i in range(len(xs) - k + 1)]",
        """
        for i in range(len(xs)):
            for j in range(len(xs)):
                if xs[i] == xs[j]:
                    return True
        return False
        """,
        "return k in list(iter(ys))",
    ],
)
def test_work_that_only_looks_alike_stays(tmp_path: Path, body: str) -> None:
    source = function("f(xs: list[int], ys: list[float], k: int)", body)
    assert rewritten(tmp_path, QUADRATIC, source) is None


def test_powers_modulo_a_number_use_pow_and_fail_as_before(tmp_path: Path) -> None:
    source = """
        def f(a: int, n: int, m: int):
            r = 1
            for _ in range(n):
                r = r * a % m
            return r, (a ** n) % m, a ** 2 % 7
    """
    after = rewritten(tmp_path, POWER, source)
    assert after is not None
    assert "r = pow(a % m, n, m) if n > 0 else 1" in after
    assert "pow(a, 2, 7)" in after
    calls = [(a, n, m) for a in (-3, 0, 2, 10) for n in (-2, -1, 0, 1, 5) for m in (-7, -1, 0, 1, 13)]
    check_equal(source, after, calls)


@pytest.mark.parametrize("expression", ["(a ** b) % m", "a * b % m", "a ** b"])
def test_powers_of_floats_stay(tmp_path: Path, expression: str) -> None:
    assert rewritten(tmp_path, POWER, f"def f(a: float, b: float, m: float):\n    return {expression}\n") is None
