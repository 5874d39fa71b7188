"""The original as oracle: what it does on an input, twice the same, is what candidates must do.

The second time is a fresh process with another hash seed, and the inputs in reverse: what depends on the order of sets,
on chance, on the clock or on earlier calls shows.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import anyio.to_thread
import msgspec
from msgspec import Struct, structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Limits
from codeens_sandbox_backends.programs import CallInput, Died, Outcome, Program, Raised, Returned, TimedOut, Unencodable
from codeens_sandbox_backends.values.check import SCALAR, open_node
from codeens_sandbox_backends.values.outcomes import (
    ARGUMENTS,
    EFFECTS,
    ITEMS,
    RESULT,
    differing,
    same_in_any_order,
    same_outcome,
)
from codeens_sandbox_backends.values.render import render_outcome
from codeens_server.domain.evidence import Case, Excluded
from codeens_server.domain.terms import CaseOrigin
from codeens_server.errors import EvidenceError, Hint
from codeens_server.evidence.assess import EXIT, is_refused
from codeens_server.syntax.parsing import ParseFailure, parse

_FIRST_PER_JOB = 8
"""Doubled from job to job: what hangs on small inputs shall not be tried on many."""
_MORE_TIMES = 6
_DIFFERS = "differs between runs of the original"
_SHARE_OF_WALL = 0.4
"""Of the wall seconds of a job: a candidate gets all kept inputs in one job and may be slower than the original."""
_GENERATED_CALL_S = 0.5
"""For a generated input; longer ones are of no use for timing either."""
_SHORTEST_JOB_S = 1.0
_LARGEST_OUTCOMES = 4_000_000
"""Bytes of JSON that generated inputs may bring together: every candidate's outcomes are compared with them."""
_LARGE_OUTCOME = 60_000
"""Bytes of JSON beyond which one of them is set aside where another one brings far less from an input of nearly the
size: a count that makes a list as long tells no more than a smaller one.
"""
_FAR_MORE = 50
_TOO_MUCH = "far more comes out than of other inputs"
_TOO_SLOW = "the original takes too long"
_ENDS = "the original's process ends"
COSTLY = frozenset({_TOO_MUCH, _TOO_SLOW, _ENDS})
"""Why inputs were set aside that are better not tried again."""
_FAIR_SHARE = 0.3
_OUT_OF_RESOURCES = frozenset({"RecursionError", "MemoryError"})
_WRONG_TYPES = frozenset({"TypeError", "AttributeError"})


class CandidateInput(Struct, frozen=True, kw_only=True):
    """An input to put to the original; `known` is what is said to come out, and where that is said is the origin."""

    origin: CaseOrigin
    input: CallInput
    label: str
    known: Outcome | None = None


class OracleAnswers(Struct, frozen=True, kw_only=True):
    """The inputs that are evidence, with what the original does on them, and what was set aside."""

    cases: tuple[Case, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    refused: int = 0
    """Calls that failed for want of what the sandbox does not give."""
    variables: tuple[str, ...] = ()
    """Variables that were looked at after each call, as channels of effects."""
    too_large: tuple[str, ...] = ()


class OracleAnswer(NamedTuple):
    """What the original did on an input, and what of it does not count."""

    proposal: CandidateInput
    outcome: Outcome | None
    uncompared: frozenset[str] = frozenset()


async def ask_original(
    program: Program,
    proposals: Sequence[CandidateInput],
    *,
    guessed: bool,
    typed: bool,
    limits: Limits,
    sandbox: Sandbox,
    sought: bool = False,
) -> OracleAnswers:
    """Run every input on the original in two fresh processes and keep those on which both did the same.

    Args:
        program: The original.
        proposals: Generated ones come after all others; among themselves they are run small before large.
        guessed: Generated inputs rest on a guess of the types: they count only if the original returns on many.
        typed: All parameters are annotated, so that a TypeError is the function's own.
        limits: Of one candidate's job; what the original needs for all inputs together stays well below.
        sandbox: Where it runs.
        sought: Each of them is known to tell something, so that those on which the original raises are kept too,
            however many there are.

    Raises:
        EvidenceError: the module cannot be loaded in the sandbox.
        SandboxError: the sandbox failed.
    """
    if not proposals:
        return OracleAnswers()
    given = [proposal for proposal in proposals if proposal.origin != "generated"]
    made = sorted((p for p in proposals if p.origin == "generated"), key=lambda p: _size(p.input))
    query = _OracleQuery(program, sandbox, limits, typed=typed)
    await query.begin()
    await query.ask(given, limits)
    await query.ask(made, structs.replace(limits, call_s=min(limits.call_s, _GENERATED_CALL_S)))
    await query.confirm(limits)
    kept = query.kept
    if not sought:
        kept, dropped = _balanced(kept, len(made), guessed=guessed)
        query.reasons.update(dropped)
    return OracleAnswers(
        cases=numbered(kept),
        excluded=tuple(Excluded(what=what, count=n, why=why) for (what, why), n in query.reasons.items()),
        refused=query.refused,
        variables=query.variables,
        too_large=query.too_large,
    )


def _size(call: CallInput) -> int:
    return len(json.dumps([call.args, call.kwargs]))


class _OracleQuery:
    """Puts proposals to the original, some at a time, until its time is used up."""

    def __init__(self, program: Program, sandbox: Sandbox, limits: Limits, *, typed: bool) -> None:
        self._program = program
        self._sandbox = sandbox
        self._limits = limits
        self._startup_s = 0.0
        self._left_s = limits.wall_s * _SHARE_OF_WALL
        self._left_bytes = _LARGEST_OUTCOMES
        self._least_made = _LARGEST_OUTCOMES
        self._typed = typed
        self.kept: list[OracleAnswer] = []
        self.variables: tuple[str, ...] = ()
        self.too_large: tuple[str, ...] = ()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.refused = 0

    async def begin(self) -> None:
        """Learn what starting the original costs, to leave that out of its time."""
        self._startup_s = (await self._run([], self._limits)).usage.wall_s

    async def ask(self, proposals: Sequence[CandidateInput], limits: Limits) -> None:
        pending = list(proposals)
        at_once = _FIRST_PER_JOB
        while pending:
            if self._left_s <= 0:
                self._set_aside(pending, "the original takes too long on all inputs together")
                return
            some, pending = pending[:at_once], pending[at_once:]
            at_once *= 2
            if await self._ask(some, limits) * 2 > len(some):
                self._set_aside(pending, "the original takes too long on smaller ones already")
                return

    async def _ask(self, proposals: Sequence[CandidateInput], limits: Limits) -> int:
        """Keep what is answered; how many took too long."""
        bounded = structs.replace(limits, wall_s=self._startup_s + max(self._left_s, _SHORTEST_JOB_S))
        first = await self._run(proposals, bounded)
        self._left_s -= max(0.0, first.usage.wall_s - self._startup_s)
        for proposal, outcome in zip(proposals, first.outcomes, strict=True):
            self.refused += is_refused(outcome)
            if why := _useless(outcome) or self._too_large(proposal, outcome):
                self._set_aside([proposal], why)
            else:
                self.kept.append(OracleAnswer(proposal, outcome))
        return sum(isinstance(outcome, TimedOut) for outcome in first.outcomes)

    async def confirm(self, limits: Limits) -> None:
        """Ask for all that was answered a second time, and keep what is evidence.

        Ask several times more, with other hash seeds, where anything differed or could have: what agreed may have done
        so by chance.
        """
        agreeing, self.kept = await self._agreeing(self.kept, limits), []
        for answer in agreeing:
            if why := _reason_against(answer, typed=self._typed):
                self._set_aside([answer.proposal], why)
            else:
                self.kept.append(answer)
        differs = any(why == _DIFFERS for _, why in self.reasons)
        unordered = _has_sets(self._program) and any(map(_tells_texts, self.kept))
        for _ in range(_MORE_TIMES if differs or unordered else 0):
            self.kept = await self._agreeing(self.kept, limits)

    async def _agreeing(self, answered: Sequence[OracleAnswer], limits: Limits) -> list[OracleAnswer]:
        """Return the answers that a fresh process, asked in reverse, gives again.

        What differs of effects, of the order of dicts, or of which objects are the same, does not count from then on.
        """
        if not answered:
            return []
        again = await self._run([answer.proposal for answer in reversed(answered)], limits, fresh=True)
        self.variables, self.too_large = again.variables, again.too_large
        others = list(reversed(again.outcomes))
        agreeing = await anyio.to_thread.run_sync(
            lambda: [_compared(answer, other) for answer, other in zip(answered, others, strict=True)]
        )
        differing = [answer for answer, agrees in zip(answered, agreeing, strict=True) if agrees is None]
        self._set_aside([answer.proposal for answer in differing], _DIFFERS)
        return [answer for answer in agreeing if answer is not None]

    def _too_large(self, proposal: CandidateInput, outcome: Outcome) -> str:
        """Return why a generated input costs more than it tells; empty when it does not."""
        if proposal.origin != "generated":
            return ""
        size = len(msgspec.json.encode(outcome))
        made = max(1, size - _size(proposal.input))
        self._least_made = min(made, self._least_made)
        if made > max(_LARGE_OUTCOME, _FAR_MORE * self._least_made):
            return _TOO_MUCH
        if size > self._left_bytes:
            return "too much comes out of all inputs together"
        self._left_bytes -= size
        return ""

    async def _run(self, proposals: Sequence[CandidateInput], limits: Limits, *, fresh: bool = False) -> CallsResult:
        inputs = tuple(proposal.input for proposal in proposals)
        job = CallsJob(program=self._program, inputs=inputs, effects=True, fresh=fresh, limits=limits)
        result = await self._sandbox.run(job)
        _check_loaded(self._program, result)
        return result

    def _set_aside(self, proposals: Iterable[CandidateInput], why: str) -> None:
        self.reasons.update((_plural(proposal.origin), why) for proposal in proposals)


def _has_sets(program: Program) -> bool:
    """Whether the program's module makes sets, whose order is another one in each process, of what it is given."""
    trees = [parse(module.source) for module in program.modules]
    nodes = (node for tree in trees if not isinstance(tree, ParseFailure) for node in ast.walk(tree))
    return any(map(_makes_set, nodes))


def _makes_set(node: ast.AST) -> bool:
    if isinstance(node, ast.Set):
        return not all(isinstance(item, ast.Constant) for item in node.elts)
    is_called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"set", "frozenset"}
    return isinstance(node, ast.SetComp) or is_called


def _tells_texts(answer: OracleAnswer) -> bool:
    """Whether texts are among what came out: only their order in sets is another one in each process."""
    if not isinstance(answer.outcome, (Returned, Raised)):
        return False
    todo = [*answer.outcome.effects.values(), *([answer.outcome.value] if isinstance(answer.outcome, Returned) else [])]
    while todo:
        node = open_node(todo.pop())
        if node.tag == SCALAR and isinstance(node.head[0], str):
            return True
        todo += node.children
    return False


def _check_loaded(program: Program, result: CallsResult) -> None:
    if not result.loaded and result.outcomes:
        message = (
            f"{program.module} cannot be loaded in the sandbox: {render_outcome(result.outcomes[0])}. "
            "Check that its dependencies are installed for the workspace's interpreter."
        )
        raise EvidenceError(message, code="not_loadable", hint=Hint("option", "python"))


def _useless(outcome: Outcome) -> str:
    """Return why an outcome says nothing of the function; empty when it does."""
    match outcome:
        case TimedOut():
            return _TOO_SLOW
        case Died():
            return _ENDS
        case Unencodable():
            return f"no exact encoding of {outcome.type}"
        case _:
            refused = "the original needs what the sandbox does not give (network, input, files)"
            return refused if is_refused(outcome) else ""


def _compared(answer: OracleAnswer, other: Outcome) -> OracleAnswer | None:
    """Return the answer with what must not count, for it was otherwise this time; None where nothing is left of it."""
    found = differing(answer.outcome, other) if answer.outcome is not None else frozenset({RESULT})
    if RESULT in found and answer.outcome is not None and same_in_any_order(answer.outcome, other):
        found = found - {RESULT} | {ITEMS}
    if not found.isdisjoint({RESULT, ARGUMENTS}):
        return None
    return answer._replace(uncompared=answer.uncompared | found) if found else answer


def _reason_against(answer: OracleAnswer, *, typed: bool) -> str:
    """Return why what the original does is not what candidates must do; empty when it is."""
    proposal, outcome = answer.proposal, answer.outcome
    if proposal.origin == "generated" and isinstance(outcome, Raised):
        if outcome.type in _OUT_OF_RESOURCES:
            return "the original runs out of stack or memory"
        if outcome.type in _WRONG_TYPES and not typed:
            return "of a type that the original does not take"
    return _contradiction(proposal, outcome)


def _contradiction(proposal: CandidateInput, outcome: Outcome | None) -> str:
    known = proposal.known
    if known is None or outcome is None:
        return ""
    if proposal.origin == "recorded" and not same_outcome(known, outcome, uncompared=(EFFECTS,)):
        return "does something else than in the test: it depends on more than its arguments"
    if proposal.origin == "doctest" and not keeps_promise(known, outcome):
        return "the original itself does not do what the docstring says"
    return ""


def keeps_promise(promised: Outcome, outcome: Outcome) -> bool:
    """Return whether what came out is what a docstring promises, which says nothing of the arguments afterwards."""
    return same_outcome(promised, outcome, value_only=True)


def _balanced(
    kept: Sequence[OracleAnswer], made: int, *, guessed: bool
) -> tuple[list[OracleAnswer], Counter[tuple[str, str]]]:
    """Leave out guesses that mostly miss, and generated inputs that only raise beyond a third of all."""
    returned = [entry for entry in kept if entry[0].origin != "generated" or _is_result(entry[1])]
    raised = [entry for entry in kept if entry[0].origin == "generated" and not _is_result(entry[1])]
    hits = sum(entry[0].origin == "generated" for entry in returned)
    dropped: Counter[tuple[str, str]] = Counter()
    if guessed and hits < _FAIR_SHARE * made:
        dropped[_plural("generated"), "guessed, and the original returns on few of them"] = hits + len(raised)
        return [entry for entry in returned if entry[0].origin != "generated"], dropped
    allowed = len(returned) // 2
    if len(raised) > allowed:
        dropped[_plural("generated"), "the original raises; enough others of that kind are kept"] = (
            len(raised) - allowed
        )
    step = max(1, len(raised) // max(1, allowed))
    return [*returned, *raised[::step][:allowed]], dropped


def _is_result(outcome: Outcome | None) -> bool:
    """Return whether the original came to an end of its own: by returning, or by ending the program."""
    return isinstance(outcome, Returned) or (isinstance(outcome, Raised) and outcome.type == EXIT)


def _plural(origin: CaseOrigin) -> str:
    return {"doctest": "docstring examples", "recorded": "recorded calls"}.get(origin, f"{origin} inputs")


def numbered(kept: Iterable[OracleAnswer]) -> tuple[Case, ...]:
    """Return cases of inputs and what must come out, named by their origin."""
    numbers: Counter[str] = Counter()
    cases: list[Case] = []
    for proposal, outcome, uncompared in kept:
        numbers[proposal.origin] += 1
        name = f"{proposal.origin}-{numbers[proposal.origin]}"
        cases.append(
            Case(
                id=name,
                origin=proposal.origin,
                input=proposal.input,
                expected=outcome,
                value_only=proposal.origin == "doctest" and outcome is not None and outcome is proposal.known,
                uncompared=tuple(sorted(uncompared)),
                label=proposal.label,
            )
        )
    return tuple(cases)
