"""Errors of the server, each with the sentence that a person reads.

CodeensError
├── InputError              the request was wrong: exit code 2, nothing was written
│   ├── TargetError         the function can not be found or is of an unsupported kind
│   ├── ConfigError         a settings file, manifest or task file is broken (file, line, key)
│   ├── EvidenceError       the evidence forbids this mode (tests fail before any change)
│   └── ChangedError        the file is not what it was when the run began
└── RunError                the run could not be completed: exit code 1
    └── NothingGenerated    no model and no rewrite produced a candidate
`SandboxError` (codeens_sandbox_backends.errors) stays its own tree: it never speaks of a candidate.
"""

from __future__ import annotations

from difflib import get_close_matches


class CodeensError(Exception):
    """Base of all errors that are meant for a person."""


class InputError(CodeensError):
    """The request was wrong; the message names the fix."""


class TargetError(InputError):
    """The target can not be found, or can not be replaced."""


class ConfigError(InputError):
    """A file that configures codeens is broken."""


class EvidenceError(InputError):
    """The evidence found forbids the mode that was asked for."""


class ChangedError(InputError):
    """What is to be edited has changed since the run."""


class RunError(CodeensError):
    """The run could not be completed."""


class NothingGenerated(RunError):
    """Every source of candidates came back with nothing."""


def unknown(kind: str, name: str, known: list[str]) -> str:
    """The message for a name that does not exist, with the nearest that does."""
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"no {kind} is called {name!r}.{hint} Known: {', '.join(sorted(known)) or 'none'}."
