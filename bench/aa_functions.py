"""Small functions of many kinds, as one meets them; `coverage.py` races each against itself."""

from __future__ import annotations

import heapq
import itertools
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeAlias


def word_counts(text: str) -> dict[str, int]:
    return dict(Counter(re.findall(r"[a-z']+", text.lower())))


def slug(title: str) -> str:
    kept = "".join(letter if letter.isalnum() else " " for letter in title.lower())
    return "-".join(kept.split())


def is_palindrome(text: str) -> bool:
    letters = [letter for letter in text.casefold() if letter.isalnum()]
    return letters == letters[::-1]


def run_lengths(text: str) -> list[tuple[str, int]]:
    return [(key, sum(1 for _ in group)) for key, group in itertools.groupby(text)]


def edit_distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def primes_below(n: int) -> list[int]:
    sieve = bytearray([1]) * n
    for number in range(2, math.isqrt(n) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, n, number)))
    return [number for number in range(2, n) if sieve[number]]


def collatz_length(n: int) -> int:
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def digits_of_factorial(n: int) -> int:
    return sum(map(int, str(math.factorial(n))))


def mean_and_deviation(values: list[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def matrix_product(a: list[list[float]], b: list[list[float]]) -> list[list[float]]:
    return [[sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)] for row in a]


def group_by_initial(words: list[str]) -> dict[str, list[str]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        groups[word[:1]].append(word)
    return {key: sorted(group) for key, group in sorted(groups.items())}


def unique_in_order(values: list[int]) -> list[int]:
    seen: set[int] = set()
    kept: list[int] = []
    for value in values:
        if value not in seen:
            seen.add(value)
            kept.append(value)
    return kept


def insertion_sorted(values: list[int]) -> list[int]:
    values = list(values)
    for index in range(1, len(values)):
        value, hole = values[index], index
        while hole and values[hole - 1] > value:
            values[hole] = values[hole - 1]
            hole -= 1
        values[hole] = value
    return values


def shortest_path(graph: dict[str, dict[str, int]], start: str, goal: str) -> int | None:
    queue, done = [(0, start)], set[str]()
    while queue:
        length, node = heapq.heappop(queue)
        if node == goal:
            return length
        if node not in done:
            done.add(node)
            for neighbour, cost in graph.get(node, {}).items():
                heapq.heappush(queue, (length + cost, neighbour))
    return None


Nested: TypeAlias = "int | list[Nested]"


def flattened(value: Nested) -> list[int]:
    if isinstance(value, int):
        return [value]
    return [leaf for item in value for leaf in flattened(item)]


def windows(values: list[int], size: int) -> Iterator[tuple[int, ...]]:
    for start in range(len(values) - size + 1):
        yield tuple(values[start : start + size])


def working_days(start: date, count: int) -> list[date]:
    days: list[date] = []
    while len(days) < count:
        if start.weekday() < 5:
            days.append(start)
        start += timedelta(days=1)
    return days


def invoice_total(lines: list[tuple[int, str]], tax: str) -> Decimal:
    net = sum((quantity * Decimal(price) for quantity, price in lines), Decimal(0))
    return (net * (1 + Decimal(tax))).quantize(Decimal("0.01"))


def numbers_in(lines: list[str]) -> tuple[list[int], int]:
    numbers, bad = list[int](), 0
    for line in lines:
        try:
            numbers.append(int(line))
        except ValueError:
            bad += 1
    return numbers, bad


def json_round_trip(record: dict[str, object]) -> dict[str, object]:
    return json.loads(json.dumps(record, sort_keys=True))
