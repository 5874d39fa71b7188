"""Gathers all that candidates will be held to, and says how strong it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

import anyio
import anyio.to_thread
from msgspec import Struct, structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsResult, Limits
from codeens_sandbox_backends.programs import CallInput, Outcome, Program, Raised, Returned
from codeens_sandbox_backends.values.compare import canonical_call
from codeens_sandbox_backends.values.outcomes import EFFECTS
from codeens_server.crash_log import innermost
from codeens_server.domain.evidence import Case, Coverage, Evidence
from codeens_server.domain.target import Target
from codeens_server.domain.terms import Mode, ModeRequest
from codeens_server.errors import EvidenceError
from codeens_server.evidence.assess import measure_coverage, resolve_mode, thinness, what_it_needs
from codeens_server.evidence.benchmarks import benchmark_inputs, unusable
from codeens_server.evidence.callers import CALLED, Callers, find_callers
from codeens_server.evidence.docstring import DocstringEvidence, only_instance, run_examples
from codeens_server.evidence.function_domain import with_domain
from codeens_server.evidence.given_calls import given_calls
from codeens_server.evidence.instances import made_instances
from codeens_server.evidence.live import find_live, held
from codeens_server.evidence.oracle import CandidateInput, OracleAnswer, OracleAnswers, ask_original, numbered
from codeens_server.evidence.strategies.draw import draw
from codeens_server.evidence.strategies.inputs import InputPlan, has_instance, named, parameters_of, plan_inputs
from codeens_server.evidence.tests.running import Say, TestEvidence, distinct_calls, run_again, run_tests
from codeens_server.text import plural
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.environment import is_hidden
from codeens_server.workspace.text import snapshot

A = TypeVar("A")
B = TypeVar("B")
_UNTYPED = frozenset({None, "Any", "typing.Any", "object"})


class EvidencePlan(Struct, frozen=True, kw_only=True):
    """What to gather."""

    mode: ModeRequest = "auto"
    tests: tuple[str, ...] = ()
    """Tests to judge by, in place of those that are found."""
    deselect: tuple[str, ...] = ()
    """Tests, or beginnings of their ids, to leave out."""
    calls: tuple[str, ...] = ()
    """Inputs that people gave, as calls."""
    bench: tuple[str, ...] = ()
    """Benchmarks whose inputs are timed: tests that call the function, or functions that make inputs."""
    max_inputs: int
    """Inputs to generate at the most."""
    timeout_s: float
    """Seconds that the whole run may take; a share of them is for the tests."""
    limits: Limits


Tell: TypeAlias = Callable[[Evidence], Awaitable[None]]
"""Gets what is known of a function before all of its evidence is gathered."""


async def gather(
    target: Target, plan: EvidencePlan, *, sandbox: Sandbox, say: Say, tell: Tell | None = None
) -> Evidence:
    """Find, run and weigh the evidence about a function, on the original only.

    Args:
        target: The function.
        plan: What to gather.
        sandbox: Where the original and its tests run.
        say: Gets sentences about what is going on.
        tell: Gets the mode, the tests and the calls that they made, as soon as it is certain that there is something to
            judge by; never, where only the whole evidence says so.

    Raises:
        InputError: an input that was given is no call of the function.
        EvidenceError: the evidence forbids the mode asked for, the module does not load, or the function cannot be
            run without what the sandbox does not give.
        SandboxError: the sandbox failed.
    """
    subject = await anyio.to_thread.run_sync(_subject, target, plan, sandbox, say)
    known = await _known_before(subject)
    if tell and not (plan.calls or plan.bench) and _is_enough(target, subject.source, known.tests, known.mode):
        cases, tests = _said(known.inputs), known.tests.for_mode(known.mode)
        await tell(Evidence(mode=known.mode, cases=cases, tests=tests, python=known.live.python))
    generate = partial(_generated, subject, known.inputs, known.call_texts, known.mode)
    if known.is_steady:
        inputs, drawn = await generate()
    else:
        (inputs, drawn), tests = await _at_once(generate, partial(_steady, subject, known.tests))
        known = known._replace(tests=tests)
    await say(f"{plural(len(known.inputs), 'known call')}, {plural(len(drawn), 'input')} generated")
    proposals = [*known.inputs, *(CandidateInput(origin="generated", input=call, label="generated") for call in drawn)]
    answers = await _weighed(subject, proposals, inputs, known.mode)
    _refuse_outside(target, subject.source, answers, known.tests, known.mode)
    _refuse_untimed(plan, known.mode, answers)
    return await _evidence_of(subject, known, inputs, answers)


class _Subject(NamedTuple):
    """What every step is about, and where it runs."""

    target: Target
    program: Program
    """The module as it stands."""
    source: str
    """Text of the target's file."""
    plan: EvidencePlan
    sandbox: Sandbox
    say: Say


class _KnownBefore(NamedTuple):
    """What people wrote about the function, and what came of it on the original, before inputs are made."""

    live: CallsResult
    tests: TestEvidence
    is_steady: bool
    """Whether the tests were run again already."""
    docstring: DocstringEvidence
    mode: Mode
    inputs: list[CandidateInput]
    call_texts: tuple[str, ...]
    """Of files of the workspace that call it."""


async def _known_before(subject: _Subject) -> _KnownBefore:
    target, plan = subject.target, subject.plan
    given = await anyio.to_thread.run_sync(_given, subject)
    live = await find_live(subject.program, limits=plan.limits, sandbox=subject.sandbox)
    tests, docstring = await _at_once(partial(_tests, subject), partial(_examples, subject))
    is_doubtful = bool(tests.failing)
    if is_doubtful:
        # The mode depends on whether they always fail.
        tests = await _steady(subject, tests)
    mode = resolve_mode(plan.mode, target, failing_tests=tests.failing, failing_examples=docstring.failing)
    inputs = _with_given(given, _known(target, tests, docstring, mode))
    if plan.bench and mode == "improve":
        inputs = await _with_benchmark(inputs, subject)
    callers = await anyio.to_thread.run_sync(find_callers, target, subject.source)
    inputs += _called(callers, inputs, plan.max_inputs, mode)
    return _KnownBefore(live, tests, is_doubtful, docstring, mode, inputs, callers.texts)


async def _evidence_of(subject: _Subject, known: _KnownBefore, plan: InputPlan, answers: OracleAnswers) -> Evidence:
    target, source, mode = subject.target, subject.source, known.mode
    tests, docstring, holder = known.tests, known.docstring, known.live.holder
    coverage = await _coverage(subject, answers.cases)
    return Evidence(
        mode=mode,
        cases=await anyio.to_thread.run_sync(with_domain, target, source, answers.cases),
        tests=tests.for_mode(mode),
        limits=tests.limits or subject.plan.limits,
        indirect_tests=tests.indirect,
        coverage=coverage,
        excluded=(*tests.excluded, *tests.failing_aside(mode), *docstring.excluded, *answers.excluded),
        holder=holder if known.live.loaded and subject.program.definition else None,
        python=known.live.python,
        variables=answers.variables,
        too_large=answers.too_large,
        notes=(
            *tests.notes,
            *_unused(subject.plan, mode),
            *_notes(target, source, answers, plan, mode, [*tests.failing, *docstring.failing]),
            *held(target, holder),
            *thinness(answers.cases, coverage, reaching_tests=len(tests.reaching)),
        ),
    )


def _subject(target: Target, plan: EvidencePlan, sandbox: Sandbox, say: Say) -> _Subject:
    return _Subject(target, program_for(target, None), snapshot(target).text, plan, sandbox, say)


def _given(subject: _Subject) -> list[CallInput]:
    """Return the inputs that people gave."""
    calls = subject.plan.calls
    return given_calls(calls, subject.target, only_instance(subject.target, subject.source) if calls else None)


async def _tests(subject: _Subject) -> TestEvidence:
    plan = subject.plan
    return await run_tests(
        subject.target,
        _traced(subject.program),
        asked_for=plan.tests,
        deselect=plan.deselect,
        run_timeout_s=plan.timeout_s,
        limits=plan.limits,
        sandbox=subject.sandbox,
        say=subject.say,
    )


async def _examples(subject: _Subject) -> DocstringEvidence:
    return await run_examples(
        subject.target,
        subject.program,
        subject.source,
        limits=subject.plan.limits,
        sandbox=subject.sandbox,
    )


async def _steady(subject: _Subject, tests: TestEvidence) -> TestEvidence:
    """Run the tests again, and keep those that end as they did."""
    return await run_again(
        tests,
        root=subject.target.root,
        program=_traced(subject.program),
        limits=subject.plan.limits,
        sandbox=subject.sandbox,
        say=subject.say,
    )


async def _at_once(one: Callable[[], Awaitable[A]], other: Callable[[], Awaitable[B]]) -> tuple[A, B]:
    """Return what both come to, one beside the other."""
    first: list[A] = []
    second: list[B] = []

    async def do_first() -> None:
        first.append(await one())

    async def do_second() -> None:
        second.append(await other())

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(do_first)
            group.start_soon(do_second)
    except ExceptionGroup as several:
        raise innermost(several) from None
    return first[0], second[0]


def _traced(program: Program) -> Program:
    """Return what is watched while tests run: of a nested function, the one around it, which tests can call."""
    return structs.replace(program, qualname=program.qualname.partition(".<locals>.")[0])


def _known(target: Target, tests: TestEvidence, docstring: DocstringEvidence, mode: Mode) -> list[CandidateInput]:
    """Return inputs from the docstring and from tests, each once, with what is said to come out.

    What a call did in a test is expected only as long as no test fails: a passing test may have made a call whose wrong
    result it did not look at.
    """
    if target.kind == "nested":
        return []
    first: dict[str, CandidateInput] = {}
    for example in docstring.examples:
        label = f"docstring line {example.line}"
        proposal = CandidateInput(origin="doctest", input=example.input, label=label, known=example.promised)
        first.setdefault(canonical_call(example.input), proposal)
    written = list(first.values())
    trusted = mode == "improve" or not (tests.failing or docstring.failing or target.body_missing)
    by_doctest = distinct_calls(docstring.recorded, [proposal.input for proposal in written])
    written += [CandidateInput(origin="doctest", input=call.input, label=call.test) for call in by_doctest]
    by_tests = distinct_calls(tests.recorded, [proposal.input for proposal in written])
    return [
        *written,
        *(
            CandidateInput(
                origin="recorded", input=call.input, label=call.test, known=_told(call.outcome) if trusted else None
            )
            for call in by_tests
        ),
    ]


def _with_given(given: Sequence[CallInput], known: list[CandidateInput]) -> list[CandidateInput]:
    """Return known inputs, and before them those that people gave, each once."""
    told = {canonical_call(proposal.input) for proposal in known}
    mine = {text: call for call in given if (text := canonical_call(call)) not in told}
    return [*(CandidateInput(origin="given", input=call, label="given") for call in mine.values()), *known]


async def _with_benchmark(known: Sequence[CandidateInput], subject: _Subject) -> list[CandidateInput]:
    """Return the inputs of benchmarks, and after them known ones that are not among these, each once."""
    benchmarks = subject.plan.bench
    await subject.say(f"running {', '.join(benchmarks)} for its inputs")
    found = await benchmark_inputs(
        benchmarks,
        subject.target,
        _traced(subject.program),
        limits=subject.plan.limits,
        sandbox=subject.sandbox,
    )
    mine = {canonical_call(proposal.input): proposal for proposal in reversed(found)}
    return [*reversed(mine.values()), *(one for one in known if canonical_call(one.input) not in mine)]


def _refuse_untimed(plan: EvidencePlan, mode: Mode, answers: OracleAnswers) -> None:
    """Refuse benchmarks of which nothing can be timed.

    Raises:
        EvidenceError: the original does not return, twice the same, on any of their inputs.
    """
    timed = (case.origin == "benchmark" and isinstance(case.expected, Returned) for case in answers.cases)
    if plan.bench and mode == "improve" and not any(timed):
        raise unusable(", ".join(plan.bench), "gives no input on which the function returns the same twice.")


def _unused(plan: EvidencePlan, mode: Mode) -> Iterator[str]:
    if plan.bench and mode != "improve":
        yield "the benchmark is not used: there is no working original to time"


def _called(callers: Callers, known: Sequence[CandidateInput], most: int, mode: Mode) -> list[CandidateInput]:
    """Return calls that the workspace makes, where the original can be asked what comes out."""
    if mode != "improve":
        return []
    first = {canonical_call(site.input): site for site in reversed(callers.calls)}
    new = [site for key, site in reversed(first.items()) if key not in {canonical_call(one.input) for one in known}]
    return [CandidateInput(origin="generated", input=site.input, label=f"{CALLED} {site.where}") for site in new[:most]]


async def _generated(
    subject: _Subject, known: Sequence[CandidateInput], callers: Sequence[str], mode: Mode
) -> tuple[InputPlan, list[CallInput]]:
    """Return inputs from the strategy; guesses only where the original can be asked whether they make sense."""
    target = subject.target
    examples = [proposal.input for proposal in known]
    made = await made_instances(target, subject.source, subject.program, sandbox=subject.sandbox)
    plan = await anyio.to_thread.run_sync(plan_inputs, target, examples, subject.source, callers, made)
    if plan.strategy is None or (plan.guessed and mode != "improve"):
        return plan, []
    make = partial(draw, plan.strategy, subject.plan.max_inputs, seed=f"{target.module}:{target.qualname}")
    drawn = await anyio.to_thread.run_sync(make, abandon_on_cancel=True)
    told = {canonical_call(call) for call in examples}
    return plan, [call for call in drawn if canonical_call(call) not in told]


async def _weighed(
    subject: _Subject, proposals: Sequence[CandidateInput], inputs: InputPlan, mode: Mode
) -> OracleAnswers:
    """Ask the original what must come out, in `improve`; in other modes only people say it."""
    if mode != "improve":
        return OracleAnswers(cases=_said(proposals))
    return await ask_original(
        subject.program,
        proposals,
        guessed=inputs.guessed,
        typed=is_typed(subject.target),
        limits=subject.plan.limits,
        sandbox=subject.sandbox,
    )


def _said(proposals: Sequence[CandidateInput]) -> tuple[Case, ...]:
    """Return cases that hold what people and tests say of inputs; what else a recorded call did was not looked at."""
    known = ((proposal, _told(proposal.known)) for proposal in proposals)
    return numbered(OracleAnswer(proposal, out, frozenset({EFFECTS} if out else ())) for proposal, out in known)


def _is_enough(target: Target, source: str, tests: TestEvidence, mode: Mode) -> bool:
    """Return whether `_refuse_outside` cannot refuse the function, whatever else is found out."""
    return mode == "implement" or (bool(tests.reaching) and not what_it_needs(target, source))


def _told(outcome: Outcome | None) -> Returned | Raised | None:
    """Return what came of a call, where it can be told."""
    return outcome if isinstance(outcome, (Returned, Raised)) else None


def is_typed(target: Target) -> bool:
    """Return whether the types of all parameters are written down."""
    parameters = named(parameters_of(target))[1 if has_instance(target) else 0 :]
    return all(parameter.annotation not in _UNTYPED for parameter in parameters)


async def _coverage(subject: _Subject, cases: Sequence[Case]) -> Coverage | None:
    if subject.target.body_missing:
        return None
    return await measure_coverage(subject.program, cases, limits=subject.plan.limits, sandbox=subject.sandbox)


def _refuse_outside(target: Target, source: str, answers: OracleAnswers, tests: TestEvidence, mode: Mode) -> None:
    """Refuse a function that cannot be run here, when no test that replaces the outside is there either.

    Raises:
        EvidenceError: with what it needs.
    """
    if mode == "implement" or answers.cases or tests.reaching:
        return
    needs = what_it_needs(target, source) or ("what the sandbox does not give" if answers.refused else "")
    if needs:
        message = (
            f"{target.qualname} needs {needs}, and codeens runs code without it, so nothing it does can be compared. "
            "Write a test that replaces it (monkeypatch), or name a function that takes the data as an argument."
        )
        raise EvidenceError(message, code="needs_outside")


def _notes(
    target: Target, source: str, answers: OracleAnswers, plan: InputPlan, mode: Mode, failing: Sequence[str]
) -> Iterator[str]:
    if is_hidden(Path(target.root)):
        yield (
            f"{target.root} is the home folder or one of the system, of which code inside is shown nothing: its tests "
            "and other modules are not seen; move the project into a folder of its own"
        )
    if plan.strategy is None:
        yield f"no inputs were generated: {plan.why}"
    elif plan.guessed and mode != "improve":
        yield "no inputs were generated: the types of its parameters are not known; annotate them"
    if mode == "repair" and not failing:
        yield "no test and no docstring example fails: nothing says what is to be repaired"
    needs = what_it_needs(target, source)
    if needs and answers.cases:
        yield f"it calls for {needs}, which the sandbox does not give: only what it does without is compared"
