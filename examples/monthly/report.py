"""What a month of orders comes to, day by day: `python report.py [ORDERS A DAY]`."""

from __future__ import annotations

import sys

Order = tuple[str, float]


def orders_of(day: int, count: int) -> list[Order]:
    """Return made-up orders, the same each time."""
    return [(f"customer {(number * 7919 + day) % 397}", (number * day) % 90 / 4) for number in range(count)]


def customers(orders: list[Order]) -> list[str]:
    """Return who ordered, in the order of their first orders.

    >>> customers([("ann", 5.0), ("bob", 2.5), ("ann", 1.0)])
    ['ann', 'bob']
    """
    found: list[str] = []
    for customer, _ in orders:
        if customer not in found:
            found.append(customer)
    return found


def revenue(orders: list[Order]) -> float:
    """Return what all orders come to.

    >>> revenue([("ann", 5.0), ("bob", 2.5)])
    7.5
    """
    total = 0.0
    for _, amount in orders:
        total += amount
    return total


def main(count: int) -> None:
    """Print a line for each day."""
    for day in range(1, 31):
        orders = orders_of(day, count)
        sys.stdout.write(f"day {day}: {len(customers(orders))} customers, {revenue(orders):.2f}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 600)
