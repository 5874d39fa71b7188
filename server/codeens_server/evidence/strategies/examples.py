"""Strategies from examples: values like the ones seen, of near sizes and somewhat beyond."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from codeens_sandbox_backends.programs import Encoded
from codeens_sandbox_backends.values.compare import canonical
from codeens_sandbox_backends.values.sample import Sampler, Samples, kind_of, listed, mapped, tagged, unique, weighted
from codeens_server.evidence.strategies.tables import grown, is_table

_DEEPEST = 6
_MOST_SEEN = 60
_CODES = 1 << 40
_CLASSES = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789")


def like(seen: Sequence[Encoded], sampler: Sampler, depth: int = 0) -> Samples:
    """Return values of the same types as those seen, of near sizes and somewhat beyond; the seen ones are among them.

    Args:
        seen: encoded values, at least one.
        sampler: strategies for plain values.
        depth: of the containers around, so that deep ones end.
    """
    known = list({canonical(tree): tree for tree in seen}.values())[:_MOST_SEEN]
    groups: defaultdict[str, list[Any]] = defaultdict(list)
    for tree in known:
        groups[kind_of(tree)].append(tree)
    made = [_group(kind, group, sampler, depth) for kind, group in groups.items()] if depth < _DEEPEST else []
    varied = [strategy for strategy in made if strategy is not None]
    if varied and groups.keys() <= _SCALARS.keys():
        return st.one_of(varied)
    return weighted((1, st.sampled_from(known)), (3, st.one_of(varied))) if varied else st.sampled_from(known)


def _group(kind: str, group: list[Any], sampler: Sampler, depth: int) -> Samples | None:
    if kind in {"list", "tuple", "set", "frozenset"}:
        return _sequences(kind, group, sampler, depth)
    if kind in {"dict", "OrderedDict"}:
        return _mappings(kind, group, sampler, depth)
    if kind in {"ndarray", "pandas"} and all(map(is_table, group)):
        return grown(group)
    if kind == "namedtuple":
        return _positions([tree[2:] for tree in group], sampler, depth).map(lambda items: [*group[0][:2], *items])
    make = _SCALARS.get(kind)
    return make(group, sampler) if make else None


def _sequences(kind: str, group: list[Any], sampler: Sampler, depth: int) -> Samples | None:
    bodies = [tree[1:] for tree in group]
    lengths = {len(body) for body in bodies}
    if kind == "tuple" and len(lengths) == 1 and 0 not in lengths:
        return _positions(bodies, sampler, depth).map(tagged(kind))
    items = [item for body in bodies for item in body]
    if not items:
        return None
    if kind in {"set", "frozenset"}:
        return unique(like(items, sampler, depth + 1), kind)
    rows = _rectangle(items) if kind == "list" else None
    if rows is not None:
        return _matrices(rows, sampler, depth)
    item = like(items, sampler, depth + 1)
    return listed(_nested(kind, items, item, listed(item, kind, large=False)), kind, large=depth == 0)


def _nested(kind: str, items: Sequence[Encoded], item: Samples, inside: Samples) -> Samples:
    """Return what a container of a kind holds: where some of the items are such ones, and others are not, they are
    nested as deep as somebody makes them, and not only as deep as in what was seen.
    """
    are_containers = {kind_of(value) == kind for value in items}
    return weighted((3, item), (1, inside)) if len(are_containers) > 1 else item


def _positions(bodies: list[list[Encoded]], sampler: Sampler, depth: int) -> Samples:
    """Return bodies of fixed length, each place with values like those seen there."""
    return st.tuples(*(like(list(column), sampler, depth + 1) for column in zip(*bodies, strict=False))).map(list)


def _rectangle(items: list[Any]) -> list[Encoded] | None:
    """Return all cells, where every item seen is a list and they are of one length; else None."""
    if not all(kind_of(item) == "list" for item in items):
        return None
    cells = [cell for item in items for cell in item[1:]]
    same_length = len({len(item) for item in items}) == 1
    return cells if cells and same_length else None


def _matrices(cells: list[Encoded], sampler: Sampler, depth: int) -> Samples:
    """Return lists of rows of one length, as in the examples."""
    cell = like(cells, sampler, depth + 2)
    return st.tuples(st.integers(1, 6), st.integers(1, 8)).flatmap(
        lambda shape: st.lists(
            st.lists(cell, min_size=shape[0], max_size=shape[0]).map(tagged("list")),
            min_size=shape[1],
            max_size=shape[1],
        ).map(tagged("list"))
    )


def _mappings(kind: str, group: list[Any], sampler: Sampler, depth: int) -> Samples | None:
    pairs = [pair for tree in group for pair in tree[1:]]
    if not pairs:
        return None
    keys = [canonical([pair[0] for pair in tree[1:]]) for tree in group]
    if len(group) > 1 and len(set(keys)) == 1 and all(isinstance(pair[0], str) for pair in pairs):
        return _records(kind, group, sampler, depth)
    key = like([pair[0] for pair in pairs], sampler, depth + 1)
    values = [pair[1] for pair in pairs]
    value = like(values, sampler, depth + 1)
    return mapped(key, _nested(kind, values, value, mapped(key, value, kind)), kind)


def _records(kind: str, group: list[Any], sampler: Sampler, depth: int) -> Samples:
    """Return mappings that always have the same keys: each keeps its own kind of value."""
    names = [pair[0] for pair in group[0][1:]]
    columns = zip(*([pair[1] for pair in tree[1:]] for tree in group), strict=True)
    values = st.tuples(*(like(list(column), sampler, depth + 1) for column in columns))
    return values.map(lambda drawn: [kind, *(list(pair) for pair in zip(names, drawn, strict=True))])


def _ints(group: list[Any], sampler: Sampler) -> Samples:
    low, high = min(group), max(group)
    reach = max(10, high - low)
    lowest = 0 if low >= 0 else low - reach
    wide = (lowest * 10, high * 10 + 100)

    def value_of(code: int) -> int:
        kind, number = code % 8, code // 8
        if kind == 0:
            return sampler.int_of(number)
        start, stop = wide if kind == 1 else (lowest, high + reach)
        return start + number % (stop - start + 1)

    return st.integers(0, _CODES).map(value_of)


def _floats(group: list[Any], sampler: Sampler) -> Samples:
    low, high = min(group), max(group)
    reach = max(1.0, high - low)
    lowest = 0.0 if low >= 0 else low - reach

    def value_of(code: int) -> float:
        kind, number = code % 8, code // 8
        if kind == 0:
            return sampler.float_of(number)
        steps = 100 if kind < 5 else 99_991
        return lowest + (number % (2 * steps + 1)) * reach / steps

    seen = st.sampled_from(group)
    return weighted((1, seen), (3, st.integers(0, _CODES).map(value_of)))


def _booleans(_: list[Any], __: Sampler) -> Samples:
    return st.booleans()


def _texts(group: list[Any], sampler: Sampler) -> Samples:
    """Return texts over the characters seen, and seen ones joined, cut, or changed within their class."""
    seen = st.sampled_from(group)
    alphabet = sorted({char for text in group for char in text})
    wider = sorted({char for seen_char in alphabet for char in _class_of(seen_char)})
    longest = min(300, 4 * max(len(text) for text in group) + 4)
    made = [
        st.tuples(seen, st.integers(0, 1 << 30)).map(lambda drawn: _same_form(*drawn)),
        st.tuples(seen, st.integers(0, 300), st.integers(0, 3)).map(lambda drawn: _cut(*drawn)),
        st.lists(seen, min_size=2, max_size=6).map("".join),
    ]
    if alphabet:
        made += [st.text(alphabet, max_size=longest), st.text(wider, max_size=longest)]
    return weighted((6, st.one_of(made)), (1, sampler.texts(long=False)))


def _class_of(char: str) -> str:
    return next((letters for letters in _CLASSES if char in letters), char)


def _same_form(text: str, seed: int) -> str:
    """Replace each letter and digit by another of its class, or keep it: `2024-01-31` stays of that form."""
    result: list[str] = []
    for char in text:
        letters = _class_of(char)
        seed, choice = (seed * 1_103_515_245 + 12_345) % (1 << 31), seed >> 16
        result.append(letters[choice % len(letters)] if choice % 3 else char)
    return "".join(result)


def _cut(text: str, place: int, width: int) -> str:
    """Return the text without a few characters at a place."""
    start = place % (len(text) + 1)
    return text[:start] + text[start + width :]


_SCALARS: Mapping[str, Callable[[list[Any], Sampler], Samples]] = {
    "int": _ints,
    "float": _floats,
    "bool": _booleans,
    "str": _texts,
}
