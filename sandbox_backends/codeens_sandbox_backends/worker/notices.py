"""Log records and warnings of a call, whatever handlers and filters would make of them."""

from __future__ import annotations

import re
import sys
from typing import Any, Dict, List

from .values.codec import encode
from .values.grammar import EncodeError
from .values.objects import type_name

_MOST = 10_000
_WORKER = __file__.rpartition("/")[0]
"""Whose code calls: a warning that names it was said of the caller."""
_ARITHMETIC = re.compile(
    "(?:divide by zero|invalid value|overflow|underflow) encountered in |Mean of empty slice|Degrees of freedom <= 0"
)
"""What numpy warns of where there is no number, or none that is finite: for each item or for all of them at once, in
the words of the operation that met it first. That it warned is told once.
"""
_OF_ARITHMETIC = ["tuple", "RuntimeWarning", "of arithmetic without a result"]
_FORMATTED = ("message", "asctime")
"""What formatters note in a record."""


class Notices:
    """Notes log records that a logger lets through, and all warnings, instead of showing the warnings."""

    def __init__(self) -> None:
        self.records: List[Any] = []
        self.warnings: List[Any] = []
        self._logging: Any = None
        self._take_warnings()
        self.look_again()

    def look_again(self) -> bool:
        """Watch loggers as soon as there are any; whether there are now for the first time."""
        if self._logging is not None or "logging" not in sys.modules:
            return False
        self._logging = sys.modules["logging"]
        self._take_records(self._logging.Logger)
        return True

    def clear(self) -> None:
        """Forget what was noted."""
        self.records.clear()
        self.warnings.clear()

    def _take_records(self, logger: Any) -> None:
        handle, records = logger.handle, self.records

        def noting(self: Any, record: Any) -> Any:
            if len(records) < _MOST:
                texts = (str(record.name), str(record.levelname), _message(record))
                records.append(["tuple", *map(encode, texts), *_further(record)])
            return handle(self, record)

        logger.handle = noting

    def _take_warnings(self) -> None:
        """Show none: a warning as it is shown names a line of the file, which another implementation has elsewhere."""
        import warnings

        warnings.resetwarnings()
        warnings.simplefilter("always")  # filters that the code sets come before it

        def noting(message: Any) -> None:
            # That a file was left open is not what callers ask for, and nothing warns of it unless one asks for that.
            if len(self.warnings) < _MOST and not issubclass(message.category, ResourceWarning):
                caller = ["of the caller"] if message.filename.startswith(_WORKER) else []
                told = ["tuple", message.category.__name__, encode(str(message.message)), *caller]
                part = _ARITHMETIC.match(str(message.message)) if message.category is RuntimeWarning else None
                if part is None:
                    self.warnings.append(told)
                elif _OF_ARITHMETIC not in self.warnings:
                    self.warnings.append(_OF_ARITHMETIC)

        warnings.__dict__["_showwarnmsg_impl"] = noting  # what `catch_warnings` puts aside and back


def _further(record: Any) -> List[Any]:
    """Return the type of the exception that a record is about, and what the caller added to the record."""
    fields: Dict[str, Any] = record.__dict__
    error: Any = (fields["exc_info"] or (None,))[0]
    usual: Dict[str, Any] = type(record)("", 0, "", 0, "", (), None).__dict__
    found: List[Any] = [] if error is None else [type_name(error)]
    added = sorted(set(fields).difference(usual, _FORMATTED))
    return [*found, *(["tuple", name, _plain(fields[name])] for name in added)]


def _plain(value: Any) -> Any:
    try:
        return encode(value, iterators=False)
    except EncodeError as error:
        return error.type_name


def _message(record: Any) -> str:
    try:
        return str(record.getMessage())
    except Exception as error:
        return f"<{type(error).__name__}>"
