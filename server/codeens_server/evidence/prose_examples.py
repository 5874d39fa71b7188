"""Examples that a docstring gives in prose: `f(1) == 2`, `f(1) ➞ 2`, `f(1) => 2`, `f(1) # => 2`, "f(1) returns 2",
"For n = 1 the output should be 2", "Input: n = 1, Output: 2".

Read conservatively: what stands after the sign must be a whole literal, and what follows it must not go on computing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.sample import kind_of
from codeens_server.domain.target import Target
from codeens_server.evidence.literal_calls import NotLiteral, expression, literal, literal_call

_SIGN = re.compile(
    r"`{0,2}\s*(?:#\s*)?(?P<sign>={1,2}>|-{1,2}>|➞|→|⇒|⟶|==|=(?!=)|(?:should|must|will)\s+return\b|returns\b|gives\b)\s*`{0,2}"
)
_END = re.compile(r"`{0,2}\s*(?:$|\n|[.,;:](?:\s|$)|#|\(|(?:and|because|since|as|for|but)\b)")
_WORDS = re.compile(r"(?P<word>true|false|null|none)\b")
_PYTHON_WORDS = {"true": True, "false": False, "null": None, "none": None}
_GIVEN = re.compile(r"(?:\bInput\s*:|\b(?:For|With|If|Given|When)\b)\s*`{0,2}(?=\w+\s*=)", re.IGNORECASE)
_ASSIGNED = re.compile(r"(?P<name>\w+)\s*=(?!=)\s*")
_BETWEEN = re.compile(r"`{0,2}\s*(?:,|;|\band\b|\n)\s*`{0,2}(?=\w+\s*=(?!=))")
_OUTPUT = re.compile(
    r"`{0,2}[\s,.;:]*(?:then\s+)?(?:"
    r"(?:Output|Result|Answer|Expected)\s*(?::|=|is\b)"
    r"|(?:the|its)\s+(?:output|result|answer|return value)\s+(?:should|must|will)?\s*(?:be|is)\b"
    r"|(?:it|the function)?\s*(?:should\s+|must\s+|will\s+)?returns?\b"
    r")\s*`{0,2}",
    re.IGNORECASE,
)
_LONGEST_CALL = 2_000
_LONGEST_WANT = 1_000
_MOST_PARENTHESES = 40
_MOST_CALLS = 100


class ProseExample(NamedTuple):
    """One example and the line of the docstring that it is on; 1-based."""

    line: int
    input: CallInput
    want: Encoded


def prose_examples(text: str, target: Target, instance: Encoded = None) -> list[ProseExample]:
    """Return the examples in a text, `>>>` lines left out; none where the signs contradict each other."""
    examples = [*_candidates(text, target, instance), *_by_names(text, target)]
    found = [(example, sign) for example, sign in examples if not _is_prompt(text, example.line)]
    kinds_after_equals = {kind_of(example.want) for example, sign in found if sign == "="}
    equals_is_prose = len(kinds_after_equals) > 1
    return [example for example, sign in found if not (equals_is_prose and sign == "=")]


def _is_prompt(text: str, line: int) -> bool:
    return text.splitlines()[line - 1].lstrip().startswith((">>>", "..."))


def _candidates(text: str, target: Target, instance: Encoded) -> Iterator[tuple[ProseExample, str]]:
    owner, _, name = map(re.escape, target.qualname.rpartition("."))
    for match in islice(re.finditer(rf"(?<![\w.])(?:{owner}\(\)\.)?{name}\s?\(", text), _MOST_CALLS):
        try:
            call, after = _call_at(text, match.start(), target, instance)
            sign = _SIGN.match(text, after)
            if sign:
                line = text.count("\n", 0, match.start()) + 1
                yield ProseExample(line, call, _want_at(text, sign.end())), sign["sign"]
        except NotLiteral:
            continue


def _by_names(text: str, target: Target) -> Iterator[tuple[ProseExample, str]]:
    """Yield what "For n = 1 the output should be 2" says, where every parameter that must be given is."""
    names = {parameter.name for parameter in target.parameters}
    required = {parameter.name for parameter in target.parameters if not parameter.has_default}
    for match in islice(re.finditer(_GIVEN, text), _MOST_CALLS):
        try:
            values, after = _values_at(text, match.end())
            sign = _OUTPUT.match(text, after)
            if sign and required <= values.keys() <= names:
                line = text.count("\n", 0, match.start()) + 1
                args = tuple(values[item.name] for item in target.parameters if item.name in values)
                in_order = all(item.kind in {"positional", "normal"} for item in target.parameters[: len(args)])
                given = CallInput(args=args) if in_order and len(values) == len(names) else CallInput(kwargs=values)
                yield ProseExample(line, given, _want_at(text, sign.end())), "for"
        except NotLiteral:
            continue


def _values_at(text: str, start: int) -> tuple[dict[str, Encoded], int]:
    """Return the values in `a = 1, b = [2]`, and where they end."""
    values: dict[str, Encoded] = {}
    while assigned := _ASSIGNED.match(text, start):
        value, end = _literal_at(text, assigned.end())
        values[assigned["name"]] = value
        between = _BETWEEN.match(text, end)
        if between is None:
            return values, end
        start = between.end()
    message = "no values"
    raise NotLiteral(message)


def _literal_at(text: str, start: int) -> tuple[Encoded, int]:
    line = text[start : start + _LONGEST_WANT].split("\n", 1)[0]
    for end in range(1, len(line) + 1):
        # The shortest that is whole and is followed by what can follow a value: a list holds commas, too.
        if end == len(line) or line[end] in " ,;.`:":
            try:
                value = literal(line[:end])
            except NotLiteral:
                continue
            if not (end + 1 < len(line) and line[end] == "." and line[end + 1].isdigit()):
                return value, start + end
    message = "no literal is given"
    raise NotLiteral(message)


def _call_at(text: str, start: int, target: Target, instance: Encoded) -> tuple[CallInput, int]:
    """Return the call that begins at `start`, and where it ends: at the first parenthesis that makes it one."""
    closing = re.finditer(r"\)", text[start : start + _LONGEST_CALL])
    for _, found in zip(range(_MOST_PARENTHESES), closing, strict=False):
        end = start + found.end()
        try:
            node = expression(text[start:end])
        except NotLiteral:
            continue
        return literal_call(node, target, instance), end
    message = "the call does not end"
    raise NotLiteral(message)


def _want_at(text: str, start: int) -> Encoded:
    """Return the longest literal that begins at `start` and ends on a line's text."""
    if word := _WORDS.match(text, start):
        return _PYTHON_WORDS[word["word"]]
    rest = text[start : start + _LONGEST_WANT]
    line = rest.split("\n", 1)[0]
    for end in range(len(line), 0, -1):
        if line[end - 1] in " \t.,;:" or not _END.match(rest, end):
            continue
        try:
            want = literal(line[:end])
        except NotLiteral:
            continue
        if line.startswith("(") and kind_of(want) != "tuple":
            break
        return want
    message = "no literal is wanted"
    raise NotLiteral(message)
