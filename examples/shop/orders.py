"""Questions about a shop's orders."""

from __future__ import annotations


def repeat_customers(orders: list[tuple[str, float]], minimum_spend: float = 0.0) -> list[str]:
    """Customers who came back, in the order of their first order, if they spent enough in all.

    >>> repeat_customers([("ann", 5.0), ("bob", 2.5), ("ann", 1.0), ("bob", 1.0)], minimum_spend=5.0)
    ['ann']
    """
    seen = []
    returned = []
    spent = {}
    for customer, amount in orders:
        if customer in spent:
            spent[customer] += amount
        else:
            spent[customer] = amount
        if customer not in seen:
            seen.append(customer)
        elif customer not in returned:
            returned.append(customer)

    result = []
    for customer in seen:
        if customer in returned and spent[customer] >= minimum_spend:
            result.append(customer)
    return result
