"""Makes `docs/schema.json`, the JSON Schema of what every door gives out, from the domain types.

`python -m codeens_server.cli.schema > docs/schema.json`
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from codeens_server.changes.checking import CheckDocument
from codeens_server.domain.document import SCHEMA_VERSION, RunDocument
from codeens_server.run.events import RunEvent
from codeens_server.run.request import RunRequest
from codeens_server.store.rows import RunLine
from codeens_server.tasks.schema import ScoreReport, Task

_DOCUMENTS: dict[str, Any] = {
    "CheckDocument": CheckDocument,
    "Run": RunDocument,
    "RunEvent": RunEvent,
    "RunRequest": RunRequest,
    "RunLine": RunLine,
    "ScoreReport": ScoreReport,
    "Task": Task,
}


def schema() -> str:
    """The schema as the text of its file."""
    roots, components = msgspec.json.schema_components(_DOCUMENTS.values(), ref_template="#/$defs/{name}")
    named = {name: root for name, root in zip(_DOCUMENTS, roots, strict=True) if name not in components}
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"codeens documents, version {SCHEMA_VERSION}",
        "description": "Run: `codeens run --json` and `runs show --json`. ScoreReport: `score --json`. "
        "CheckDocument: `check --json`. "
        "RunLine: items of `runs list --json`. RunEvent: one event of a run's stream. Task: a task file.",
        "$defs": dict(sorted({**components, **named}.items())),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
