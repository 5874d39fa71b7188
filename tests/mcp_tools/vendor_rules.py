"""The public rules for lists of tools, as code: what each vendor's API, or client, refuses, and how it converts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_TYPES = {"string", "number", "integer", "boolean", "object", "array", "null"}
_OF_GEMINI = {
    *("type", "format", "title", "description", "nullable", "enum", "items", "properties", "required", "anyOf"),
    *("minItems", "maxItems", "minimum", "maximum", "minLength", "maxLength", "pattern", "default"),
    *("minProperties", "maxProperties", "propertyOrdering", "example"),
}
_LEFT_OUT_FOR_GEMINI = {"additionalProperties"}
_OF_OPENAI_STRICT = {
    *("type", "description", "enum", "const", "items", "properties", "required", "anyOf", "additionalProperties"),
    *("pattern", "format", "minimum", "maximum", "multipleOf", "minItems", "maxItems", "$defs", "$ref"),
}
_LEFT_OUT_FOR_STRICT = {"default", "title", "minLength", "maxLength"}


class Refused(Exception):
    """A vendor refuses the tool."""


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """All schemas in a schema, with where they stand."""
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    for number, inner in enumerate(schema.get("anyOf", ())):
        yield from nodes(inner, f"{path}|{number}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from nodes(schema[name], f"{path}[]")


def check_name(name: str, description: str) -> None:
    """OpenAI and Anthropic: 64 characters of a name, 1,024 of a description."""
    if not _NAME.fullmatch(name) or not 0 < len(description) <= 1024:
        message = f"name or description of {name}"
        raise Refused(message)


def openai(schema: Schema) -> Schema:
    """Function calling without `strict`: an object at the top, each array with items, each enum not empty."""
    if schema.get("type") != "object" or schema.keys() & {"anyOf", "oneOf", "allOf", "enum", "not"}:
        message = "not a plain object at the top"
        raise Refused(message)
    for path, node in nodes(schema):
        if node.get("type") == "array" and "items" not in node:
            message = f"{path}: array schema missing items"
            raise Refused(message)
        if node.get("enum") == []:
            message = f"{path}: empty enum"
            raise Refused(message)
    return schema


def openai_strict(schema: Schema) -> Schema:
    """Function calling with `strict`, as SDKs convert for it: all fields required (optional ones take null)."""
    openai(schema)
    return _strict(schema, "")


def _strict(schema: Schema, path: str) -> Schema:
    made = {name: value for name, value in schema.items() if name not in _LEFT_OUT_FOR_STRICT}
    if unknown := made.keys() - _OF_OPENAI_STRICT:
        message = f"{path}: {unknown} not permitted"
        raise Refused(message)
    if "items" in made:
        made["items"] = _strict(made["items"], f"{path}[]")
    if "anyOf" in made:
        made["anyOf"] = [_strict(option, path) for option in made["anyOf"]]
    if made.get("type") == "object":
        if "properties" not in made or made.get("additionalProperties", False) is not False:
            message = f"{path}: additionalProperties must be false"
            raise Refused(message)
        needed = made.get("required", [])
        made["properties"] = {
            name: _strict(inner, f"{path}.{name}") if name in needed else _or_null(_strict(inner, f"{path}.{name}"))
            for name, inner in made["properties"].items()
        }
        made |= {"required": [*made["properties"]], "additionalProperties": False}
    return made


def _or_null(schema: Schema) -> Schema:
    return (
        {"anyOf": [*schema["anyOf"], {"type": "null"}]} if "anyOf" in schema else {"anyOf": [schema, {"type": "null"}]}
    )


def anthropic(schema: Schema) -> Schema:
    """`input_schema`: JSON Schema 2020-12 with an object at the top, which has no oneOf, allOf or anyOf."""
    if schema.get("type") != "object" or schema.keys() & {"oneOf", "allOf", "anyOf"}:
        message = "input_schema does not support oneOf, allOf, or anyOf at the top level"
        raise Refused(message)
    for path, _ in nodes(schema):
        for name in re.findall(r"\.([^.|\[]+)", path):
            if not re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", name):
                message = f"property key {name}"
                raise Refused(message)
    return schema


def gemini(schema: Schema) -> Schema:
    """`parameters` of a function declaration: a part of OpenAPI's schema, of which each place has a type."""
    made = {name: value for name, value in schema.items() if name not in _LEFT_OUT_FOR_GEMINI}
    if unknown := made.keys() - _OF_GEMINI:
        message = f"unknown name {unknown}"
        raise Refused(message)
    if "anyOf" not in made and made.get("type") not in _TYPES:
        message = f"a place without a type: {made}"
        raise Refused(message)
    if "enum" in made and made["type"] != "string":
        message = "enum: only allowed for STRING type"
        raise Refused(message)
    if made.get("type") == "array" and not made.get("items"):
        message = "items: missing field"
        raise Refused(message)
    if set(made.get("required", ())) - made.get("properties", {}).keys():
        message = "required: property is not defined"
        raise Refused(message)
    made |= {"items": gemini(made["items"])} if "items" in made else {}
    made |= {"anyOf": [gemini(option) for option in made["anyOf"]]} if "anyOf" in made else {}
    if "properties" in made:
        made["properties"] = {name: gemini(inner) for name, inner in made["properties"].items()}
    return made


def vscode(schema: Schema) -> Schema:
    """VS Code checks tools of servers: arrays have items, and a `$ref` leads somewhere."""
    openai(schema)
    for path, node in nodes(schema):
        if "$ref" in node:
            message = f"{path}: can't resolve reference {node['$ref']}"
            raise Refused(message)
    return schema


VENDORS: dict[str, Callable[[Schema], Schema]] = {
    "OpenAI": openai,
    "Anthropic": anthropic,
    "Gemini": gemini,
    "VS Code": vscode,
}
