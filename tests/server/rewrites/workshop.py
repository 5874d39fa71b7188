"""Rewrites a piece of source by named rules, and runs what comes out beside the original."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from codeens_server.domain.target import Candidate, Target
from codeens_server.generation.rewrites.offline import offline_candidates
from codeens_server.workspace.edit import splice
from codeens_server.workspace.find import find_target
from codeens_variants.manifest import Variant

FILE = "module.py"
Call: TypeAlias = tuple[Any, ...]
"""Positional arguments."""


def variant(*rules: str, name: str = "plain") -> Variant:
    return Variant(name=name, description="for a test", prompt="{function}", rewrites=rules)


def target_in(folder: Path, source: str, name: str) -> Target:
    """The target in a file of this text."""
    folder.joinpath(FILE).write_text(source, encoding="utf-8", newline="")
    return find_target(f"{FILE}::{name}", cwd=folder)


def candidates(folder: Path, source: str, name: str, *variants: Variant) -> list[Candidate]:
    return offline_candidates(target_in(folder, source, name), source, variants)


def function(signature: str, *parts: str) -> str:
    """The text of a function whose body is these parts."""
    body = "\n".join(textwrap.dedent(part).strip("\n") for part in parts)
    return f"def {signature}:\n{textwrap.indent(body, '    ')}\n"


def rewritten(folder: Path, rule: str, source: str, name: str = "f") -> str | None:
    """The whole file after one rule on one function; None where the rule does not apply."""
    text = textwrap.dedent(source).lstrip("\n")
    found = candidates(folder, text, name, variant(rule))
    assert len(found) <= 1
    if not found:
        return None
    return splice(text, target_in(folder, text, name), found[0].replacement)


def check_equal(before: str, after: str, calls: Iterable[Call], name: str = "f") -> None:
    """Assert that both texts do the same on these arguments: result, its type, exception type, changed arguments."""
    old, new = defined(textwrap.dedent(before), name), defined(after, name)
    for arguments in calls:
        assert outcome(new, arguments) == outcome(old, arguments), f"on {arguments!r}:\n{after}"


def defined(source: str, name: str) -> Any:
    """The function (or `Class.method`) that a text defines."""
    space: dict[str, Any] = {"__name__": "module"}
    exec(compile(source, FILE, "exec"), space)
    first, *rest = name.split(".")
    found = space[first]
    for part in rest:
        found = getattr(found, part)
    return found


def outcome(function: Any, arguments: Call) -> tuple[Any, ...]:
    own = copy.deepcopy(arguments)
    try:
        result = function(*own)
    except Exception as error:  # noqa: BLE001 - whatever the code under test raises is its outcome
        return type(error), own
    return repr(result), own
