"""JSON schemas of tools, made from the types that the values have."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

_TEMPLATE = "#/$defs/{name}"


def input_schema(kind: type[Struct]) -> dict[str, Any]:
    """The schema of a tool's arguments: an object."""
    return _inlined(kind)


def output_schema(*kinds: type[Struct]) -> dict[str, Any]:
    """The schema of a tool's structured answer: an object, of one of several types."""
    if len(kinds) == 1:
        return _inlined(kinds[0])
    roots, components = msgspec.json.schema_components(kinds, ref_template=_TEMPLATE)
    return {"type": "object", "anyOf": list(roots), "$defs": components}


def _inlined(kind: type[Struct]) -> dict[str, Any]:
    """With the root's properties at the top, where clients look for them."""
    (root,), components = msgspec.json.schema_components([kind], ref_template=_TEMPLATE)
    schema: dict[str, Any] = components.pop(root["$ref"].rpartition("/")[2])
    return {**schema, "$defs": components} if components else schema
