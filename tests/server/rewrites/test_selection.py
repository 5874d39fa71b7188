"""Sorting, queues and counting: asking a collection for less work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.rewrites.workshop import Call, check_equal, function, rewritten

SORT = "sort-to-min-max-heapq"
COUNT = "manual-count-to-counter"
QUEUE = "queue-to-deque"
EQUALS: Call = ([1, 1.0, True, 0],)
"""Which of these is the first, and which the last, is told by the order they came in."""
LISTS: list[Call] = [([],), ([2],), ([3, 1, 2],), EQUALS, (["b", "a", "b"],), ([1, "a"],)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sorted(xs)[0]", "nsmallest(1, xs)[0]"),
        ("sorted(xs)[-1]", "nlargest(1, reversed(xs))[0]"),
        ("sorted(xs, key=str)[-1]", "nlargest(1, reversed(xs), key=str)[0]"),
        ("sorted(xs, reverse=True)[-1]", "nsmallest(1, reversed(xs))[0]"),
        ("sorted(xs, key=str)[0]", "nsmallest(1, xs, key=str)[0]"),
        ("sorted(xs, reverse=True)[0]", "nlargest(1, xs)[0]"),
        ("sorted(xs)[:2]", "nsmallest(2, xs)"),
        ("sorted(xs, key=str, reverse=True)[:3]", "nlargest(3, xs, key=str)"),
    ],
)
def test_the_wanted_few_are_selected(tmp_path: Path, expression: str, expected: str) -> None:
    source = function("f(xs: list)", f"return {expression}")
    after = rewritten(tmp_path, SORT, source)
    assert after is not None
    assert f"return {expected}\n" in after
    check_equal(source, after, LISTS)


def test_min_is_used_where_an_empty_list_was_ruled_out(tmp_path: Path) -> None:
    source = """
        def f(xs: list[int]):
            if not xs:
                raise ValueError("nothing to compare")
            return sorted(xs)[0], sorted(xs)[-1]
    """
    after = rewritten(tmp_path, SORT, source)
    assert after is not None
    assert "return min(xs), max(reversed(xs))" in after
    check_equal(source, after, LISTS)


def test_a_count_that_may_be_negative_is_sorted_as_before(tmp_path: Path) -> None:
    source = """
        def f(counts: dict[str, int], limit: int = 3):
            ranked = sorted(counts.items(), key=lambda pair: pair[1], reverse=True)
            return ranked[:limit]
    """
    after = rewritten(tmp_path, SORT, source)
    assert after is not None
    assert "nlargest(limit, counts.items(), key=lambda pair: pair[1])" in after
    counts = {"a": 2, "b": 5, "c": 2, "d": 1}
    check_equal(source, after, [(counts, limit) for limit in (-2, -1, 0, 1, 3, 9)])


def test_a_list_of_its_own_that_is_only_read_at_its_front_is_not_sorted(tmp_path: Path) -> None:
    source = """
        def f(xs):
            order = list(xs)
            order.sort(key=abs)
            if not order:
                return None
            return order[0], order[:2]
    """
    after = rewritten(tmp_path, SORT, source)
    assert after is not None
    assert "order = nsmallest(2, order, key=abs)" in after
    check_equal(source, after, [([],), ([2],), ([-3, 1, -1, 2],)])


@pytest.mark.parametrize(
    "body",
    [
        "return sorted(xs)[1:]",
        "return sorted(xs)[len(xs) // 2]",
        "return sorted(xs)[-1]",
        "return sorted(list(xs), key=down)[-1]",
        "return sorted(xs, reverse=down)[0]",
        """
        xs.sort()
        return xs[0]
        """,
        """
        order = sorted(xs)
        return order[0], order
        """,
        """
        sorted = reversed
        return list(sorted(xs))[0]
        """,
    ],
)
def test_a_sorted_list_that_is_needed_stays(tmp_path: Path, body: str) -> None:
    source = function("f(xs, down=False)", body)
    assert rewritten(tmp_path, SORT, source) is None


@pytest.mark.parametrize(
    "loop",
    [
        """
        for x in xs:
            counts[x] = counts.get(x, 0) + 1
        """,
        """
        for x in xs:
            if x in counts:
                counts[x] += 1
            else:
                counts[x] = 1
        """,
        """
        for x in xs:
            if x not in counts:
                counts[x] = 0
            counts[x] += 1
        """,
        """
        for x in xs:
            if x not in counts:
                counts[x] = 1
            else:
                counts[x] += 1
        """,
        """
        for x in xs:
            if x:
                counts[str(x)] = counts.get(str(x), 0) + 1
        """,
    ],
)
def test_a_counting_loop_becomes_a_counter_and_still_gives_a_dict(tmp_path: Path, loop: str) -> None:
    source = function("f(xs)", "counts = {}", loop, "return counts")
    after = rewritten(tmp_path, COUNT, source)
    assert after is not None
    assert "counts = dict(Counter(" in after
    check_equal(source, after, [*LISTS, ([[1]],), (None,), ("abca",), ({"a": 7},)])


def test_a_dictionary_with_a_default_keeps_it(tmp_path: Path) -> None:
    source = """
        from collections import defaultdict

        def f(xs):
            counts = defaultdict(int)
            for x in xs:
                counts[x] += 1
            return counts
    """
    after = rewritten(tmp_path, COUNT, source)
    assert after is not None
    assert "counts = defaultdict(int, Counter(iter(xs)))" in after
    check_equal(source, after, LISTS)


def test_counting_each_element_by_search_becomes_one_count(tmp_path: Path) -> None:
    source = """
        def f(xs):
            common = max(set(xs), key=xs.count)
            return common, [x for x in xs if xs.count(x) > 1]
    """
    after = rewritten(tmp_path, COUNT, source)
    assert after is not None
    assert after.count("Counter(xs)") == 1
    assert "[x for x in xs if xs_counts[x] > 1]" in after
    check_equal(source, after, [([],), ([1],), ([1, 2, 2, 3, 2],), ("abca",)])


@pytest.mark.parametrize(
    "body",
    [
        """
        counts = {}
        for x in xs:
            counts[x] = counts.get(x, 1) + 1
        return counts
        """,
        """
        counts = {}
        for x in xs:
            counts[x] += 1
        return counts
        """,
        """
        counts = dict(base)
        for x in xs:
            counts[x] = counts.get(x, 0) + 1
        return counts
        """,
        """
        counts = {}
        for x in xs:
            counts[x] = counts.get(x, 0) + 1
            if len(counts) > 3:
                break
        return counts
        """,
        "return [text.count(word) for word in xs for text in base]",
    ],
)
def test_other_counting_stays(tmp_path: Path, body: str) -> None:
    source = function("f(xs, base=())", body)
    assert rewritten(tmp_path, COUNT, source) is None


GRAPHS: list[Call] = [({}, "a"), ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, "a"), ({"a": ["a"]}, "a")]


def test_a_queue_is_served_from_a_deque(tmp_path: Path) -> None:
    source = """
        def f(graph, start):
            queue = [start]
            seen = {start}
            order = []
            while len(queue) > 0:
                node = queue.pop(0)
                order.append(node)
                for following in graph.get(node, []):
                    if following not in seen and following not in queue:
                        seen.add(following)
                        queue.append(following)
            return order
    """
    after = rewritten(tmp_path, QUEUE, source)
    assert after is not None
    assert "from collections import deque" in after
    assert "queue = deque([start])" in after
    assert "node = queue.popleft()" in after
    check_equal(source, after, GRAPHS)


@pytest.mark.parametrize(
    "body",
    [
        """
        while queue:
            queue.pop(0)
        return queue
        """,
        """
        todo = [start]
        while todo:
            todo.pop(0)
        return todo
        """,
        """
        todo = [start]
        while todo:
            todo.pop(0)
            print(todo[1:])
        """,
        """
        todo = [start]
        while todo:
            todo = todo + [todo.pop(0)]
        """,
        """
        todo = list(queue)
        return todo.pop(0)
        """,
        """
        todo = list(queue)
        while todo:
            todo.pop(1)
        """,
    ],
)
def test_a_list_that_must_stay_a_list_stays(tmp_path: Path, body: str) -> None:
    source = function("f(queue, start=0)", body)
    assert rewritten(tmp_path, QUEUE, source) is None
