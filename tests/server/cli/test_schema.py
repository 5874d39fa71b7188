from __future__ import annotations

import json
import re
from pathlib import Path

from codeens_server.cli.schema import schema

_FILE = Path(__file__).parents[3] / "docs" / "schema.json"


def test_the_committed_schema_is_made_from_the_domain_types() -> None:
    text = _FILE.read_text(encoding="utf-8")
    assert text == schema(), "run: python -m codeens_server.cli.schema > docs/schema.json"


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    text = schema()
    definitions = set(json.loads(text)["$defs"])
    references = set(re.findall(r'"\$ref": "#/\$defs/(\w+)"', text))
    assert {"Run", "RunEvent", "ScoreReport", "Task"} <= definitions
    assert "Candidate" in references
    assert references <= definitions
    assert text.count('"$ref"') == len(re.findall(r'"\$ref": "#/\$defs/\w+"', text))
