"""What a variant is, and how it is read from a TOML or JSON file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from string import Formatter
from typing import Any, Literal, TypeAlias, cast

import msgspec
import tomli
from msgspec import Struct

Goal: TypeAlias = Literal["balanced", "correctness", "speed", "memory", "readability"]
PLACEHOLDERS = ("function", "context", "qualname", "goal", "task")
"""What a prompt may refer to in braces; `function` must be there."""
REWRITES = (
    *("ruff:PERF", "ruff:C4", "ruff:FURB", "ruff:SIM", "ruff:PIE", "ruff:RET", "ruff:UP"),
    *("memoise", "list-membership-to-set", "concatenation-to-join", "hoist-loop-invariant", "queue-to-deque"),
    *("sort-to-min-max-heapq", "manual-count-to-counter", "nested-loop-to-index"),
    *("quadratic-builtins", "pow-mod"),
    *("pairs-to-positions", "index-to-positions", "grow-in-place", "sort-to-insort"),
    *("iterrows-to-values", "concat-once", "element-loop-to-arrays"),
)
"""The offline rewrites that there are: families of ruff's fixes, and codemods."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
MOST_BYTES = 1 << 20
"""Of a manifest."""


class Variant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way to ask for another implementation."""

    name: str
    description: str
    goal: Goal = "balanced"
    prompt: str
    """Text with placeholders: {function} the code, {context} what stands around it, {qualname} its name, {goal} what
    better means, {task} what to do with it (improve, repair, implement; put last where the text does not name it).
    Braces that are meant as such are doubled."""
    temperature: float = 0.7
    top_p: float | None = None
    max_tokens: int | None = None
    """None: as the model is configured."""
    rewrites: tuple[str, ...] = ()
    """Names of offline rewrites that serve the same goal, out of `REWRITES`."""
    enabled: bool = True


# msgspec learns a type when it is first read, which two threads must not do at once.
msgspec.json.Decoder(Variant)


class ManifestError(Exception):
    """A manifest that cannot be used. The message names the file, the line and the key where they are known."""

    def __init__(self, path: Path, why: str, *, line: int | None = None) -> None:
        place = f"{path}:{line}" if line else str(path)
        super().__init__(f"{place}: {why}")
        self.path = path
        self.line = line


def load_manifest(path: Path) -> Variant:
    """Read a variant from a `.toml` or `.json` file.

    Raises:
        ManifestError: it cannot be read, or see `variant_of`.
    """
    return variant_of(path, _read(path))


def variant_of(path: Path, text: str) -> Variant:
    """Return the variant that a manifest's text describes.

    Args:
        path: what the text's file is called: by its suffix it is read, and errors name it.
        text: all of it.

    Raises:
        ManifestError: its syntax is broken, or a key is unknown, missing or of the wrong type.
    """
    document = _parse(path, text)
    for key in document:
        if key not in Variant.__struct_fields__:
            hint = _nearest(key, Variant.__struct_fields__)
            raise ManifestError(path, f"unknown key {key!r}.{hint}", line=_line_of(text, key))
    try:
        variant = msgspec.convert(document, Variant)
    except msgspec.ValidationError as error:
        key = _key_in(str(error))
        raise ManifestError(path, f"{error}.", line=_line_of(text, key)) from None
    _check_values(path, text, variant)
    return variant


def _read(path: Path) -> str:
    try:
        if not path.is_file() and path.exists():  # a pipe would be waited for
            raise ManifestError(path, "is no regular file.")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ManifestError(path, f"is larger than {MOST_BYTES} bytes, which no variant needs to be.")
        return data.decode("utf-8")
    except OSError as error:
        raise ManifestError(path, f"cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ManifestError(path, "is not UTF-8 text.") from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        document: object = json.loads(text) if path.suffix == ".json" else tomli.loads(text)
    except json.JSONDecodeError as error:
        raise ManifestError(path, f"broken JSON: {error.msg}.", line=error.lineno) from None
    except tomli.TOMLDecodeError as error:
        raise ManifestError(path, f"broken TOML: {error.msg}.", line=error.lineno) from None
    except RecursionError:
        raise ManifestError(path, "is nested too deeply.") from None
    if not isinstance(document, dict):
        raise ManifestError(path, "must be an object with the keys of a variant.")
    return cast("dict[str, Any]", document)


def _check_values(path: Path, text: str, variant: Variant) -> None:
    if not _NAME.fullmatch(variant.name):
        why = f"name {variant.name!r} must be lower-case letters, digits, - and _, beginning with a letter."
        raise ManifestError(path, why, line=_line_of(text, "name"))
    if not 0 <= variant.temperature <= 2:
        raise ManifestError(path, "temperature must be from 0 to 2.", line=_line_of(text, "temperature"))
    if variant.top_p is not None and not 0 < variant.top_p <= 1:
        raise ManifestError(path, "top_p must be more than 0 and at most 1.", line=_line_of(text, "top_p"))
    if variant.max_tokens is not None and variant.max_tokens <= 0:
        raise ManifestError(path, "max_tokens must be more than 0.", line=_line_of(text, "max_tokens"))
    for name in variant.rewrites:
        if name not in REWRITES:
            why = f"rewrites: no rewrite is called {name!r}.{_nearest(name, REWRITES)}"
            raise ManifestError(path, why, line=_line_of(text, "rewrites"))
    if why := _prompt_problem(variant.prompt):
        raise ManifestError(path, why, line=_line_of(text, "prompt"))


def _prompt_problem(prompt: str) -> str:
    try:
        fields = [field for field in Formatter().parse(prompt) if field[1] is not None]
    except ValueError as error:
        return f"prompt has a stray brace ({error}); write {{{{ and }}}} for braces."
    names = {f"{name}{form and ':' + form}{conversion or ''}" for _, name, form, conversion in fields}
    for name in sorted(names):
        if name not in PLACEHOLDERS:
            hint = _nearest(f"{{{name}}}", [f"{{{item}}}" for item in PLACEHOLDERS], quote="")
            return f"prompt refers to {{{name}}}, which is not known.{hint}"
    return "" if "function" in names else "prompt never shows the function: put {function} in it."


def _nearest(name: str, known: Iterable[str], quote: str = "'") -> str:
    """Return the known name that was probably meant, else all of them."""
    near = get_close_matches(name, list(known), n=1)
    return f" Did you mean {quote}{near[0]}{quote}?" if near else f" Known: {', '.join(known)}."


def _key_in(message: str) -> str:
    """Return the key that msgspec's message speaks of: "... - at `$.name`" or "... missing required field `name`"."""
    found = re.search(r"`\$?\.?(\w+)", message.rsplit(" - at ", 1)[-1])
    return found[1] if found else ""


def _line_of(text: str, key: str) -> int | None:
    if not key:
        return None
    pattern = re.compile(rf'^\s*["\']?{re.escape(key)}["\']?\s*[:=]')
    return next((number for number, line in enumerate(text.split("\n"), 1) if pattern.match(line)), None)
