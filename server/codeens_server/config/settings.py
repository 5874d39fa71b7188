"""The one settings model. Sources, the first wins: options, editor, environment, workspace file, user file."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, field

from codeens_sandbox_backends.jobs import Count, Limits, Seconds
from codeens_server.domain.terms import ConditionKind, Effort, Equality, Goal

# Nothing but a bound keeps `inf` out, which TOML can write.
Dollars: TypeAlias = Annotated[float, Meta(gt=0, le=1e308)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1e308)]
Price: TypeAlias = Annotated[float, Meta(ge=0, le=1e308)]


class Weights(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shares of the score; they need not add up to 100, they are normalised."""

    correctness: Share = 40.0
    quality: Share = 25.0
    speed: Share = 20.0
    efficiency: Share = 15.0


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model as LiteLLM calls it, and what to call it with. A key is named by its environment variable only."""

    name: str
    """What results call it."""
    model: str = ""
    """LiteLLM's name (`openai/gpt-x`, `ollama_chat/qwen3`); empty: the same as `name`."""
    api_base: str | None = None
    api_key_env: str | None = None
    input_cost_per_token: Price | None = None
    output_cost_per_token: Price | None = None
    max_tokens: Count | None = None
    """Of an answer. None: 4,096, and for a model that reasons 16,384, as far as it can write so many."""
    timeout_s: Seconds = 120.0
    rpm: Count | None = None
    tpm: Count | None = None
    max_parallel: Count | None = None
    """Calls at once; None: all of a run."""
    fallbacks: tuple[str, ...] = ()
    """Names of other configured models."""
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    """More parameters of each request, as LiteLLM's `completion` takes them."""
    drop: tuple[str, ...] = ()
    """Parameters that are never sent (`temperature`, …); `system`: system messages are sent as the user's."""
    reasoning_effort: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """Sent with each request. A value `$NAME` is taken from the environment."""
    stream: bool = True
    """False: the whole answer is asked for at once."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be configured. Every field has a working default."""

    models: tuple[ModelSettings, ...] = ()
    default_models: tuple[str, ...] = ()
    """Names of the models to ask when none is named; empty: all of `models`, or those that can be reached."""
    variants: tuple[str, ...] = ()
    """Names to run; empty: all enabled ones."""
    disabled_variants: tuple[str, ...] = ()
    goal: Goal = "balanced"
    effort: Effort = "normal"
    equality: Equality = "practical"
    """On which conditions a candidate may be best that is not equal on all inputs."""
    refused_conditions: tuple[ConditionKind, ...] = ()
    """Kinds of conditions on which no candidate passes."""
    samples: Count = 1
    sandbox: str = "local"
    python: str | None = None
    """Interpreter for candidates; None: the workspace's virtual environment, else the one that runs codeens."""
    environments: tuple[str, ...] = ()
    """Interpreters in all of which a candidate must hold: paths, or versions as `3.12`; empty: `python` alone."""
    budget_usd: Dollars | None = 1.0
    budget_tokens: Count | None = None
    budget_calls: Count | None = None
    """Answers of models that are paid for; kept ones do not count."""
    timeout_s: Seconds = 600.0
    results: str | None = None
    """Folder of runs and artifacts; None: the user's data folder."""
    database_url: str | None = None
    """SQLAlchemy URL; None: SQLite in the results folder."""
    weights: dict[Goal, Weights] = field(default_factory=dict[Goal, Weights])
    """Overrides of a goal's built-in weights."""
    scorers: tuple[str, ...] = ()
    """Names of entry points of the group `codeens.scorers` to apply."""
    scorer_weights: dict[str, Share] = field(default_factory=dict[str, Share])
    """Share of a scorer beside those of `weights`; 10 where nothing is said."""
    selector: str | None = None
    """File of `codeens selector train`: of candidates that wait, the likeliest to be right is judged first."""
    limits: Limits = field(default_factory=Limits)
    deselect: tuple[str, ...] = ()
    """Tests of the workspace, or beginnings of their ids, that judge nobody."""
    max_inputs: Count = 200
    """Generated inputs per function."""
    max_mutants: Annotated[int, Meta(ge=0, le=1000)] = 40
    """Small changes of the function that the evidence is tried on; 0: none."""
    parallel: Count = 2
    """Sandboxes at work at once."""
    rewrites: Literal["auto", "always", "never"] = "auto"
    """Offline rewrites: `auto` uses them beside models for goals other than correctness, and alone without models."""
