"""Functions that tests are about."""

SLOW = '''\
def squares(numbers: list[int]) -> list[int]:
    """Squares.

    >>> squares([1, 2])
    [1, 4]
    """
    result = []
    for number in numbers:
        result.append(number * number)
    return result
'''
"""Offline rewrites have something to say of it."""

COMPREHENSION = "def squares(numbers):\n    return [number * number for number in numbers]\n"
WRONG = "def squares(numbers):\n    return list(numbers)\n"
