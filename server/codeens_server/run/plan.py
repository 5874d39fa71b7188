"""Everything that is decided before a run begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from codeens_sandbox_backends.base import Backend, SandboxSpec
from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.domain import Candidate, ModeRequest, Target
from codeens_server.errors import InputError
from codeens_server.generation.models.exchange import EditorModel
from codeens_server.run.request import RunRequest
from codeens_server.store.stored import StoredRun
from codeens_variants.manifest import Variant


class Plan(Struct, frozen=True, kw_only=True):
    """A run as it is about to be made."""

    run_id: str
    request: RunRequest
    target: Target
    models: tuple[ModelSettings, ...]
    """Those to ask."""
    reachable_models: tuple[ModelSettings, ...]
    """Those to ask and those they fall back to."""
    variants: tuple[Variant, ...]
    settings: Settings
    backend: Backend
    spec: SandboxSpec
    environ: Mapping[str, str]
    editor_model: EditorModel | None = None
    """Asks the models of the editor that the run was started from."""
    stored: StoredRun | None = None
    """The run to go on with."""
    given: tuple[Candidate, ...] | None = None
    """Candidates to judge in place of any that would be asked for or made."""
    judge_again: bool = False
    """Only judge and rank what is stored, with the inputs kept since; ask for nothing new."""


def refuse_without_model(mode: ModeRequest, target: Target, models: Sequence[ModelSettings]) -> None:
    """Refuse what offline rewrites cannot do: they change how a working function works, not what it does.

    Raises:
        InputError: there is no model, and the mode needs one.
    """
    if models or mode not in {"implement", "repair"}:
        return
    message = (
        f"offline rewrites cannot {mode} {target.qualname}, and no model can be reached. Configure a model: --model "
        "openai/NAME with OPENAI_API_KEY set, or start Ollama, or see docs/configuration.md."
    )
    raise InputError(message)
