"""Code that a sandbox loads, what its functions are called with, and what comes of the calls.

Values cross the boundary encoded (as JSON, see `worker/values/grammar.py`): no object made by a candidate
is ever rebuilt on the judge's side, and no expected value ever enters a sandbox.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

Encoded: TypeAlias = Any
"""An encoded value: JSON whose lists are tagged with the exact type (`["list", 1, 2]`, `["tuple"]`, `["set", …]`)."""


class ModuleSource(Struct, frozen=True, kw_only=True):
    """A module served from memory in place of the file of that name."""

    name: str
    source: str
    path: str | None = None
    """What `__file__` says; the file of that path need not exist inside."""


class Definition(Struct, frozen=True, kw_only=True):
    """Where in its module's source the function stands that must be the one called: what is loaded is held to it."""

    line: int
    end_line: int
    holder: str | None = None
    """Type of what must stand under the name in the function's place; empty: the function; None: anything may."""


NOT_LIVE = "codeens:NotLive"
"""`Raised.type` where other code than `Program.definition` stands under the function's name."""


class Program(Struct, frozen=True, kw_only=True):
    """Code to load: where imports are found, the modules replaced, and the function to call."""

    module: str
    qualname: str
    """Dotted path inside the module; `Outer.method` and `outer.<locals>.inner` as Python writes them."""
    modules: tuple[ModuleSource, ...] = ()
    sys_path: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    """Names of the module that are the implementation's own: what becomes of them is no effect that others see."""
    definition: Definition | None = None
    variables: tuple[str, ...] = ()
    """Of the environment, that are read: calls of which the effects are looked at are also made with values in them."""


class CallInput(Struct, frozen=True, kw_only=True, dict=True):
    """The encoded arguments of one call. A method's instance is `args[0]`."""

    args: tuple[Encoded, ...] = ()
    kwargs: dict[str, Encoded] = field(default_factory=dict[str, Any])


class Returned(Struct, frozen=True, kw_only=True, tag="returned", tag_field="kind"):
    """The call returned. `args` and `kwargs` are the arguments after the call, which may have changed them.

    A mutable object that is met again, in the order of arguments, value and effects, is `["ref", label]`.
    """

    value: Encoded
    args: tuple[Encoded, ...] = ()
    kwargs: dict[str, Encoded] = field(default_factory=dict[str, Any])
    effects: dict[str, Encoded] = field(default_factory=dict[str, Any])
    """What else it left behind, by channel (`worker/effects.py`); empty where it left nothing or nobody looked."""
    unseen: tuple[str, ...] = ()
    """Channels that changed to something that has no exact encoding."""


class Raised(Struct, frozen=True, kw_only=True, tag="raised", tag_field="kind"):
    """The call, or loading the code, raised."""

    type: str
    """`ValueError` for builtins, else `module:qualname`."""
    message: str = ""
    traceback: str = ""
    """Bounded; frames of the worker left out."""
    args: tuple[Encoded, ...] = ()
    kwargs: dict[str, Encoded] = field(default_factory=dict[str, Any])
    attributes: dict[str, Encoded] = field(default_factory=dict[str, Any])
    """What callers read off the exception (`worker/failures.py` says what counts)."""
    effects: dict[str, Encoded] = field(default_factory=dict[str, Any])
    unseen: tuple[str, ...] = ()


class Unencodable(Struct, frozen=True, kw_only=True, tag="unencodable", tag_field="kind"):
    """The call returned, or left in its arguments, a value that has no exact encoding."""

    type: str
    where: str
    """`value`, or the argument's position or name."""


class TimedOut(Struct, frozen=True, kw_only=True, tag="timeout", tag_field="kind"):
    """No answer within the limit."""

    limit: Literal["wall", "cpu", "call"]
    seconds: float


class Died(Struct, frozen=True, kw_only=True, tag="died", tag_field="kind"):
    """The worker ended, or broke the protocol, instead of answering."""

    reason: Literal["exit", "signal", "memory", "answers", "output", "protocol"]
    """`output`: a script printed more than is kept, so that its whole output is unknown."""
    detail: str = ""


Outcome: TypeAlias = Returned | Raised | Unencodable | TimedOut | Died
