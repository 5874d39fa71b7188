"""Finds out what calls tests make without the function: what they get passes for right as far as possible."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List

from .values.codec import encode

_CALLS_AT_MOST = 1000


class Guess:
    """What tests call instead of the function; `calls` are the encoded calls until one cannot be encoded.

    `whole` says whether all calls are there.
    """

    def __init__(self, name: str) -> None:
        self.__name__ = name
        self.calls: List[Dict[str, Any]] = []
        self.whole = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.whole = self.whole and len(self.calls) < _CALLS_AT_MOST
        if not self.whole:
            raise OverflowError("more calls than are worth to be guessed")
        self.whole = False  # until the call is encoded
        call = {
            "args": [encode(value, classes=False, iterators=False) for value in args],
            "kwargs": {name: encode(value, classes=False, iterators=False) for name, value in kwargs.items()},
        }
        self.calls.append(call)
        self.whole = True
        return _Agreeable()


class _Agreeable:
    """Whatever is asked of it is so: it is equal, and unequal, to everything, true, near to every number, and empty."""

    def _agrees(self, *_: Any) -> bool:
        return True

    def _itself(self, *_: Any) -> Any:
        return self

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = _agrees
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _itself
    __abs__ = __neg__ = __round__ = __getitem__ = _itself

    def __hash__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())
