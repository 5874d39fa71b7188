"""Tells what a change does to its functions as Markdown: what stands under a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from codeens_server.changes.checking import CheckDocument, CheckedFunction
from codeens_server.changes.improving import BetterVersion
from codeens_server.ranking.wording import interval
from codeens_server.text import one_line, plural, visible

_LONGEST = 200
_HARMLESS = re.compile(r"[^\\`*_\[\]<>|~#@&!]*")
_MOST_NAMED = 10
_LONGEST_CHANGE = 5000
"""Characters; a comment on GitHub takes 65,536 in all."""


def markdown(document: CheckDocument) -> str:
    """Return a title that says all in a sentence, a row for each function, and what was not looked at."""
    lines = [f"### codeens: {summary(document)}"]
    if document.functions:
        lines += ["", "| function | behaviour | speed |", "| --- | --- | --- |", *map(_row, document.functions)]
    for part in (list(_notes(document)), list(_better(document.better))):
        lines += ["", *part] if part else []
    return "\n".join(lines).rstrip() + "\n"


def summary(document: CheckDocument) -> str:
    """Return what the change does, in one sentence."""
    found = document.functions
    if not found:
        return "no function changes that could be held against what it was"
    counts = [
        (sum(one.behaviour == "same" for one in found), "do what they did", "does what it did"),
        (sum(one.behaviour == "differs" for one in found), "do something else", "does something else"),
        (sum(one.behaviour == "unknown" for one in found), "could not be compared", "could not be compared"),
        (sum(map(_is_faster, found)), "are faster", "is faster"),
        (sum(map(_is_slower, found)), "are slower", "is slower"),
    ]
    said = [f"{count} {several if count > 1 else single}" for count, several, single in counts if count]
    return f"{plural(len(found), 'function')} changed: {', '.join(said)}"


def _better(found: Sequence[BetterVersion]) -> Iterator[str]:
    """Yield each faster version with its change, and what came of the other functions."""
    for one in found:
        path, _, name = one.function.partition("::")
        if one.speed is None:
            yield f"- {_code(name)} ({_plain(path)}): {_plain(one.headline)}"
            continue
        ratio, ends = interval(one.speed)
        rests = f"{_plain(one.evidence)}; by {_plain(one.by)}; `codeens runs apply {one.run_id}`"
        yield f"- {_code(name)} ({_plain(path)}) **can be {ratio} faster** {ends}: {rests}"
        yield from _change(one.diff)


def _change(diff: str) -> Iterator[str]:
    """Yield a diff that can be folded, none of whose lines ends its fence; nothing of one that is too long."""
    if len(diff) > _LONGEST_CHANGE:
        return
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", diff)), default=0))
    yield from ("", "  <details><summary>the change</summary>", "", f"  {ticks}diff")
    yield from (f"  {visible(line)}" for line in diff.splitlines())
    yield from (f"  {ticks}", "", "  </details>", "")


def failing(document: CheckDocument, kinds: Sequence[str]) -> list[CheckedFunction]:
    """Return the functions that differ, are slower, or could not be compared, as far as that is asked for."""
    return [one for one in document.functions if one.behaviour in kinds or ("slower" in kinds and _is_slower(one))]


def _is_slower(one: CheckedFunction) -> bool:
    return one.speed is not None and one.speed.slower


def _is_faster(one: CheckedFunction) -> bool:
    return one.speed is not None and one.speed.faster


def _row(one: CheckedFunction) -> str:
    path, _, name = one.function.partition("::")
    return f"| {_code(name)} ({_plain(path)}:{one.line}) | {_behaviour(one)} | {_speed(one)} |"


def _behaviour(one: CheckedFunction) -> str:
    if one.behaviour == "unknown":
        return f"not compared: {_plain(one.why)}"
    if one.behaviour == "same":
        return "; ".join(filter(None, [f"the same: {_plain(one.evidence)}", _plain(one.conditions)]))
    different = one.difference
    if different is None or not (different.before or different.now):
        return f"**differs**: {_plain(one.conditions or one.why)}"
    return f"**differs** on {_code(different.call)}: was {_code(different.before)}, is {_code(different.now)}"


def _speed(one: CheckedFunction) -> str:
    speed = one.speed
    if speed is None:
        return "-"
    if speed.low == speed.ratio == speed.high:
        return "the same code"
    ratio, ends = interval(speed)
    said = (
        f"{ratio} faster"
        if speed.faster
        else f"**slower**: {ratio}"
        if speed.slower
        else f"no difference shown: {ratio}"
    )
    return "; ".join(filter(None, [f"{said} {ends}", _plain(one.growth)]))


def _notes(document: CheckDocument) -> Iterator[str]:
    if document.added:
        yield f"{plural(document.added, 'function')} new, with nothing to be held against."
    if document.left_out:
        more = len(document.left_out) - _MOST_NAMED
        named = ", ".join(map(_code, document.left_out[:_MOST_NAMED]))
        yield f"Left out, beyond the number asked for: {named}{f' and {more} more' if more > 0 else ''}."
    if any(one.behaviour == "same" for one in document.functions):
        since = document.since[:12]
        yield f"Compared with {since}. The same: on all that was tried; what none of it shows is not excluded."


def _code(text: str) -> str:
    """Return foreign text as code that cannot leave its cell."""
    line = one_line(text)
    line = line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
    ticks = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    gap = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{gap}{line}{gap}{ticks}".replace("|", "\\|")


def _plain(text: str) -> str:
    """Return words as they are where nothing in them could be markup, a link or a mention; else as code."""
    line = one_line(text)
    return line if _HARMLESS.fullmatch(line) and "//" not in line and len(line) <= _LONGEST else _code(line)
