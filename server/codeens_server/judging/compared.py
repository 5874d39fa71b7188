"""Says in words what a candidate was held to, and what could not be looked at."""

from __future__ import annotations

from collections.abc import Iterable

from codeens_sandbox_backends.programs import Encoded, Raised, Returned
from codeens_sandbox_backends.values.check import open_node
from codeens_sandbox_backends.values.outcomes import EFFECTS, IDENTITY, ITEMS, ORDER
from codeens_sandbox_backends.values.render import channel_words
from codeens_sandbox_backends.worker.values.callbacks import CALLBACKS
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.judging.replay import proves_something

_VARIABLES = ("global ", "class ", "closure ", "default ", "attributes ", "own attribute", "inside ")
_USUAL = (("no printed text", "stdout"), ("no module variables", _VARIABLES), ("no files", "files"))
_FURTHER = {
    "again",
    "after another",
    "kept",
    "held",
    "memory",
    "replaced",
    "rebound",
    "left early",
    "thrown into",
    "handled",
    "re-entered",
    "of subclasses",
    "keeps subclass",
    "elsewhere",
    "with variables",
}
"""Looked at on every call, and seldom there."""
_MOST_NAMED = 3
_UNRECORDED = "no exact encoding: "
_CALLBACKS = frozenset(kind.tag for kind in CALLBACKS)
_FUNCTIONS = frozenset({"function", "builtin_function_or_method", "method", "functools:partial"})


def what_is_compared(evidence: Evidence) -> tuple[str, ...]:
    """Return what each call with a known outcome was held to: "result", "2 arguments", "printed text", "no files"."""
    cases = _known(evidence)
    if not cases:
        return ()
    whole = [case for case in cases if not case.value_only]
    free = sum(ITEMS in case.uncompared for case in cases)
    said = [f"result (on {_counted(free, 'input')} in any order)" if free else "result"]
    if arguments := max((len(case.input.args) + len(case.input.kwargs) for case in whole), default=0):
        said.append(_counted(arguments, "argument"))
    if not any(EFFECTS not in case.uncompared for case in whole):
        return tuple(said)
    channels = {channel for case in whole for channel in _effects(case)} - _FURTHER
    variables = [channel for channel in channels if channel.startswith(_VARIABLES)]
    others = sorted(channel_words(channel) for channel in channels.difference(variables))
    missing = [words for words, there in _USUAL if not any(channel.startswith(there) for channel in channels)]
    return (*said, *others, *([_counted(len(variables), "module variable")] if variables else []), *missing)


def what_is_not(evidence: Evidence) -> tuple[str, ...]:
    """Return what a candidate could do otherwise unseen: "printed text (differs between runs of the original)"."""
    cases = [case for case in _known(evidence) if not case.value_only]
    differing = {what for case in cases for what in case.uncompared} - {ORDER, IDENTITY, EFFECTS, ITEMS}
    unlooked = [f"{EFFECTS} of recorded calls"] if any(EFFECTS in case.uncompared for case in cases) else []
    return (
        *_named(
            sorted(map(channel_words, differing)), "differs between runs of the original, or has no exact encoding"
        ),
        *_named(map(channel_words, evidence.too_large), "too large to be looked at after each call"),
        *unlooked,
        *_named(_called(evidence), "is called, and how is not recorded"),
    )


def _called(evidence: Evidence) -> list[str]:
    """Return the types of what tests gave to be called, where no case has a function that notes its calls."""
    types = [
        name
        for excluded in evidence.excluded
        if excluded.why.startswith(_UNRECORDED)
        for name in excluded.why.removeprefix(_UNRECORDED).split(", ")
    ]
    noted = any(
        _has_callback(value) for case in evidence.cases for value in (*case.input.args, *case.input.kwargs.values())
    )
    return [name for name in types if name.startswith("unittest.mock:") or (name in _FUNCTIONS and not noted)]


def _has_callback(value: Encoded) -> bool:
    todo = [value]
    while todo:
        node = open_node(todo.pop())
        if node.tag in _CALLBACKS:
            return True
        todo += node.children
    return False


def _known(evidence: Evidence) -> list[Case]:
    return [case for case in evidence.cases if case.expected is not None and proves_something(case.expected)]


def _effects(case: Case) -> set[str]:
    left = case.expected.effects if isinstance(case.expected, (Returned, Raised)) else {}
    return set() if EFFECTS in case.uncompared else left.keys() - set(case.uncompared)


def _named(names: Iterable[str], why: str) -> list[str]:
    every = list(names)
    more = [f"{len(every) - _MOST_NAMED} more"] if len(every) > _MOST_NAMED else []
    return [f"{', '.join([*every[:_MOST_NAMED], *more])} ({why})"] if every else []


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
