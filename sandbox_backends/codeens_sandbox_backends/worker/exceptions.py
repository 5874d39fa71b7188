"""What callers read off an exception, beside its type.

Its text does not count: it is written for people, and says the same in many ways. What counts is `SystemExit.code`, the
value of a `StopIteration`, the number of an `OSError`; of an exception of the workspace its attributes; and arguments
other than texts, where a class or a `raise` statement of the workspace gives them, and of a `KeyError`. So do a cause
(`raise … from …`), by its type, and notes, by their number.
"""

from __future__ import annotations

import builtins
from opcode import opmap
from types import TracebackType
from typing import Any, Callable, Collection, Dict, Optional

from .values.grammar import EncodeError
from .values.objects import dictionary_of, type_name

_FIELDS = ((SystemExit, "code"), (StopIteration, "value"), (OSError, "errno"))
_GROUP: Any = getattr(builtins, "BaseExceptionGroup", ())
"""Its exceptions may be given in any sequence."""
_RAISE = opmap["RAISE_VARARGS"]
_args_of: Any = BaseException.__dict__["args"].__get__
_cause_of: Any = BaseException.__dict__["__cause__"].__get__
Encode = Callable[[Any], Any]


def attributes_of(error: BaseException, modules: Collection[str], encode: Encode) -> Dict[str, Any]:
    """Return what counts of an exception, encoded, by name; what has no exact encoding is left out.

    Args:
        error: The exception.
        modules: Names of the workspace's modules.
        encode: Encodes a value.
    """
    fields = {name: getattr(error, name, None) for kind, name in _FIELDS if isinstance(error, kind)}
    found: Dict[str, Any] = dict(fields)
    args = _args_of(error)
    if isinstance(error, _GROUP):
        group: Any = error
        args = (*args[:1], (*group.exceptions,))
    is_own = type_name(type(error)).partition(":")[0] in modules
    if is_own:
        texts = [text for text in args if type(text) is str]
        own = dictionary_of(error) or {}
        found.update({name: value for name, value in own.items() if value not in texts and not name.startswith("__")})
    cause = _cause_of(error)
    if cause is not None:
        found["__cause__"] = type_name(type(cause))
    notes = (dictionary_of(error) or {}).get("__notes__")
    if notes:
        found["__notes__"] = len(notes)
    data = tuple(arg for arg in args if type(arg) is not str)
    if data and not fields and (is_own or type(error) is KeyError or _is_raised_by(error.__traceback__, modules)):
        found["args"] = data
    encoded: Dict[str, Any] = {}
    for name in sorted(found):
        try:
            encoded[name] = encode(found[name])
        except EncodeError:
            continue
    return encoded


def _is_raised_by(traceback: Optional[TracebackType], modules: Collection[str]) -> bool:
    """Whether the last frame is a `raise` statement of one of the modules."""
    if traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame = traceback.tb_frame
    at = traceback.tb_lasti
    return frame.f_globals.get("__name__") in modules and at >= 0 and frame.f_code.co_code[at] == _RAISE
