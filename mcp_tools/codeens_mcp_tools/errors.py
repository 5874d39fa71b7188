"""Errors as an agent reads them: what went wrong, and what to do next. Never a traceback."""

from __future__ import annotations

import msgspec

from codeens_sandbox_backends.errors import SandboxError, SandboxUnavailable, UnknownBackend
from codeens_server.crash_log import innermost, log_crash
from codeens_server.errors import ChangedError, CodeensError, EvidenceError, NothingGenerated, TargetError
from codeens_variants.manifest import ManifestError

_MOST_TOLD = 2000
_WRITE_YOURSELF = (
    "Without a model: call generate_variants with prompts_only=true, write the candidates yourself, and call score."
)
_NEXT: tuple[tuple[type[Exception], str], ...] = (
    (TargetError, "Name the function as path.py::function, or give its module as `code` and its name as `function`."),
    (ChangedError, "Start a new run on the file as it is now (start_ensemble or score)."),
    (EvidenceError, "Say what is right: mode=repair with tests, or score with a task that has test_cases."),
    (NothingGenerated, _WRITE_YOURSELF),
    (UnknownBackend, "list_backends says which there are; leave `backend` out for the default."),
    (SandboxUnavailable, "list_backends says which can be used here; the user must mend the others."),
    (SandboxError, "The sandbox failed, not the code: call again."),
)


class ToolError(CodeensError):
    """A call that cannot be answered; the message says what to do next as well."""


def error_text(error: Exception) -> str:
    """Any error in a few sentences. One that nobody foresaw goes into the log, with its traceback."""
    cause = innermost(error)
    if isinstance(cause, ToolError):
        return str(cause)[:_MOST_TOLD]
    if isinstance(cause, msgspec.ValidationError):
        return f"The arguments are wrong: {cause}. Look at the tool's input schema and call again."[:_MOST_TOLD]
    if isinstance(cause, (CodeensError, SandboxError, ManifestError)):
        return " ".join(filter(None, [_sentence(str(cause)), _next_step(cause)]))
    crash = log_crash(error)
    return f"{crash[0].upper()}{crash[1:]} Calling again will not help."


def _next_step(error: BaseException) -> str:
    if "no model can be reached" in str(error):
        return _WRITE_YOURSELF
    return next((step for kind, step in _NEXT if isinstance(error, kind)), "")


def _sentence(text: str) -> str:
    text = text[:_MOST_TOLD].strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
