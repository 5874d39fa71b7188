"""Settings that modules of the standard library, and what is installed beside it, keep for all who use them."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional, Tuple

from .values.codec import encode
from .values.objects import type_name

_One = Callable[[Any], Any]
_type_of: Callable[[Any], Any] = type


class Setting:
    """Something that can be read and put back, once a module is loaded, and told."""

    __slots__ = ("module", "put", "read", "told")

    def __init__(self, module: str, read: _One, put: Callable[[Any, Any], Any], told: Optional[_One] = None) -> None:
        self.module = module
        self.read = read
        self.put = put
        self.told = told


def name_of(value: Any) -> str:
    """Return the name of a function or class; of anything else that of its class."""
    name = getattr(value, "__qualname__", None)
    return name if type(name) is str else type(value).__qualname__


def _dialects(csv: Any) -> Any:
    return {name: csv.get_dialect(name) for name in csv.list_dialects()}


def _put_dialects(csv: Any, before: Any) -> None:
    for name in csv.list_dialects():
        csv.unregister_dialect(name)
    for name, dialect in before.items():
        csv.register_dialect(name, dialect)


def _file_types(mimetypes: Any) -> Any:
    if not mimetypes.inited:
        mimetypes.init()  # which it else does when it is first asked
    return dict(mimetypes.types_map)


def _put_file_types(mimetypes: Any, before: Any) -> None:
    mimetypes.types_map.clear()
    mimetypes.types_map.update(before)


def _put_reducers(copyreg: Any, before: Any) -> None:
    copyreg.dispatch_table.clear()
    copyreg.dispatch_table.update(before)


def _told_reducers(table: Any) -> Any:
    return sorted((type_name(kind), name_of(how)) for kind, how in table.items())


def _start_method(multiprocessing: Any) -> Any:
    return multiprocessing.get_start_method(allow_none=True)


def _put_start_method(multiprocessing: Any, before: Any) -> None:
    multiprocessing.set_start_method(before, force=True)


def _put_faults(faulthandler: Any, before: bool) -> None:
    (faulthandler.enable if before else faulthandler.disable)()


def _opener(request: Any) -> Any:
    return request.__dict__["_opener"]


def _put_opener(request: Any, before: Any) -> None:
    request.__dict__["_opener"] = before


def _numeric(numpy: Any) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    return numpy.geterr(), numpy.get_printoptions()


def _put_numeric(numpy: Any, before: Tuple[Dict[str, Any], Dict[str, Any]]) -> None:
    numpy.seterr(**before[0])
    numpy.set_printoptions(**before[1])


def _told_numeric(state: Tuple[Dict[str, Any], Dict[str, Any]]) -> Any:
    return [[*map(str, item)] for part in state for item in sorted(part.items())]


def _options(config: Any) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    todo = [("", config.__dict__["_global_config"])]
    while todo:
        prefix, part = todo.pop()
        for name, value in part.items():
            if _type_of(value) is dict:
                todo.append((f"{prefix}{name}.", value))
            else:
                found[f"{prefix}{name}"] = value
    return found


def _put_options(config: Any, before: Dict[str, Any]) -> None:
    now = _options(config)
    for name, value in before.items():
        if now.get(name) != value:
            config.set_option(name, value)


def _told_options(options: Dict[str, Any]) -> Any:
    return [[name, str(value)] for name, value in sorted(options.items())]


def _registry(module: str, attribute: str) -> Setting:
    """A dict in which a module keeps what was registered with it."""

    def read(there: Any) -> Dict[Any, Any]:
        return dict(there.__dict__[attribute])

    def put(there: Any, before: Dict[Any, Any]) -> None:
        table: Dict[Any, Any] = there.__dict__[attribute]
        table.clear()
        table.update(before)

    return Setting(module, read, put, _told_registry)


def _told_registry(table: Dict[Any, Any]) -> Any:
    return sorted([_plain(key), _plain(value)] for key, value in table.items())


def _plain(value: Any) -> str:
    return value if type(value) is str else repr(encode(value)) if type(value) in _PLAIN else name_of(value)


_PLAIN = (int, float, bool, type(None))

LIBRARIES: Dict[str, Setting] = {
    "dialects of csv": Setting("csv", _dialects, _put_dialects, sorted),
    "size of fields of csv": Setting(
        "csv", lambda csv: csv.field_size_limit(), lambda csv, before: csv.field_size_limit(before)
    ),
    "types of files": Setting("mimetypes", _file_types, _put_file_types),
    "ways to pickle": Setting("copyreg", lambda copyreg: dict(copyreg.dispatch_table), _put_reducers, _told_reducers),
    "first day of the week": Setting(
        "calendar", lambda calendar: calendar.firstweekday(), lambda calendar, before: calendar.setfirstweekday(before)
    ),
    "report of faults": Setting("faulthandler", lambda faulthandler: faulthandler.is_enabled(), _put_faults),
    "start of processes": Setting("multiprocessing", _start_method, _put_start_method),
    "opener of URLs": Setting("urllib.request", _opener, _put_opener, name_of),
    "namespaces of XML": _registry("xml.etree.ElementTree", "_namespace_map"),
    "adapters of sqlite": _registry("sqlite3", "adapters"),
    "converters of sqlite": _registry("sqlite3", "converters"),
    "kinds of archives": _registry("shutil", "_ARCHIVE_FORMATS"),
    "kinds of archives to unpack": _registry("shutil", "_UNPACK_FORMATS"),
    "other names of encodings": _registry("encodings.aliases", "aliases"),
    "options of numpy": Setting("numpy", _numeric, _put_numeric, _told_numeric),
    "options of pandas": Setting("pandas._config.config", _options, _put_options, _told_options),
}
