"""What docs/protocol.md says of messages is what the server takes and sends."""

from __future__ import annotations

import json
import re
from pathlib import Path

from codeens_server.lsp.schemas import ARGUMENTS, GENERATE, RESULTS, TYPESCRIPT, block, typescript
from codeens_server.lsp.transport.names import COMMANDS

PAGE = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_the_schemas_of_the_page_are_made_from_the_types() -> None:
    for kinds in (ARGUMENTS, RESULTS, GENERATE):
        assert block(kinds) in PAGE, "run: python -m codeens_server.lsp.schemas, and put it into docs/protocol.md"


def test_the_extensions_types_are_made_from_the_servers() -> None:
    root = Path(__file__).parents[3]
    assert typescript() == (root / TYPESCRIPT).read_text(encoding="utf-8"), "run: python -m codeens_server.lsp.schemas"


def test_every_block_of_the_page_is_json() -> None:
    blocks = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 4
    for text in blocks:
        json.loads(text)


def test_every_command_is_described() -> None:
    for name in COMMANDS:
        assert f"| `{name}` |" in PAGE
