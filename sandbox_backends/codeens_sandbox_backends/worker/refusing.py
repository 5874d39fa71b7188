"""What is raised when a value and a tree do not fit each other."""

from __future__ import annotations


class EncodeError(Exception):
    """A value has no exact encoding."""

    def __init__(self, type_name: str, why: str = "has no exact encoding") -> None:
        super().__init__(f"{type_name} {why}")
        self.type_name = type_name


class DecodeError(Exception):
    """A tree cannot be turned into a value here."""
