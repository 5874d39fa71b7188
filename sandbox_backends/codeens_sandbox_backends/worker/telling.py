"""Finds calls whose arguments tell what an earlier call should return, so that they are not sent before it is answered.

`f(" A ")` must return `"a"`, and the next call is `f("a")`: who can read that call ahead has the answer. Compared are
texts of encoded values without their types, for `f("3")` tells an answer of 3, and `f(2, 3)` one of `(2, 3)`.
"""

from __future__ import annotations

from typing import Any, Hashable, Iterable, List, Sequence, Set


def told_early(calls: Sequence[Sequence[Any]], answers: Sequence[Iterable[Any]]) -> List[int]:
    """Return the indexes of calls that must wait until all before them are answered.

    Args:
        calls: the encoded arguments of each call, keywords' values last.
        answers: what is known of the answer to each call, encoded; several values where several things are known.
    """
    waits: List[int] = []
    secret: Set[Hashable] = set()
    for index, arguments in enumerate(calls):
        if secret and not secret.isdisjoint(_parts(["tuple", *arguments])):
            waits.append(index)
            secret.clear()
        secret.update(_parts(answer)[-1] for answer in answers[index])
    return waits


def _parts(encoded: Any) -> List[Hashable]:
    """Return what stands for a value and for everything in it, without types, itself last.

    It does not recurse: a value may come from hostile code, and be deep.
    """
    found: List[Hashable] = []
    done: List[Hashable] = []
    todo: List[Any] = [(encoded, -1)]
    while todo:
        value, start = todo.pop()
        if not isinstance(value, list):
            done.append(_scalar(value))
        elif start < 0:
            todo.append((value, len(done)))
            todo.extend((item, -1) for item in reversed(_below(value)))
            continue
        else:
            done[start:] = [hash(tuple(done[start:]))]
        found.append(done[-1])
    return found


def _below(encoded: Any) -> List[Any]:
    return encoded[1:]


def _scalar(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
