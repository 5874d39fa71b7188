"""Errors of the server, each with the sentence that a person reads.

CodeensError
├── InputError              the request was wrong: exit code 2, nothing was written
│   ├── TargetError         the function cannot be found or is of an unsupported kind
│   ├── ConfigError         a settings file, manifest or task file is broken (file, line, key)
│   ├── EvidenceError       the evidence forbids this mode (tests fail before any change)
│   └── ChangedError        the file is not what it was when the run began
└── RunError                the run could not be completed: exit code 1
    └── NothingGenerated    no model and no rewrite produced a candidate
`SandboxError` (codeens_sandbox_backends.errors) stays its own tree: it never speaks of a candidate.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal, TypeAlias

from msgspec import Struct

HintKind: TypeAlias = Literal["option", "model", "runs", "variants", "fix"]


class Hint(Struct, frozen=True):
    """What a person can do about an error. Each door says it in its own words: a flag, a setting, a tool's argument.

    `option`: change the run option of that name. `model`: configure a model. `runs`: look at the list of runs.
    `variants`: enable a variant, or name one. `fix`: `name` is the advice itself, which holds at every door.
    """

    kind: HintKind
    name: str = ""


class CodeensError(Exception):
    """Base of all errors that are meant for a person; the message names no flag, setting or tool."""

    code: str = "error"
    """Stable and machine-readable; each class has its own, and a raise may be more precise."""

    def __init__(self, message: str, *, code: str | None = None, hint: Hint | None = None) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.hint = hint


class InputError(CodeensError):
    """The request was wrong; the message names the fix."""

    code = "input"


class TargetError(InputError):
    """The target cannot be found, or cannot be replaced."""

    code = "target"


class ConfigError(InputError):
    """A file that configures codeens is broken."""

    code = "config"


class EvidenceError(InputError):
    """The evidence found forbids the mode that was asked for."""

    code = "evidence"


class ChangedError(InputError):
    """What is to be edited has changed since the run."""

    code = "changed"


class RunError(CodeensError):
    """The run could not be completed."""

    code = "run"


class NothingGenerated(RunError):
    """Every source of candidates came back with nothing."""

    code = "nothing_generated"


def unknown(kind: str, name: str, known: list[str]) -> str:
    """The message for a name that does not exist, with the nearest that does."""
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"no {kind} is called {name!r}.{hint} Known: {', '.join(sorted(known)) or 'none'}."
