"""Schemas of what the server and its clients send each other: for people in docs/protocol.md, and as TypeScript.

`python -m codeens_server.lsp.schemas` writes both, from the root of the repository.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import msgspec

from codeens_server.domain.terms import ORIGINAL, Goal, Mode, Remedy
from codeens_server.lsp.runs.editor_model import GenerateParams, GenerateResult
from codeens_server.lsp.runs.messages import (
    Applied,
    AppliedPlace,
    CandidateDiff,
    FolderArguments,
    KnownModels,
    KnownRuns,
    ListArguments,
    PinArguments,
    PinnedTest,
    RefuseArguments,
    RefusedKind,
    RerankArguments,
    Reranked,
    RerunArguments,
    RowArguments,
    RunArguments,
    RunChanged,
    RunId,
    ShownRun,
    SlowArguments,
    SlowPlaces,
    Started,
)
from codeens_server.lsp.transport import names
from codeens_server.views.model import ColumnKey, RowStatus, RunStatus, Trend

PAGE = Path("docs/protocol.md")
TYPESCRIPT = Path("editor-client/src/protocol.ts")

ARGUMENTS: tuple[Any, ...] = (
    RunArguments,
    RerunArguments,
    RunId,
    RowArguments,
    FolderArguments,
    ListArguments,
    SlowArguments,
    PinArguments,
    RefuseArguments,
    RerankArguments,
)
RESULTS: tuple[Any, ...] = (
    *(Started, Applied, CandidateDiff, PinnedTest, RefusedKind, Reranked),
    *(KnownModels, KnownRuns, AppliedPlace, SlowPlaces, RunChanged),
)
GENERATE: tuple[Any, ...] = (GenerateParams, GenerateResult)
_ALIASES = {
    "Goal": Goal,
    "Mode": Mode,
    "Remedy": Remedy,
    "ColumnKey": ColumnKey,
    "RunStatus": RunStatus,
    "RowStatus": RowStatus,
    "Trend": Trend,
}
_PRIMITIVES = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_COMMANDS = {
    "run": names.RUN,
    "rerun": names.RERUN,
    "cancel": names.CANCEL,
    "apply": names.APPLY,
    "diff": names.DIFF,
    "showRun": names.SHOW_RUN,
    "pinInput": names.PIN_INPUT,
    "refuse": names.REFUSE,
    "rerank": names.RERANK,
    "listModels": names.LIST_MODELS,
    "listRuns": names.LIST_RUNS,
    "applied": names.APPLIED,
    "findSlow": names.FIND_SLOW,
}


def block(kinds: tuple[Any, ...]) -> str:
    """Return a block of Markdown with the schemas of some types, a line for each property."""
    _, components = msgspec.json.schema_components(kinds, ref_template="#/{name}")
    lines: list[str] = []
    for name, schema in components.items():
        lines.append(f"  {json.dumps(name)}: {{")
        fields = {key: value for key, value in schema.items() if key not in {"title", "description", "properties"}}
        lines.append('    "properties": {')
        properties = [f"      {json.dumps(key)}: {json.dumps(value)}" for key, value in schema["properties"].items()]
        lines += [",\n".join(properties), "    },"]
        lines.append(",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in fields.items()))
        lines.append("  },")
    lines[-1] = "  }"
    return "\n".join(["```json", "{", *lines, "}", "```"])


def page(text: str) -> str:
    """Return the text of docs/protocol.md with its schemas made anew."""
    blocks = iter((block(ARGUMENTS), block(RESULTS), block(GENERATE)))
    return re.sub(r"```json\n\{\n  \"[A-Z].*?```", lambda _: next(blocks), text, flags=re.DOTALL)


def typescript() -> str:
    """Return the types of all messages, and the names of methods and commands, as a TypeScript module."""
    template = "#/{name}"
    _, sent = msgspec.json.schema_components((*RESULTS, ShownRun, GenerateParams), ref_template=template)
    _, received = msgspec.json.schema_components((*ARGUMENTS, GenerateResult), ref_template=template)
    constants = {"RUN_CHANGED": names.RUN_CHANGED, "GENERATE": names.GENERATE, "ORIGINAL": ORIGINAL}
    commands = "".join(f"  {key}: {json.dumps(name)},\n" for key, name in _COMMANDS.items())
    aliases = "".join(f"export type {name} = {_literals(_words(kind))};\n" for name, kind in _ALIASES.items())
    types = [_interface(name, schema, is_whole=name in sent) for name, schema in sorted((received | sent).items())]
    return "\n".join(
        [
            "// Made by `python -m codeens_server.lsp.schemas` from the types of the server. Do not edit.",
            "",
            *(f"export const {name} = {json.dumps(value)};" for name, value in constants.items()),
            f"export const COMMANDS = {{\n{commands}}} as const;",
            "",
            aliases,
            *types,
        ]
    )


def _interface(name: str, schema: dict[str, Any], *, is_whole: bool) -> str:
    """`is_whole`: every field is sent, whether it has a default or not."""
    if "properties" not in schema:
        return f"export type {name} = {_type(schema)};\n"
    lines = [
        f"  readonly {key}{'' if is_whole or key in schema['required'] else '?'}: {_type(value)};"
        for key, value in schema["properties"].items()
    ]
    return "\n".join([f"export interface {name} {{", *lines, "}", ""])


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return schema["$ref"].removeprefix("#/")
    if "enum" in schema:
        return _enum(schema["enum"])
    if "anyOf" in schema and all("enum" in each for each in schema["anyOf"]):
        return _enum([word for each in schema["anyOf"] for word in each["enum"]])
    if "anyOf" in schema:
        return " | ".join(_type(each) for each in schema["anyOf"])
    kind = schema.get("type")
    if kind == "array":
        return _array(schema)
    if kind == "object":
        return f"Readonly<Record<string, {_type(schema.get('additionalProperties') or {})}>>"
    return _PRIMITIVES[kind] if kind else "unknown"


def _array(schema: dict[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"readonly [{', '.join(_type(each) for each in schema['prefixItems'])}]"
    item = _type(schema.get("items") or {})
    return f"readonly ({item})[]" if " " in item else f"readonly {item}[]"


def _enum(values: list[str]) -> str:
    known = (name for name, kind in _ALIASES.items() if sorted(_words(kind)) == sorted(values))
    return next(known, _literals(values))


def _words(kind: Any) -> list[str]:
    """Return the words of a literal, or of a union of literals."""
    return [word for each in get_args(kind) for word in ([each] if isinstance(each, str) else _words(each))]


def _literals(values: list[str]) -> str:
    return " | ".join(json.dumps(value) for value in values)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    TYPESCRIPT.write_text(typescript(), encoding="utf-8")
