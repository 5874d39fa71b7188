"""What a call enters in tables that others look things up in, and what it changes of functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import Try, labels, tries_of, verdicts_of

MODULE = """
import abc
import codecs
import functools
import weakref

__all__ = ["area"]


class Shape(abc.ABC):
    pass


class Square:
    pass


class Base:
    pass


class Circle(Base):
    pass


class Round(Base):
    pass


class Rows:
    def __init__(self, rows=[]):
        rows.append(1)


class Node:
    def __init__(self, number):
        self.number = number


ROOT, LEAF = Node(1), Node(2)
NODES = weakref.WeakValueDictionary()
NOTES = weakref.WeakKeyDictionary()
SEEN = weakref.WeakSet()
HANDLERS = {}


@functools.singledispatch
def shown(value):
    return str(value)


class Printer:
    @functools.singledispatchmethod
    def show(self, value):
        return str(value)


def area(side, scale=1):
    return side * side * scale


def volume(side, *, scale=1):
    return side ** 3 * scale


def as_hex(value):
    return hex(value)


def as_text(value):
    return repr(value)


def adopted(number):
    Shape.register(Square)
    return number


def by_type(number):
    shown.register(int, as_hex)
    return number


def by_type_of_method(number):
    Printer.show.register(int, as_hex)
    return number


def replaced_errors(number):
    codecs.register_error('stars', as_text)
    return number


def named(number):
    NODES[number] = ROOT
    return number


def noted(number):
    NOTES[ROOT] = number
    return number


def seen(number):
    SEEN.add(LEAF)
    return number


def handled(number):
    HANDLERS[number] = as_hex
    return number


def scaled(number):
    area.__defaults__ = (number,)
    return number


def scaled_by_name(number):
    volume.__kwdefaults__ = {'scale': number}
    return number


def swapped(number):
    area.__code__ = volume.__code__
    return number


def explained(number):
    explained.__doc__ = f'Called with {number}.'
    return number


def described(number):
    Square.__doc__ = f'Square {number}.'
    return number


def retitled(number):
    global __doc__
    __doc__ = f'Module {number}.'
    return number


def renamed(number):
    area.__name__ = f'area{number}'
    return number


def called_otherwise(number):
    Square.__qualname__ = f'Square{number}'
    return number


def reparented(number):
    Circle.__bases__ = (Round,)
    return number


def annotated(number):
    area.__annotations__['side'] = number
    return number


def added(number):
    Square.__add__ = added
    return number


def exported(number):
    __all__.append(str(number))
    return number


def constructed(number):
    Rows()
    return number
"""
RIGHT = {
    # What does the same, otherwise written.
    "adopted": "_ = Shape.register(Square)",
    "by_type": "shown.register(int)(as_hex)",
    "by_type_of_method": "_ = Printer.show.register(int, as_hex)",
    "replaced_errors": "codecs.register_error('st' + 'ars', as_text)",
    "named": "NODES.update({number: ROOT})",
    "noted": "NOTES.update([(ROOT, number)])",
    "seen": "SEEN.update([LEAF])",
    "handled": "HANDLERS.update({number: as_hex})",
    "scaled": "area.__defaults__ = tuple([number])",
    "scaled_by_name": "volume.__kwdefaults__ = dict(scale=number)",
    "swapped": "code = volume.__code__\n    area.__code__ = code",
    "explained": "explained.__doc__ = 'Called with ' + str(number) + '.'",
    "described": "setattr(Square, '__doc__', 'Square %d.' % number)",
    "retitled": "global __doc__\n    __doc__ = 'Module ' + str(number) + '.'",
    "renamed": "area.__name__ = 'area' + str(number)",
    "called_otherwise": "Square.__qualname__ = 'Square' + str(number)",
    "reparented": "parents = [Round]\n    Circle.__bases__ = tuple(parents)",
    "annotated": "area.__annotations__.update(side=number)",
    "added": "own = added\n    Square.__add__ = own",
    "exported": "__all__.extend([f'{number}'])",
    "constructed": "rows = Rows()",
}
OTHER = {
    # What does nearly the same.
    "adopted": "Shape.register(Circle)",
    "by_type": "shown.register(int, as_text)",
    "replaced_errors": "codecs.register_error('stars', as_hex)",
    "named": "NODES[number] = LEAF",
    "handled": "HANDLERS[number] = as_text",
    "scaled": "area.__defaults__ = (number + 1,)",
    "explained": "explained.__doc__ = 'Called.'",
    "described": "Square.__doc__ = 'Square.'",
    "reparented": "Circle.__bases__ = (Base,)",
    "added": "Square.__sub__ = added",
}
TRIES = [
    Try(
        attempt.name,
        attempt.inputs,
        {
            **attempt.candidates,
            **(
                {("another", False): f"def {attempt.name}(number):\n    {OTHER[attempt.name]}\n    return number"}
                if attempt.name in OTHER
                else {}
            ),
        },
    )
    for attempt in tries_of(RIGHT)
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    folder: Path = tmp_path_factory.mktemp("effects")
    return verdicts_of(folder, MODULE, TRIES)


@pytest.mark.parametrize(("name", "candidate", "right"), labels(TRIES))
def test_a_candidate_passes_only_if_it_registers_alike_and_leaves_functions_alike(
    verdicts: dict[str, dict[str, Verdict]], name: str, candidate: str, right: bool
) -> None:
    verdict = verdicts[name][candidate]
    assert (verdict.status == "passed") is right, (verdict.reason, verdict.failure)
