"""Finds nodes of a function by their place in its file."""

from __future__ import annotations

from typing import TypeAlias

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from codeens_server.generation.rewrites.function_tree import FunctionTree

Place: TypeAlias = tuple[int, int]
"""Row and column in the file, both 1-based."""


class CodeMap:
    """The nodes of a function that stands in a file from a row on, moved to the right by a margin."""

    def __init__(self, subject: FunctionTree, *, first_row: int, margin: int) -> None:
        self.subject = subject
        self._rows = first_row - 1
        self._margin = margin
        wrapper = MetadataWrapper(subject.module, unsafe_skip_copy=True)
        self._ranges: dict[cst.CSTNode, CodeRange] = dict(wrapper.resolve(PositionProvider))

    def smallest(self, start: Place, end: Place) -> cst.CSTNode:
        """Return the innermost node that covers the text from start to end (exclusive).

        Of text that goes over several statements it is the one in which it starts.
        """
        first, last = self._moved(start), self._moved(end)
        found = self._around(first, last)
        return self._around(first, first) if found is self.subject.function else found

    def _moved(self, place: Place) -> Place:
        return place[0] - self._rows, place[1] - 1 - self._margin

    def _around(self, first: Place, last: Place) -> cst.CSTNode:
        found: cst.CSTNode = self.subject.function
        for node in self.subject.walk(self.subject.function):
            place = self._ranges.get(node)
            if place is None or isinstance(node, cst.BaseSuite):
                continue
            if (place.start.line, place.start.column) <= first and last <= (place.end.line, place.end.column):
                found = node  # what is walked later, and still covers it, lies inside
        return found
