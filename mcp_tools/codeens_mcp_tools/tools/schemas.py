"""Schemas as every client takes them, arguments mended by them, and errors explained by them.

OpenAI, Gemini and VS Code refuse tools whose schemas have `$ref`, an array without `items`, an enum without a type or
`exclusiveMinimum`; and what says nothing (`null` beside a type, defaults that are nothing) costs each turn of an agent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias, cast

import msgspec
from msgspec import Struct

Schema: TypeAlias = dict[str, Any]
_TEMPLATE = "#/$defs/{name}"
_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)
_SCALARS: tuple[Schema, ...] = tuple({"type": name} for name in ("string", "number", "boolean", "object", "null"))
_INNER: Schema = {"type": "array", "items": {"type": "number"}}
_ANY: Schema = {"anyOf": [*_SCALARS, {"type": "array", "items": {"anyOf": [*_SCALARS, _INNER]}}]}
"""Any value; clients want a type, of what is in a list too. It says that lists may be nested, not how deep."""
_AROUND: Schema = {
    "summary": {"type": "string", "description": "What came out, and what to do next."},
    "left_out": {"type": "object", "description": "Parts that are cut, each with its size, and where the whole is."},
}
"""What every answer has beside its facts."""
_PLACE = re.compile(r" - at `\$(?P<path>[^`]*)`")
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<index>\d+|\.\.\.)\]")


@cache
def input_schema(kind: type[Struct], *hidden: str) -> Schema:
    """Return the schema of a tool's arguments: an object, with nothing referred to.

    Args:
        kind: the type of the arguments.
        hidden: paths (`task.tests`) of fields that are taken and not shown.
    """
    (root,), components = msgspec.json.schema_components([kind], ref_template=_TEMPLATE)
    schema = _inlined(root, components)
    for path in hidden:
        *above, name = path.split(".")
        node = schema
        for step in above:
            node = node["properties"][step]
        del node["properties"][name]
        node.pop("additionalProperties", None)
    return schema


@cache
def output_schema(*kinds: type[Struct]) -> Schema:
    """Return the schema of a tool's structured answer: an object, of one of several types, with its summary."""
    roots, components = msgspec.json.schema_components(kinds, ref_template=_TEMPLATE)
    if len(kinds) > 1:
        return {"type": "object", "anyOf": list(roots), "properties": dict(_AROUND), "$defs": components}
    schema: Schema = components.pop(roots[0]["$ref"].rpartition("/")[2])
    schema = {**schema, "properties": {**schema["properties"], **_AROUND}}
    return {**schema, "$defs": components} if components else schema


def _inlined(node: Schema, components: Mapping[str, Schema]) -> Schema:
    if "$ref" in node:
        own = {name: value for name, value in node.items() if name != "$ref"}
        return _inlined(components[node["$ref"].rpartition("/")[2]], components) | own
    if "anyOf" in node:
        return _without_null(node, components)
    made = {name: value for name, value in node.items() if name not in ("title", "exclusiveMinimum")}
    if made.get("default", ...) in (None, (), [], {}, ""):
        del made["default"]
    if "exclusiveMinimum" in node:
        made["minimum"] = node["exclusiveMinimum"]
    if "enum" in made and "type" not in made:
        made["type"] = "string"
    if made.get("type") == "array":
        made["items"] = _inlined(made["items"], components) if made.get("items") else _ANY
    if "properties" in made:
        made["properties"] = {name: _inlined(value, components) for name, value in made["properties"].items()}
    if not made.keys() & {"type", "anyOf", "enum"}:
        made |= _ANY
    return made


def _without_null(node: Schema, components: Mapping[str, Schema]) -> Schema:
    options = [_inlined(option, components) for option in node["anyOf"] if option.get("type") != "null"]
    around = {name: value for name, value in node.items() if name not in ("anyOf", "title", "default")}
    if node.get("default") is not None:
        around["default"] = node["default"]
    return {**options[0], **around} if len(options) == 1 else {"anyOf": options, **around}


def mended(value: Any, schema: Schema) -> Any:
    """Return arguments as the schema has them where they only are written otherwise.

    JSON texts in place of what they mean, a number with a fraction of nothing, one item in place of a list, `null` for
    what may be left out. A place that takes a text keeps the text it got, whatever that looks like; one that takes any
    value keeps that.
    """
    kinds = _kinds(schema)
    if not kinds or schema.get("anyOf") == _ANY["anyOf"]:
        return value
    if isinstance(value, str):
        return _from_text(value, schema)
    if isinstance(value, float) and value.is_integer() and "integer" in kinds and "number" not in kinds:
        return int(value)
    if isinstance(value, list):
        items = schema.get("items", {})
        return [mended(item, items) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return _mended_object(cast("dict[str, Any]", value), schema)
    return str(value) if kinds == {"string"} and isinstance(value, int) and not isinstance(value, bool) else value


def _from_text(text: str, schema: Schema) -> Any:
    kinds = _kinds(schema)
    meant = _meant(text)
    if "string" in kinds:
        near = [name for name in schema.get("enum", ()) if name.lower() == text.strip().lower()]
        is_object = isinstance(meant, dict) and any(meant.keys() >= needed for needed in _needed(schema))
        return mended(meant, schema) if is_object else near[0] if len(near) == 1 else text
    if _kind(meant) in kinds or (_kind(meant) == "integer" and "number" in kinds):
        return mended(meant, schema)
    return [mended(text, schema.get("items", {}))] if "array" in kinds and isinstance(meant, str) else text


def _meant(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _needed(schema: Schema) -> list[set[str]]:
    """Return the fields that each kind of object needs which a schema takes beside texts."""
    return [set(option["required"]) for option in schema.get("anyOf", ()) if option.get("required")]


def _mended_object(value: dict[str, Any], schema: Schema) -> Any:
    if "array" in _kinds(schema) and "object" not in _kinds(schema):
        return [mended(value, schema.get("items", {}))]
    options = [schema, *schema.get("anyOf", ())]
    known = [option["properties"] for option in options if "properties" in option]
    properties: dict[str, Schema] = known[0] if known else {}
    return {
        name: mended(item, properties.get(name, {}))
        for name, item in value.items()
        if item is not None or name not in properties or "null" in _kinds(properties[name])
    }


def _kinds(schema: Schema) -> set[str]:
    """Return the types that a schema takes; none: it says nothing of them."""
    return {kind for option in (schema, *schema.get("anyOf", ())) if (kind := option.get("type"))}


def _kind(value: Any) -> str:
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "null")


def explained(error: msgspec.ValidationError, schema: Schema) -> str:
    """Return what is wrong with arguments, and what the place takes."""
    found = _PLACE.search(str(error))
    said = _PLACE.sub("", str(error))
    path = found["path"] if found else ""
    node = _node(schema, path)
    at = path.lstrip(".") or "the arguments"
    return " ".join(filter(None, [f"{at}: {said[:1].lower()}{said[1:]}.", _allowed(node), node.get("description", "")]))


def _node(schema: Schema, path: str) -> Schema:
    nodes: list[Schema] = [schema]
    for step in _STEP.finditer(path):
        options = [option for node in nodes for option in (node, *node.get("anyOf", ()))]
        if step["name"] is None:
            nodes = [option["items"] for option in options if "items" in option]
        else:
            nodes = [
                option["properties"][step["name"]] for option in options if step["name"] in option.get("properties", ())
            ]
    return nodes[0] if nodes else Schema()


def _allowed(node: Schema) -> str:
    for option in (node, *node.get("anyOf", ())):
        if "enum" in option:
            return f"It is one of {', '.join(map(str, option['enum']))}."
        if "properties" in option:
            needed = option.get("required", [])
            names = [f"{name} (needed)" if name in needed else name for name in option["properties"]]
            return f"Its fields: {', '.join(names)}."
    return ""
