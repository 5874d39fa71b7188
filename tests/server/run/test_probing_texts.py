"""Inputs that tell readers of texts apart, in a real sandbox."""

from __future__ import annotations

import pytest

from tests.server.run.conftest import Look

pytestmark = pytest.mark.anyio
LINES = """import json


def f(text: str) -> list:
    return [json.loads(line) for line in text.split("\\n") if line.strip()]
"""
DURATION = '''import re


def f(text: str) -> int:
    """Read minutes.

    >>> f("1h30m")
    90
    """
    match = re.fullmatch(r"(\\d+)h(\\d+)m", text)
    if not match:
        raise ValueError(text)
    return int(match[1]) * 60 + int(match[2])
'''
PAIRS = """def f(text: str) -> dict[str, str]:
    found = {}
    for part in text.split(";"):
        key, sign, value = part.partition("=")
        if sign:
            found[key] = value
    return found
"""
TIME = """from datetime import datetime


def f(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%d/%m/%Y")
    except ValueError:
        return None
"""
NEWER = """def f(one: str, other: str) -> bool:
    return [int(part) for part in one.split(".")] > [int(part) for part in other.split(".")]
"""
PADDED = """def f(one, other):
    ours, theirs = ([int(part) for part in text.split(".")] for text in (one, other))
    longest = max(len(ours), len(theirs))
    return ours + [0] * (longest - len(ours)) > theirs + [0] * (longest - len(theirs))
"""
FILL_IN = """import re


def f(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\\{(\\w+)\\}", lambda match: values.get(match[1], match[0]), text)
"""
REPLACED = """def f(text, values):
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text
"""
SECTIONS = """def f(text: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in text.split("\\n"):
        if line.startswith("[") and line.endswith("]"):
            section = found.setdefault(line[1:-1], {})
        elif "=" in line:
            key, _, value = line.partition("=")
            section[key] = value
    return found
"""
READERS = {
    "a text with one part more than the other": (NEWER, PADDED),
    "a name that stands for another name": (FILL_IN, REPLACED),
    "ends of lines inside a text of the format that is read": (LINES, LINES.replace(r'split("\n")', "splitlines()")),
    "digits of other scripts in a text of the form of a pattern": (DURATION, DURATION.replace(r"\d", "[0-9]")),
    "a second part under the same key": (
        PAIRS,
        PAIRS.replace("found[key] = value", "found.pop(key, None)\n            found[key] = value"),
    ),
    "numbers that a format has no word for": (
        "import json\n\n\ndef f(data: dict) -> str:\n    return json.dumps(data)\n",
        "def f(data):\n    return json.dumps(data, allow_nan=False)\n",
    ),
    "a section that is there again": (
        SECTIONS,
        SECTIONS.replace("= found.setdefault(line[1:-1], {})", "= found[line[1:-1]] = {}"),
    ),
    "letters that are the same in another case": (
        "def f(text: str) -> bool:\n    return text.lower() == text[::-1].lower()\n",
        "def f(text):\n    return text == text[::-1]\n",
    ),
    "a time as its format has it": (TIME, TIME.replace("%d/%m/%Y", "%m/%d/%Y")),
}


@pytest.mark.parametrize("kind", READERS)
async def test_texts_of_each_kind_tell_readers_apart(verdict_of: Look, kind: str) -> None:
    original, other = READERS[kind]
    verdict = await verdict_of(original, other.partition("\n\n\n")[2] or other)
    assert verdict.status not in {"passed", "conditional"}


async def test_readers_that_do_the_same_pass(verdict_of: Look) -> None:
    other = PAIRS.replace('key, sign, value = part.partition("=")', 'key, *value = part.split("=", 1)')
    other = other.replace("if sign", "if value").replace("= value", "= value[0]")
    assert (await verdict_of(PAIRS, other)).status == "passed"
