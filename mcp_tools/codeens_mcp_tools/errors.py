"""Errors as an agent reads them: what went wrong, and what to do next. Never a traceback."""

from __future__ import annotations

import os

from codeens import CodeensError, Hint
from codeens_sandbox_backends.errors import SandboxError, SandboxUnavailable, UnknownBackend
from codeens_server.crash_log import innermost, log_crash
from codeens_server.redaction import redact
from codeens_variants.manifest import ManifestError

_MOST_TOLD = 2000
_WRITE_YOURSELF = (
    "Without a model: call generate_variants with prompts_only=true, write the candidates yourself, and call score."
)
_NAME_IT = "Name the function as path.py::function, or give its module as `code` and its name as `function`."
_SAY_WHAT_IS_RIGHT = "Say what is right: mode=repair with tests, or score with a task that has test_cases."
_BY_CODE = {
    "target": _NAME_IT,
    "syntax": "codeens works on Python alone.",
    "no_function": _NAME_IT,
    "function_not_named": "Give its name as `function`.",
    "changed": "Start a new run on the file as it is now (start_ensemble or score).",
    "evidence": _SAY_WHAT_IS_RIGHT,
    "no_evidence": _SAY_WHAT_IS_RIGHT,
    "no_body": _SAY_WHAT_IS_RIGHT,
    "nothing_generated": _WRITE_YOURSELF,
    "task_wants_script": "Write the scripts yourself, and call score with the task and candidates=[{id, source}].",
}
_OF_SANDBOXES: tuple[tuple[type[SandboxError], str], ...] = (
    (UnknownBackend, "list_backends says which there are; leave `backend` out for the default."),
    (SandboxUnavailable, "list_backends says which can be used here; the user must mend the others."),
    (SandboxError, "The sandbox failed, not the code: call again."),
)
_OPTIONS = (
    "goal",
    "effort",
    "mode",
    "models",
    "variants",
    "samples",
    "rounds",
    "tests",
    "deselect",
    "bench",
    "budget_usd",
    "budget_calls",
    "timeout_s",
)
_ARGUMENTS = {name: name for name in _OPTIONS} | {"sandbox": "backend", "python": "environments"}
"""Options of runs → what tools call them. The others are settings, which the user alone changes."""


class ToolError(CodeensError):
    """A call that cannot be answered; the message says what to do next as well."""


def error_text(error: Exception) -> str:
    """Return any error in a few sentences, without keys. An unforeseen one goes into the log, with its traceback."""
    return without_keys(_text(error))


def without_keys(text: str) -> str:
    """Return what an agent is told, without keys."""
    return redact(text, os.environ)


def _text(error: Exception) -> str:
    cause = innermost(error)
    if isinstance(cause, ToolError):
        return str(cause)[:_MOST_TOLD]
    if isinstance(cause, CodeensError):
        return " ".join(filter(None, [_sentence(str(cause)), _BY_CODE.get(cause.code) or _advice(cause.hint)]))
    if isinstance(cause, SandboxError):
        return f"{_sentence(str(cause))} {next(step for kind, step in _OF_SANDBOXES if isinstance(cause, kind))}"
    if isinstance(cause, ManifestError):
        return _sentence(str(cause))
    crash = log_crash(error)
    return f"{crash[0].upper()}{crash[1:]} Calling again will not help."


def _advice(hint: Hint | None) -> str:
    """Return a hint in the words of the tools."""
    if hint is None:
        return ""
    match hint.kind:
        case "option" if hint.name in _ARGUMENTS:
            return f"Change the argument `{_ARGUMENTS[hint.name]}`."
        case "option":
            return f"The user can change the setting {hint.name}."
        case "model":
            return _WRITE_YOURSELF
        case "runs":
            return "start_ensemble and score give ids; list_runs has all."
        case "variants":
            return "list_variants says which there are: name one, or the user enables one."
        case "fix":
            return hint.name


def _sentence(text: str) -> str:
    text = text[:_MOST_TOLD].strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
