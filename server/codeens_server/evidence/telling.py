"""Inputs that tell the original from other programs: drawn, run on all of them, and kept where the original is sure."""

from __future__ import annotations

import ast
import random
import threading
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import anyio
import anyio.to_thread
import msgspec
from hypothesis.strategies import SearchStrategy

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import CallInput, Encoded, Outcome, Program, Raised, Returned
from codeens_sandbox_backends.values.compare import canonical, canonical_call
from codeens_sandbox_backends.values.made_up import raised_by_functions, with_raised
from codeens_sandbox_backends.values.outcomes import same_outcome
from codeens_server.domain.evidence import VARIED, Case, Evidence
from codeens_server.domain.target import Target
from codeens_server.evidence.assess import EXIT
from codeens_server.evidence.callers import CALLED
from codeens_server.evidence.function_domain import entered
from codeens_server.evidence.gather import is_typed
from codeens_server.evidence.oracle import COSTLY, CandidateInput, ask_original
from codeens_server.evidence.strategies.bounds import bounds, within
from codeens_server.evidence.strategies.caught import raised_for
from codeens_server.evidence.strategies.definitions import last_name
from codeens_server.evidence.strategies.draw import draw
from codeens_server.evidence.strategies.formats import formatted
from codeens_server.evidence.strategies.grown import filled, grown, size_of
from codeens_server.evidence.strategies.inputs import has_instance, parameters_of, plan_inputs
from codeens_server.evidence.strategies.lookalikes import lookalikes
from codeens_server.evidence.strategies.neighbours import (
    Constants,
    always_raising,
    beyond_floats,
    deep,
    neighbours,
    typical,
    with_same_nan,
)
from codeens_server.evidence.strategies.templates import templated
from codeens_server.evidence.strategies.together import together
from codeens_server.evidence.strategies.type_guess import any_items, constants, constants_named, is_open, told_apart
from codeens_server.evidence.strategies.varied import varied
from codeens_server.syntax.parsing import ParseFailure, parse
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.text import snapshot

LABEL = "generated: tells a change apart"
_KEPT_OF_EACH = 2
_LIMITS = Limits(wall_s=5.0, call_s=0.5)
_AT_ONCE = 4
_LOOKUPS = frozenset("set frozenset dict Counter defaultdict OrderedDict fromkeys index count remove".split())  # noqa: SIM905
_OF_FLOATS = frozenset({"float", "math", "numpy", "np", "sqrt"})
_TYPICAL = 8
"""Known inputs that others are made from."""
_STUBBORN = 2
"""Of them, in which functions raise whenever they are called."""
_MOST_VARIED = 30
_BASES = 3
_DRAWN = 200
_LONGEST_DRAWING_S = 4.0


class Found(NamedTuple):
    """What came of a search."""

    cases: tuple[Case, ...] = ()
    """New ones, numbered after those known, on which the original does what one of the others does not."""
    tried: tuple[CallInput, ...] = ()
    """Inputs on which the original answered as foreseen."""


class InputSearch:
    """The original, and how inputs for it are made."""

    def __init__(self, target: Target, evidence: Evidence, *, seed: str, limits: Limits, sandbox: Sandbox) -> None:
        """Get ready. Blocks.

        Args:
            target: the function.
            evidence: what is known. Where no input was generated, none are drawn: they told nothing.
            seed: decides what is drawn.
            limits: of a job that asks the original.
            sandbox: where programs run.
        """
        self._target = target
        self.original = program_for(target, None, holder=evidence.holder)
        text = snapshot(target).text
        self._strategy: SearchStrategy[CallInput] | None = None
        if evidence.count("generated"):
            examples = [
                case.input for case in evidence.cases if case.origin != "generated" or case.label.startswith(CALLED)
            ]
            self._strategy = plan_inputs(target, examples, text, instances=_instances(target, evidence)).strategy
        self._helpers = [ast.unparse(part) for part in (entered(target, text) or [])[1:]]
        self._named = list(constants_named("\n".join([target.source, *self._helpers]), text))
        self._raised = _raised_types(target.source)
        self._recurs = calls_itself(target.source)
        self._seed = seed
        self._typed = is_typed(target)
        given = parameters_of(target)[1 if has_instance(target) else 0 :]
        annotations = [parameter.annotation for parameter in given]
        known = bool(evidence.tests) or any(case.origin != "generated" for case in evidence.cases)
        told = told_apart(target.source) if any(map(is_open, annotations)) else []
        self._kinds = [*any_items(annotations, known=known), *told]
        is_costly = any(each.why in COSTLY for each in evidence.excluded)
        self._bounds = bounds(case.input for case in evidence.cases if is_costly)
        self._limits = limits
        self._sandbox = sandbox
        self._drawn: dict[int, list[CallInput]] = {}
        self._drawing = threading.Lock()
        self._known_outcomes: dict[str, Outcome] = {}

    async def telling(
        self,
        others: Sequence[Program],
        known: Sequence[Case],
        calls: Sequence[CallInput],
        most: int = _KEPT_OF_EACH,
        noticed: Callable[[], None] = lambda: None,
    ) -> Found:
        """Search for inputs on which the original does what one of the others does not.

        Args:
            others: programs that did the same as the original on all known cases.
            known: cases that need not be tried again.
            calls: inputs to try, for instance from `beside` or `drawn`.
            most: how many to keep for each of the others, the smallest.
            noticed: called where there are differences, before the original is asked again whether they are.

        Raises:
            SandboxError: the sandbox failed.
        """
        seen = {canonical_call(case.input) for case in known}
        calls = tuple({key: call for call in calls if (key := canonical_call(call)) not in seen}.values())
        if not calls or not others:
            return Found()
        ours = await self._original_outcomes(calls)
        answered = [pair for pair in zip(calls, ours, strict=True) if self._is_foreseen(*pair)]
        if not answered:
            return Found()
        calls, ours = zip(*answered, strict=True)
        chosen: set[int] = set()
        at_once = anyio.CapacityLimiter(_AT_ONCE)

        async def try_one(other: Program) -> None:
            async with at_once:
                theirs = await self._outcomes(other, calls)
            chosen.update(_telling(calls, ours, theirs)[:most])

        async with anyio.create_task_group() as group:
            for other in others:
                group.start_soon(try_one, other)
        if chosen:
            noticed()
        cases = await self._confirmed([calls[at] for at in sorted(chosen)], known)
        return Found(cases, calls)

    async def fresh(self, known: Sequence[Case]) -> tuple[Case, ...]:
        """Return cases that nobody has seen, on which the original returns: drawn, and known ones with a value changed.

        Where there are inputs of a benchmark, they are such with a value changed.

        Raises:
            SandboxError: the sandbox failed.
        """
        benchmark = [case for case in known if case.origin == "benchmark"]
        seen = {canonical_call(case.input) for case in known}
        changed = _new(self._varied_calls(benchmark or known), seen)
        calls: list[CallInput] = []
        if not benchmark:
            calls = await anyio.to_thread.run_sync(self._drawn_within, known, abandon_on_cancel=True)
        drawn = _new(calls, seen | changed.keys())
        cases = await self._confirmed([*changed.values(), *drawn.values()], ())
        return tuple(
            msgspec.structs.replace(
                case, id=f"fresh-{place}", label=VARIED if canonical_call(case.input) in changed else case.label
            )
            for place, case in enumerate(cases, start=1)
            if isinstance(case.expected, Returned)
        )

    async def sized(self, known: Sequence[Case], sizes: Sequence[int], *, fewest: int) -> list[tuple[int, Case]]:
        """Return cases of growing size, of the form of the known one with the most to grow; as long as it returns.

        Without any where it does so for fewer than `fewest` sizes.

        Raises:
            SandboxError: the sandbox failed.
        """
        returning = [case.input for case in known if isinstance(case.expected, Returned)]
        bases = sorted(returning, key=lambda call: (filled(call), size_of(call)), reverse=True)[:_BASES]
        for base in bases:
            calls = {size: call for size in sizes if (call := grown(base, size, self._seed)) is not None}
            by_input = {canonical_call(case.input): case for case in await self._confirmed([*calls.values()], ())}
            found = [(size, by_input.get(canonical_call(call))) for size, call in calls.items()]
            returned = [(size, case) for size, case in found if case and isinstance(case.expected, Returned)]
            if len(returned) >= fewest:
                return returned
            if returned and returned[-1] == found[len(returned) - 1]:
                return []  # larger ones take too long, of whatever form
        return []

    def _varied_calls(self, known: Sequence[Case]) -> list[CallInput]:
        """Return variations of known calls, the largest first."""
        chance = random.Random(self._seed)  # noqa: S311
        largest = sorted(_told(known), key=lambda call: len(msgspec.json.encode(call)), reverse=True)[:_MOST_VARIED]
        return [call for _ in range(2) for one in largest if (call := varied(one, chance)) is not None]

    def _drawn_within(self, known: Sequence[Case]) -> list[CallInput]:
        """Return what was drawn and is no larger than all that is known: beyond, the original may take any time."""
        longest = max((len(canonical_call(call)) for call in _told(known)), default=0)
        return [call for call in self._draw(0) if len(canonical_call(call)) <= longest]

    def beside(self, known: Sequence[Case], sources: Sequence[str]) -> list[CallInput]:
        """Return inputs beside known ones on which the original returns; quickly.

        Args:
            known: cases.
            sources: texts of all of the programs, whose literals are put into known inputs; so are values of the kinds
                that the original tells apart, where no types are written down.
        """
        forms = self._forms(known)
        nans = [call for form in forms for call in with_same_nan(form)] if any(map(looks_up, sources)) else []
        read = [*sources, *self._helpers]
        values = [*(value for text in read for value in constants(text)), *self._named]
        formats = [value for text in read for value in formatted(text)]
        literals = Constants(
            [*values, *formats], (case.input for case in known), self._kinds, self._raised_for(sources)
        )
        # What may take long comes last.
        large = beyond_floats(forms) if any(map(has_floats, sources)) else []
        calls = [
            *nans,
            *neighbours(forms, literals, _DRAWN),
            *lookalikes(_told(known), values, read, formats),
            *together(forms, values, read),
            *templated(forms, values, read),
            *large,
        ]
        return within(self._bounds, calls)

    def drawn(self, known: Sequence[Case], sources: Sequence[str], number: int) -> list[CallInput]:
        """Return inputs drawn anew, the same ones for the same number, and deep ones of what recurs. Blocks.

        Args:
            known: cases.
            sources: texts of all of the programs: functions among the arguments also raise what these catch.
            number: of the drawing.
        """
        calls = self._draw(number)
        failing = [call for name in self._raised_for(sources) for one in calls if (call := with_raised(one, name))]
        # What may not end comes last: nothing is tried after it.
        forms = self._forms(known)
        deeper = [call for form in forms for call in deep(form)] if self._recurs else []
        names = self._raised_for(sources)
        stubborn = [call for form in forms[:_STUBBORN] for name in names for call in always_raising(form, name)]
        return [*calls, *failing, *deeper, *stubborn]

    def _raised_for(self, sources: Sequence[str]) -> list[str]:
        return raised_for(sources, self._target.module, snapshot(self._target).text)

    def _draw(self, number: int) -> list[CallInput]:
        """Return what is drawn for a number; once, whoever asks meanwhile."""
        with self._drawing:
            if number not in self._drawn and self._strategy is not None:
                seed = f"{self._seed}:{number}"
                calls = draw(self._strategy, _DRAWN, seed=seed, max_seconds=_LONGEST_DRAWING_S)
                self._drawn[number] = within(self._bounds, calls)
            return self._drawn.get(number, [])

    def _forms(self, known: Sequence[Case]) -> list[CallInput]:
        return typical((case.input for case in known if isinstance(case.expected, Returned)), _TYPICAL)

    async def _original_outcomes(self, calls: tuple[CallInput, ...]) -> tuple[Outcome, ...]:
        new = tuple(call for call in calls if canonical_call(call) not in self._known_outcomes)
        outcomes = await self._outcomes(self.original, new) if new else ()
        self._known_outcomes |= {canonical_call(call): outcome for call, outcome in zip(new, outcomes, strict=True)}
        return tuple(self._known_outcomes[canonical_call(call)] for call in calls)

    async def _outcomes(self, program: Program, calls: tuple[CallInput, ...]) -> tuple[Outcome, ...]:
        return (await self._sandbox.run(CallsJob(program=program, inputs=calls, effects=True, limits=_LIMITS))).outcomes

    def _is_foreseen(self, call: CallInput, outcome: Outcome) -> bool:
        if isinstance(outcome, Raised):
            known = self._raised | raised_by_functions([*call.args, *call.kwargs.values()])
            return outcome.type == EXIT or outcome.type.rpartition(":")[2] in known
        return isinstance(outcome, Returned)

    async def _confirmed(self, calls: Sequence[CallInput], known: Sequence[Case]) -> tuple[Case, ...]:
        proposals = [CandidateInput(origin="generated", input=call, label=LABEL) for call in calls]
        answers = await ask_original(
            self.original,
            proposals,
            guessed=False,
            typed=self._typed,
            limits=self._limits,
            sandbox=self._sandbox,
            sought=True,
        )
        number = 1 + sum(case.origin == "generated" for case in known)
        return tuple(
            msgspec.structs.replace(case, id=f"generated-{place}")
            for place, case in enumerate(answers.cases, start=number)
        )


def _instances(target: Target, evidence: Evidence) -> list[Encoded]:
    """Return the instances that the method was called on."""
    known = (case.input.args[0] for case in evidence.cases if case.origin == "generated" and case.input.args)
    return list({canonical(value): value for value in known}.values()) if has_instance(target) else []


def _telling(calls: Sequence[CallInput], ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> list[int]:
    """Return the places of inputs on which they differ: first where both return, then where the original does; the
    smallest of them first.
    """
    telling = [
        place
        for place, (here, there) in enumerate(zip(ours, theirs, strict=True))
        if isinstance(there, (Returned, Raised)) and not same_outcome(here, there)
    ]
    telling.sort(
        key=lambda place: (
            isinstance(ours[place], Raised),
            isinstance(theirs[place], Raised),
            len(msgspec.json.encode(calls[place])),
        )
    )
    return telling


def _told(known: Sequence[Case]) -> list[CallInput]:
    """Return known calls that return, but for those that were searched for to tell programs apart."""
    return [case.input for case in known if isinstance(case.expected, Returned) and case.label != LABEL]


def _new(calls: Iterable[CallInput], seen: AbstractSet[str]) -> dict[str, CallInput]:
    """Return the calls that were not seen yet, each once, by what they are known by."""
    return {key: call for call in calls if (key := canonical_call(call)) not in seen}


def looks_up(source: str) -> bool:
    """Return whether a text finds values by more than `==`: identity counts in lookups, and hashes."""
    tree = parse(source)
    return not isinstance(tree, ParseFailure) and any(
        isinstance(node, (ast.Dict, ast.Set, ast.DictComp, ast.SetComp, ast.In, ast.NotIn))
        or (isinstance(node, ast.Call) and last_name(node.func) in _LOOKUPS)
        for node in ast.walk(tree)
    )


def has_floats(source: str) -> bool:
    """Return whether a text divides, or has or makes floats in another way."""
    tree = parse(source)
    return not isinstance(tree, ParseFailure) and any(
        isinstance(node, ast.Div)
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, (ast.Name, ast.Attribute)) and last_name(node) in _OF_FLOATS)
        for node in ast.walk(tree)
    )


def calls_itself(source: str) -> bool:
    """Return whether a function calls something of its own name."""
    tree = parse(source)
    if isinstance(tree, ParseFailure) or not tree.body:
        return False
    name = getattr(tree.body[0], "name", "")
    return any(isinstance(node, ast.Call) and last_name(node.func) == name for node in ast.walk(tree))


def _raised_types(source: str) -> frozenset[str]:
    tree = parse(source)
    if isinstance(tree, ParseFailure):
        return frozenset()
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc is not None]
    return frozenset(last_name(exc.func if isinstance(exc, ast.Call) else exc) for exc in raised)
