"""The argument of each command: one object. Their schemas are in docs/protocol.md."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec
from lsprotocol import types
from msgspec import Struct

from codeens_server.config.settings import Weights
from codeens_server.domain import Goal, ModeRequest
from codeens_server.lsp.transport.errors import ErrorReply, converted


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
    mode: ModeRequest = "auto"
    models: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    samples: int | None = None
    rounds: int = 1
    sandbox: str | None = None
    tests: tuple[str, ...] = ()
    budget_usd: float | None = None
    timeout_s: float | None = None
    fresh: bool = False


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


class RerankArguments(_Argument, frozen=True, kw_only=True):
    """`codeens.rerank`."""

    run_id: str | None = None
    goal: Goal | None = None
    """None: that of the run."""
    weights: Weights | None = None
    """None: those that the settings say for the goal."""


T = TypeVar("T")


def read(params: types.ExecuteCommandParams, kind: type[T]) -> T:
    """The argument of a command.

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
    """A command as a client is given it, to send it back."""
    return types.Command(title=title, command=name, arguments=[written(argument)])


def written(argument: Struct) -> dict[str, Any]:
    """An argument as it is sent."""
    return cast("dict[str, Any]", msgspec.to_builtins(argument))


def _wrong(params: types.ExecuteCommandParams, why: str) -> ErrorReply:
    return ErrorReply(types.ErrorCodes.InvalidParams, f"{params.command}: {why}. See docs/protocol.md.")
