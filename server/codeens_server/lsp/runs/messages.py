"""What commands take and answer, and what is sent about runs. The schemas are in docs/protocol.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast

import msgspec
from lsprotocol import types
from msgspec import Struct

from codeens_server.config.settings import Weights
from codeens_server.domain.document import RunDocument
from codeens_server.domain.terms import ConditionKind, Effort, Goal, ModeRequest
from codeens_server.lsp.transport.errors import ErrorReply, converted
from codeens_server.views.model import RunView

if TYPE_CHECKING:
    from codeens import RunKeywords


class _Argument(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """What is as by default is not sent."""


class RunArguments(_Argument, frozen=True, kw_only=True):
    """`codeens.run`: what the command line gives by its options. What is not given is as the settings say."""

    uri: str
    function: str | None = None
    """The function's qualified name; or give its `line`."""
    line: int | None = None
    """A line inside of the function, from 0."""
    goal: Goal | None = None
    effort: Effort | None = None
    mode: ModeRequest = "auto"
    models: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    samples: int | None = None
    rounds: int = 1
    sandbox: str | None = None
    tests: tuple[str, ...] = ()
    deselect: tuple[str, ...] = ()
    bench: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    """Interpreters in all of which a candidate must hold, paths or versions as `3.12`; empty: those of the settings."""
    budget_usd: float | None = None
    timeout_s: float | None = None
    fresh: bool = False

    def options(self) -> RunKeywords:
        """Return what is asked of the run."""
        return {
            "goal": self.goal,
            "effort": self.effort,
            "mode": self.mode,
            "models": self.models,
            "variants": self.variants,
            "samples": self.samples,
            "rounds": self.rounds,
            "sandbox": self.sandbox,
            "tests": self.tests,
            "deselect": self.deselect,
            "bench": self.bench,
            "python": self.environments,
            "budget_usd": self.budget_usd,
            "timeout_s": self.timeout_s,
            "fresh": self.fresh,
        }


class FolderArguments(_Argument, frozen=True, kw_only=True):
    """`codeens.listModels`."""

    uri: str | None = None
    """A document, in whose folder settings count; None: the first folder."""


class SlowArguments(_Argument, frozen=True, kw_only=True):
    """`codeens.findSlowFunctions`."""

    uri: str
    first_line: int | None = None
    """Only functions that begin from here on, from 0; None: all of the file."""
    last_line: int | None = None
    command: str | None = None
    """What to run: `python bench.py`, `pytest tests/test_a.py`; None: the tests that name the file's module, else the
    file itself."""


class ListArguments(_Argument, frozen=True, kw_only=True):
    """`codeens.listRuns`."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50


class RunId(_Argument, frozen=True, kw_only=True):
    """`codeens.cancel`, `codeens.showRun`."""

    run_id: str | None = None
    """None: the latest run of the session."""


class RerunArguments(_Argument, frozen=True, kw_only=True):
    """`codeens.rerun`: the same again, on the function as it is now."""

    run_id: str | None = None
    fresh: bool = False
    """Ask the models again, also what they answered before."""


class RowArguments(_Argument, frozen=True, kw_only=True):
    """`codeens.apply`, `codeens.diff`."""

    run_id: str | None = None
    candidate: str | None = None
    """The candidate's id; None: the best."""


class PinArguments(_Argument, frozen=True, kw_only=True):
    """`codeens.pinInputAsTest`."""

    run_id: str | None = None
    number: int = 1
    """Of the input on which candidates differ, as the report counts them."""
    right: int | None = None
    """The group that is right on it; None: the original, when it was improved."""


class RefuseArguments(_Argument, frozen=True, kw_only=True):
    """`codeens.refuseCondition`."""

    run_id: str | None = None
    kind: ConditionKind


class RerankArguments(_Argument, frozen=True, kw_only=True):
    """`codeens.rerank`."""

    run_id: str | None = None
    goal: Goal | None = None
    """None: that of the run."""
    weights: Weights | None = None
    """None: those that the settings say for the goal."""


class _Result(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is sent to the client; every field is."""


class Started(_Result, frozen=True, kw_only=True):
    """Of `codeens.run`, `codeens.rerun`."""

    run_id: str
    headline: str | None
    """None while the run is under way."""
    best: str | None


class Applied(_Result, frozen=True, kw_only=True):
    """Of `codeens.apply`."""

    run_id: str
    candidate: str


class CandidateDiff(_Result, frozen=True, kw_only=True):
    """Of `codeens.diff`."""

    run_id: str
    candidate: str
    uri: str
    diff: str
    """Unified."""
    before: str
    """The whole document."""
    after: str
    conditions: str = ""
    """On what the candidate passes, for the title of the diff; empty where on none."""
    rejected: str = ""
    """Why it cannot be applied; empty where it can."""
    counterexample: str = ""
    """The smallest input known on which a rejected one is wrong, with what it does and what it must do."""


class ShownRun(_Result, frozen=True, kw_only=True):
    """Of `codeens.showRun`."""

    uri: str
    run: RunDocument
    view: RunView
    report: str
    """Markdown."""


class RefusedKind(_Result, frozen=True, kw_only=True):
    """Of `codeens.refuseCondition`."""

    run_id: str
    uri: str
    """Of the settings that say so now."""


class Reranked(_Result, frozen=True, kw_only=True):
    """Of `codeens.rerank`."""

    uri: str
    weights: Weights
    """By which the rows of the view are in order."""
    by: Goal | Literal["custom"]
    """What they are called: the goal, while they are those that it has by itself."""
    view: RunView


class AppliedPlace(_Result, frozen=True, kw_only=True):
    """Of `codeens.applied`, where a proven candidate stands in its document."""

    uri: str
    line: int
    """Its first line, from 0."""
    end_line: int
    """Its last line."""
    text: str
    """What its proof is."""


class SlowPlace(_Result, frozen=True, kw_only=True):
    """A function of a file that a program's time goes into."""

    uri: str
    function: str
    line: int
    """Its first line, from 0."""
    text: str
    """How much of the time."""


class SlowPlaces(_Result, frozen=True, kw_only=True):
    """Of `codeens.findSlowFunctions`: those that can be improved, the most worthwhile first."""

    program: str
    """What was run."""
    ended: str
    """How it ended, where not by itself, and what of it could not be seen."""
    functions: tuple[SlowPlace, ...]


class KnownRun(_Result, frozen=True, kw_only=True):
    """One that the store has."""

    run_id: str
    function: str
    """Its qualified name."""
    file: str
    """Its path in the first folder."""
    time: str
    """When it began, as ISO 8601 writes it."""
    goal: Goal
    result: str
    ended: bool


class KnownRuns(_Result, frozen=True, kw_only=True):
    """Of `codeens.listRuns`."""

    runs: tuple[KnownRun, ...]


class KnownModel(_Result, frozen=True, kw_only=True):
    """One that a run can ask, by its name."""

    name: str
    group: Literal["configured", "local", "provider"]
    """Of the settings, of a server on this machine, or the usual one of a provider."""
    detail: str
    is_chosen: bool
    """It is asked when none is named."""
    lacks_key: bool
    setting: dict[str, Any] | None = None
    """As `codeens.models` has it; none is needed for a provider's."""


class KnownModels(_Result, frozen=True, kw_only=True):
    """Of `codeens.listModels`."""

    models: tuple[KnownModel, ...]
    goal: Goal
    """By which runs rank when none is named."""


class PinnedTest(_Result, frozen=True, kw_only=True):
    """Of `codeens.pinInputAsTest`."""

    run_id: str
    uri: str
    test: str
    """What was added to the file."""


class RunChanged(_Result, frozen=True, kw_only=True):
    """`codeens/didChangeRun`: the run as it is shown now."""

    uri: str
    view: RunView
    spent: str
    """What the session's runs have cost so far."""
    time: str = ""
    """How long it has been under way, and about how long it still takes."""
    replaces: str = ""
    """The id under which the run waited for others, which it is no longer shown by."""


T = TypeVar("T")


def read(params: types.ExecuteCommandParams, kind: type[T]) -> T:
    """Return the argument of a command.

    Raises:
        ErrorReply: it is not what the command takes.
    """
    given: list[Any] = list(params.arguments or ())
    if len(given) > 1:
        raise _wrong(params, f"one object is taken, not {len(given)} arguments")
    try:
        return converted(given[0] if given and given[0] is not None else {}, kind)
    except ErrorReply as refusal:
        raise _wrong(params, str(refusal)) from None


def command(title: str, name: str, argument: Struct) -> types.Command:
    """Return a command as a client is given it, to send it back."""
    return types.Command(title=title, command=name, arguments=[written(argument)])


def written(message: Struct) -> dict[str, Any]:
    """Return an argument or a result as JSON values."""
    return cast("dict[str, Any]", msgspec.to_builtins(message))


def _wrong(params: types.ExecuteCommandParams, why: str) -> ErrorReply:
    return ErrorReply(types.ErrorCodes.InvalidParams, f"{params.command}: {why}. See docs/protocol.md.")
