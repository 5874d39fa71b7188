"""Dates and times as trees, and back.

ISO text says everything of a moment but the fold and a time zone that is more than an offset.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, List

from .objects import type_name
from .refusing import EncodeError

if TYPE_CHECKING:
    from .decoding import Decoder
    from .encoding import Encoder


def encode_moment(encoder: Encoder, value: Any) -> Any:
    """The tree of a `time` or `datetime`."""
    zone, tag = value.tzinfo, type(value).__name__
    if not value.fold and (zone is None or _is_offset(zone)):
        return [tag, value.isoformat()]
    return ["zoned", value.fold, encode_zone(encoder, zone), [tag, value.replace(tzinfo=None, fold=0).isoformat()]]


def _is_offset(zone: Any) -> bool:
    return type_name(type(zone)) == "datetime:timezone" and len(zone.__getinitargs__()) == 1


def encode_zone(encoder: Encoder, zone: Any) -> Any:
    """The tree of a time zone or None.

    Raises:
        EncodeError: it is neither of `datetime.timezone` nor a named one of `zoneinfo`.
    """
    name = type_name(type(zone))
    if zone is None:
        return None
    if name == "datetime:timezone":
        offset, *label = zone.__getinitargs__()
        return ["timezone", encoder.encode(offset), encoder.encode(label[0] if label else None)]
    if name == "zoneinfo:ZoneInfo" and type(zone.key) is str:
        return ["zoneinfo", encoder.encode(zone.key)]
    raise EncodeError(name)


def decode_zoned(decoder: Decoder, tree: List[Any]) -> Any:
    """A `time` or `datetime` with a fold or a named zone."""
    _, fold, zone, moment = tree
    return decoder.decode(moment).replace(fold=fold, tzinfo=decoder.decode(zone))


def decode_timezone(decoder: Decoder, tree: List[Any]) -> Any:
    """A fixed offset, perhaps named."""
    kind = import_module("datetime").timezone
    return kind(*[decoder.decode(part) for part in tree[1:] if part is not None])


def decode_zoneinfo(decoder: Decoder, tree: List[Any]) -> Any:
    """A zone of the time zone database."""
    return import_module("zoneinfo").ZoneInfo(decoder.decode(tree[1]))
