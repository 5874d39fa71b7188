from typing import NamedTuple

class Function(NamedTuple):
    name: str
    complexity: int

class Class(NamedTuple):
    name: str
    real_complexity: int
