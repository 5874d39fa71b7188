"""Names between double underscores that code sets on its modules and classes, and so are told when they change.

The others are the interpreter's, and of libraries that keep there what they made when they were first asked.
"""

from __future__ import annotations

from typing import Any, Iterable, Tuple

_KINDS: Tuple[Any, ...] = (int, float, complex, str, list, dict, set, type, type(iter(())), property)


def _methods(kinds: Iterable[Any]) -> Iterable[str]:
    return (name for kind in kinds for name in dir(kind) if callable(getattr(kind, name, None)))


SPECIAL = frozenset(
    {
        *(name for name in _methods(_KINDS) if name.startswith("__")),
        *("__doc__", "__all__", "__version__", "__match_args__", "__call__", "__del__", "__missing__", "__bytes__"),
        *("__enter__", "__exit__", "__aenter__", "__aexit__", "__aiter__", "__anext__", "__await__", "__getattr__"),
        *("__copy__", "__deepcopy__", "__fspath__", "__set_name__", "__length_hint__", "__post_init__", "__dir__"),
    }
) - {"__class__", "__base__", "__abstractmethods__", "__annotate__", "__init_subclass__", "__subclasshook__"}
"""Methods of the data model, and what describes a module or class."""
