"""Log records and warnings of a call, whatever handlers and filters would make of them."""

from __future__ import annotations

import sys
from typing import Any, List

from .values.codec import encode

_MOST = 10_000


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
                records.append(["tuple", *map(encode, (str(record.name), str(record.levelname), _message(record)))])
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
                self.warnings.append(["tuple", message.category.__name__, encode(str(message.message))])

        warnings.__dict__["_showwarnmsg_impl"] = noting  # what `catch_warnings` puts aside and back


def _message(record: Any) -> str:
    try:
        return str(record.getMessage())
    except Exception as error:
        return f"<{type(error).__name__}>"
