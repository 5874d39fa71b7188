"""No answer is larger than a context window has room for, whatever is returned."""

from __future__ import annotations

import json
import random
import string
from typing import Any

import pytest

from codeens_mcp_tools.tools.fitting import MOST_TOKENS, fitted, shortened, tokens
from tests.mcp_tools.calling import Caller
from tests.mcp_tools.conftest import isolated
from tests.mcp_tools.counting import encoding

DRAW = random.Random(1)
TEXTS = {
    "numbers": json.dumps([DRAW.random() for _ in range(300)]),
    "letters": "".join(DRAW.choice(string.ascii_letters) for _ in range(3000)),
    "printable": "".join(DRAW.choice(string.printable) for _ in range(3000)),
    "pictures": "".join(chr(DRAW.randint(0x1F300, 0x1F6FF)) for _ in range(500)),
    "escapes": json.dumps("\x1b\x00" * 300),
    "prose": "The value is left out where it is large; the whole of it can be read. " * 30,
    "code": "def f(items: list[int]) -> dict[str, int]:\n    return {str(item): item for item in items}\n" * 30,
}


def test_a_text_has_no_more_tokens_than_is_reckoned() -> None:
    counted = encoding()
    for name, text in TEXTS.items():
        assert len(counted.encode(text, disallowed_special=())) <= tokens(text), name


def test_what_is_cut_is_told_with_its_size() -> None:
    document = {"rows": [{"text": "word " * 5000, "place": place} for place in range(500)], "kept": "whole"}

    cut, left_out = fitted(document, 4000)

    assert tokens(json.dumps(cut, separators=(",", ":"))) <= 4000
    assert cut["kept"] == "whole"
    assert any(part.startswith("rows: ") and part.endswith("of 500") for part in left_out)
    assert any("of 25,000 characters" in part for part in left_out)


def test_what_fits_is_left_as_it_is() -> None:
    document = {"rows": [1, 2, 3], "text": "a"}

    assert fitted(document, 4000) == (document, ())
    assert shortened("short", 100) == "short"


def test_a_long_text_keeps_its_head_and_its_end() -> None:
    text = "first\n" + "word " * 50_000 + "\nNext: go on."

    cut = shortened(text, 500)

    assert cut.startswith("first")
    assert cut.endswith("Next: go on.")
    assert "250,019 characters in all" in cut
    assert tokens(cut) <= 500


LARGE: dict[str, dict[str, Any]] = {
    "a large value": {"code": "def f(n): return list(range(n))", "calls": ["f(200000)"]},
    "many values": {"code": "def f(n): return 'x ' * 1900 + str(n)", "calls": [f"f({n})" for n in range(200)]},
    "many tracebacks": {
        "code": "def f(n): raise ValueError('word ' * 300)",
        "calls": [f"f({n})" for n in range(100)],
    },
    "much output": {"code": "print('some words ' * 20000)", "stdin": ["a"] * 10},
}


@isolated
@pytest.mark.anyio
@pytest.mark.parametrize("name", LARGE)
async def test_no_answer_of_the_sandbox_is_too_large_and_the_rest_can_be_read(caller: Caller, name: str) -> None:
    result = await caller.client.call_tool("run_in_sandbox", LARGE[name])
    structured = result.structured_content
    assert structured is not None
    text = getattr(result.content[0], "text")  # noqa: B009 # of a union, without a cast

    assert tokens(text) + tokens(json.dumps(structured, separators=(",", ":"))) <= MOST_TOKENS
    if "left_out" in structured:
        whole = await caller.resource(structured["left_out"]["whole"])
        assert structured["left_out"]["whole"] in text
        assert whole.startswith("{")
        assert "next: answer://" in whole
    else:
        assert structured["calls"][0]["value_size"] > 1_000_000
