"""A function that can be faster, its tests, and a better one: what runs with models are tried on."""

SOURCE = """
def unique(items: list[int]) -> list[int]:
    found: list[int] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
"""
TESTS = """
from sums import unique

def test_unique():
    assert unique([2, 1, 2]) == [2, 1]
    assert unique(list(range(50))) == list(range(50))
"""
BETTER = "def unique(items: list[int]) -> list[int]:\n    return list(dict.fromkeys(items))"
