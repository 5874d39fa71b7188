"""The one settings model. Sources, the first wins: flags, editor, environment, workspace file, user file."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from codeens_sandbox_backends.base import Limits
from codeens_server.domain import Goal


class Weights(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shares of the score; they need not add up to 100, they are normalised."""

    correctness: float = 40.0
    quality: float = 25.0
    speed: float = 20.0
    efficiency: float = 15.0


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model as LiteLLM calls it, and what to call it with. A key is named by its environment variable only."""

    name: str
    """What results call it."""
    model: str = ""
    """LiteLLM's name (`openai/gpt-x`, `ollama_chat/qwen3`); empty: the same as `name`."""
    api_base: str | None = None
    api_key_env: str | None = None
    input_cost_per_token: float | None = None
    output_cost_per_token: float | None = None
    max_tokens: int = 4096
    timeout_s: float = 120.0
    rpm: int | None = None
    tpm: int | None = None
    max_parallel: int = 8
    fallbacks: tuple[str, ...] = ()
    """Names of other configured models."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be configured. Every field has a working default."""

    models: tuple[ModelSettings, ...] = ()
    variants: tuple[str, ...] = ()
    """Names to run; empty: all enabled ones."""
    disabled_variants: tuple[str, ...] = ()
    goal: Goal = "balanced"
    samples: int = 1
    sandbox: str = "local"
    python: str | None = None
    """Interpreter for candidates; None: the workspace's virtual environment, else the one that runs codeens."""
    budget_usd: float | None = 1.0
    budget_tokens: int | None = None
    timeout_s: float = 600.0
    results: str | None = None
    """Folder of runs and artifacts; None: the user's data folder."""
    database_url: str | None = None
    """SQLAlchemy URL; None: SQLite in the results folder."""
    weights: dict[Goal, Weights] = field(default_factory=dict[Goal, Weights])
    """Overrides of a goal's built-in weights."""
    scorers: tuple[str, ...] = ()
    """Names of entry points of the group `codeens.scorers` to apply."""
    scorer_weights: dict[str, float] = field(default_factory=dict[str, float])
    """Share of a scorer beside those of `weights`; 10 where nothing is said."""
    limits: Limits = field(default_factory=Limits)
    max_inputs: int = 200
    """Generated inputs per function."""
    parallel: int = 2
    """Sandboxes at work at once."""
    rewrites: Literal["auto", "always", "never"] = "auto"
    """Offline rewrites: `auto` uses them beside models for goals other than correctness, and alone without models."""
