"""What comes of it when functions that both call raise: who alone catches that hides a failure, or lets one through.

No input need make such a function raise, so for a few calls others stand in its place, in original and candidate alike:
behind the module, where they are found when they are called.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import anyio.to_thread
from msgspec import structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import CallInput, Outcome, Program, Raised, Returned
from codeens_sandbox_backends.values.outcomes import RESULT, differing
from codeens_server.domain.evidence import Case
from codeens_server.domain.target import Target
from codeens_server.judging.handlers import BROAD, Unseen
from codeens_server.syntax.parsing import ParseFailure, parse

_MOST_CALLS = 24
_LIMITS = Limits(wall_s=5.0, call_s=0.5)
_MET = "_met_failing"
_BEHIND = f"""


{_MET} = []


def _failing(*_, **__):
    {_MET}.append(1)
    raise {{kind}}.__new__({{kind}})


class _Like:
    pass


def _put_failing(names, owner, name):
    if not owner:
        names[name] = _failing
        return
    holder = eval(owner, names)
    if not isinstance(holder, type):
        fields, names[owner] = vars(holder), _Like()
        holder = names[owner]
        vars(holder).update(fields)
    setattr(holder, name, _failing)


"""


class Hidden(NamedTuple):
    """A call in which the functions named raise, and what comes of it."""

    call: CallInput
    functions: str
    kind: str
    ours: Outcome
    theirs: Outcome


class WhereHelpersRaise:
    """Original and candidate side by side."""

    def __init__(
        self, target: Target, text: str, original: Program, candidate: Program, cases: Sequence[Case], sandbox: Sandbox
    ) -> None:
        """Get ready. `text` is that of the target's file, `cases` what both did the same on."""
        self._target = target
        self._text = text
        self._original = original
        self._candidate = candidate
        calls = [case.input for case in cases if isinstance(case.expected, Returned)]
        self._calls = tuple(calls[:: max(1, len(calls) // _MOST_CALLS)][:_MOST_CALLS])
        self._sandbox = sandbox
        self.unmet: list[Unseen] = []
        """What was not met here either."""

    async def differing(self, unseen: Sequence[Unseen]) -> Hidden | None:
        """Return a call in which it shows that one of both alone catches an exception; None where there is none.

        Raises:
            SandboxError: the sandbox failed.
        """
        for each in unseen:
            is_met, hidden = await self._tried(each)
            if hidden is not None:
                return hidden
            self.unmet += [] if is_met else [each]
        return None

    async def _tried(self, unseen: Unseen) -> tuple[bool, Hidden | None]:
        helpers = await anyio.to_thread.run_sync(partial(_helpers, self._target, self._text))
        called = helpers.among(unseen.tried)
        if not called or not self._calls or not helpers.may_raise(unseen.name):
            return False, None
        behind = _BEHIND.format(kind=unseen.name) + "".join(map(_bound_anew, called))
        ours, theirs = await self._outcomes(self._original, behind), await self._outcomes(self._candidate, behind)
        both = [
            (call, here, there)
            for call, here, there in zip(self._calls, ours, theirs, strict=True)
            if self._is_met(here) and self._is_met(there)
        ]
        found = next((entry for entry in both if RESULT in differing(*entry[1:])), None)
        hidden = Hidden(found[0], ", ".join(called), unseen.name, *found[1:]) if found else None
        return bool(both), hidden

    async def _outcomes(self, program: Program, behind: str) -> tuple[Outcome, ...]:
        first, *others = program.modules
        changed = structs.replace(first, source=first.source + behind)
        asked = structs.replace(program, modules=(changed, *others))
        return (
            await self._sandbox.run(CallsJob(program=asked, inputs=self._calls, effects=True, limits=_LIMITS))
        ).outcomes

    def _is_met(self, outcome: Outcome) -> bool:
        channel = f"global {self._target.module}.{_MET}"
        return isinstance(outcome, (Returned, Raised)) and channel in outcome.effects


class _Helpers(NamedTuple):
    """What of the names of a module is called, and may raise anything: the standard library raises what it says."""

    owner: str
    """The class of the target; empty where it is in none."""
    own: str
    modules: frozenset[str]
    names: frozenset[str]
    """Of functions and classes."""
    raised: frozenset[str]
    """Names of exceptions that statements of the module raise."""

    def among(self, body: Sequence[ast.stmt]) -> list[str]:
        """Return what statements call, as dotted names of the module, each once."""
        calls = (node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Call))
        return list(dict.fromkeys(name for node in calls if (name := self._of(node.func))))

    def _of(self, function: ast.expr) -> str:
        match function:
            case ast.Name(id=name) if name in self.names and name != self.own:
                return name
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in self.modules:
                return f"{name}.{attribute}"
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attribute):
                return f"{self.owner}.{attribute}" if self.owner and attribute != self.own else ""
            case _:
                return ""

    def may_raise(self, kind: str) -> bool:
        """Whether functions of a module may well raise what an exception's name says: anything, or what it raises."""
        is_known = kind in self.names or isinstance(getattr(builtins, kind, None), type)
        return kind in BROAD or (is_known and kind in self.raised)


def _helpers(target: Target, text: str) -> _Helpers:
    tree = parse(text)
    statements = [] if isinstance(tree, ParseFailure) else tree.body
    owner, _, own = target.qualname.rpartition(".")
    modules = frozenset(name for statement in statements for name in _modules(statement))
    names = frozenset(name for statement in statements for name in _names(statement))
    raised = frozenset(name for statement in statements for name in _raised(statement))
    return _Helpers(owner, own, modules, names, raised)


def _bound_anew(name: str) -> str:
    """Return the statement that binds a function anew; one of a module in something that stands for that here."""
    owner, _, last = name.rpartition(".")
    return f"_put_failing(globals(), {owner!r}, {last!r})\n"


def _modules(statement: ast.stmt) -> Iterator[str]:
    """Yield names that are modules for certain."""
    for alias in statement.names if isinstance(statement, ast.Import) else ():
        if not _is_standard(alias.name) and "." not in (alias.asname or alias.name):
            yield alias.asname or alias.name


def _names(statement: ast.stmt) -> Iterator[str]:
    """Yield names of functions and classes that the module defines or imports."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, ast.ImportFrom) and not _is_standard(statement.module or ""):
        yield from (alias.asname or alias.name for alias in statement.names)


def _raised(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        kind = node.exc if isinstance(node, ast.Raise) else None
        kind = kind.func if isinstance(kind, ast.Call) else kind
        if isinstance(kind, ast.Name):
            yield kind.id


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names
