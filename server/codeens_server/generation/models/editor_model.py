"""The model of the editor that codeens is used from: asked through the editor, without a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from codeens_server.config.settings import ModelSettings
from codeens_server.generation.models.exchange import Message, Reply, Sampling

NAME = "editor"
"""What results call it. `editor/NAME` is one of several that an editor may have."""


class EditorModel(Protocol):
    """Asks the editor's model."""

    async def __call__(self, name: str, messages: Sequence[Message], sampling: Sampling) -> Reply:
        """One answer, of the model called `name`.

        Raises:
            ModelError: the editor has none, its user does not allow it, or it failed.
        """
        ...


def is_editor_model(name: str) -> bool:
    """Whether a model's name means one of the editor's."""
    return name == NAME or name.startswith(f"{NAME}/")


def editor_settings(name: str = NAME) -> ModelSettings:
    """How one of the editor's models is asked: not many at a time, and without a price of its own."""
    return ModelSettings(name=name, model=name, input_cost_per_token=0.0, output_cost_per_token=0.0, max_parallel=4)
