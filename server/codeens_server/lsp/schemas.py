"""The JSON Schemas that docs/protocol.md shows: `python -m codeens_server.lsp.schemas` prints them."""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from codeens_server.lsp.runs.arguments import (
    PinArguments,
    RerankArguments,
    RerunArguments,
    RowArguments,
    RunArguments,
    RunId,
)
from codeens_server.lsp.runs.editor_model import GenerateParams, GenerateResult

ARGUMENTS: tuple[Any, ...] = (RunArguments, RerunArguments, RunId, RowArguments, PinArguments, RerankArguments)
GENERATE: tuple[Any, ...] = (GenerateParams, GenerateResult)


def block(kinds: tuple[Any, ...]) -> str:
    """A block of Markdown with the schemas of some types, a line for each property."""
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


if __name__ == "__main__":
    sys.stdout.write(f"{block(ARGUMENTS)}\n\n{block(GENERATE)}\n")
