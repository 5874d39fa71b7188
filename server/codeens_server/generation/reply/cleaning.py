"""Take off a reply what is not its answer: thinking, marks of the chat's format, and a middle too long to read."""

from __future__ import annotations

import re
from typing import NamedTuple

_MOST_CHARACTERS = 100_000
"""Of a reply that are read: as many of its beginning as of its end. A function is never that long."""
_THOUGHTS = (
    "think|thinking|thought|thoughts|reasoning|reason|reflection|scratchpad|analysis|seed:think|internal_monologue"
)
_OPENS = re.compile(
    rf"^[ \t]*(?:<(?:{_THOUGHTS})(?:\s[^>\n]*)?>|\[THINK\]|◁think▷|<\|(?:begin_of_thought|thinking)\|>)",
    re.MULTILINE | re.IGNORECASE,
)
_ENDS = rf"(?:</(?:{_THOUGHTS})>|\[/THINK\]|◁/think▷|<\|(?:end_of_thought|/thinking)\|>)"
_NOT_QUOTED = r"(?<!['\"])(?<!(?<!`)`)"
_CLOSES = re.compile(rf"{_NOT_QUOTED}{_ENDS}(?!['\"]|`(?!`))", re.IGNORECASE)
_CLOSES_A_LINE = re.compile(rf"^[ \t]*{_ENDS}|{_NOT_QUOTED}{_ENDS}[ \t]*$", re.MULTILINE | re.IGNORECASE)
"""Without an opening before it: such a tag within a line is more likely a text that the code is about."""
_ANSWER_CHANNEL = "<|channel|>final<|message|>"
"""Of the Harmony format (https://cookbook.openai.com/articles/openai-harmony)."""
_BEGINS = re.compile(r"\A\s*(?:<s>|<\|(?:im_start|start_header_id|start|assistant)\|>(?:assistant)?)\s*")
_STOPS = re.compile(
    r"(?:<\|(?:im_end|endoftext|eot_id|end_of_text|eom_id|end_of_turn|eos|return|end)\|>|</s>|<end_of_turn>"
    r"|<\uff5cend▁of▁sentence\uff5c>|<eos>)(?=[ \t]*$|<)",
    re.MULTILINE,
)
"""Tokens by which chat templates end a turn; what a model writes after one is no part of its answer."""


class Cleaned(NamedTuple):
    """A reply without what is not its answer."""

    text: str
    thinking: str
    """What was in thinking tags, in order."""
    is_thinking_open: bool
    """Whether a thinking tag was opened and never closed."""
    receipt: tuple[str, ...]
    """What was left out, in words for people."""


def clean(reply: str) -> Cleaned:
    """Return the answer of a reply, with line feeds alone, and its thinking apart.

    A closing tag without an opening one ends thinking that began before the reply: some servers keep the opening tag.
    """
    text = reply.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").lstrip("\ufeff")
    before, channel, answer = text.rpartition(_ANSWER_CHANNEL)
    thoughts = [before] if channel else []
    text, thought, is_open = _without_thinking(_BEGINS.sub("", answer if channel else text))
    stop = _STOPS.search(text)
    if stop is not None and text[: stop.start()].strip():
        text = text[: stop.start()]
    thinking = "\n".join([*thoughts, *thought])
    receipt = (f"{len(thinking):,} characters of thinking left out",) if thinking else ()
    if len(text) > _MOST_CHARACTERS:
        receipt += (f"{len(text) - _MOST_CHARACTERS:,} characters of its middle not read",)
    return Cleaned(_both_ends(text), _both_ends(thinking), is_open, receipt)


def _without_thinking(text: str) -> tuple[str, list[str], bool]:
    kept: list[str] = []
    thoughts: list[str] = []
    while True:
        opening, closing = _OPENS.search(text), _CLOSES_A_LINE.search(text)
        if closing is not None and (opening is None or closing.start() < opening.start()):
            thoughts.append("".join(kept) + text[: closing.start()])
            kept, text = [], text[closing.end() :]
        elif opening is not None:
            kept.append(text[: opening.start()])
            end = _CLOSES.search(text, opening.end())
            if end is None:
                return "".join(kept), [*thoughts, text[opening.end() :]], True
            thoughts.append(text[opening.end() : end.start()])
            text = text[end.end() :]
        else:
            return "".join([*kept, text]), thoughts, False


def _both_ends(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS:
        return text
    half = _MOST_CHARACTERS // 2
    return f"{text[:half]}\n\n{text[-half:].partition(chr(10))[2] or text[-half:]}"
