"""Asks for something better than what is right already: the second and further rounds of a run that improves."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import anyio.to_thread
from msgspec.structs import replace

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.jobs import Limits
from codeens_server.domain.document import RankedResult
from codeens_server.domain.measurement import Measurement
from codeens_server.domain.systems import System, SystemRecord
from codeens_server.domain.target import Candidate
from codeens_server.domain.terms import OFFLINE, ORIGINAL
from codeens_server.domain.verdict import Verdict
from codeens_server.evidence.hot_lines import hot_lines
from codeens_server.generation.generate import Ask
from codeens_server.generation.prompts import Parent, wrong_on
from codeens_server.ranking.wording import interval, merits
from codeens_server.run.producers import Asker, Deliver
from codeens_server.run.state import RunState
from codeens_server.search.front import front, valued
from codeens_server.search.learning import drawn, joined
from codeens_server.search.settled import why_settled
from codeens_server.text import money, one_line, plural
from codeens_server.workspace.edit import program_for

_MOST_TOLD = 4
_LONGEST = 200


class Improvements:
    """Answers that are to be better than the best so far.

    A round has as many calls as the first one, less those for answers that were wrong. Each begins at the answer that
    leads; who is asked is drawn by what came of it before.
    """

    def __init__(self, asker: Asker, sandbox: Sandbox, limits: Limits) -> None:
        """Get ready.

        Args:
            asker: asks the models.
            sandbox: where the best answers are looked at.
            limits: what each look may take.
        """
        self._asker = asker
        self._sandbox = sandbox
        self._limits = limits

    def expected(self, state: RunState, number: int) -> int:
        """Return how many calls a round makes: none in the first, nor once nothing can change any more."""
        if self._has_rounds_left(state, number) and not why_settled(state, number):
            return len(self._askers(state, number))
        return 0

    async def produce(self, state: RunState, number: int, deliver: Deliver) -> None:
        """Ask for all of a round at once."""
        if not self.expected(state, number):
            return
        assert state.brief is not None, "there is something to improve on"
        plan = self._asker.plan
        told = await self._told(state, front(state, number)[0])
        askers = self._askers(state, number)
        ask = Ask(
            target=state.target,
            context=state.brief.context,
            mode=state.brief.mode,
            models=plan.models,
            variants=plan.variants,
            round=number,
            parents=tuple(self._parent(told, system, number, place) for place, system in enumerate(askers)),
            fresh=plan.fresh,
            known=frozenset(state.answered),
        )
        await self._asker.ask(state, ask, deliver)

    def ending(self, state: RunState, number: int) -> str:
        """Return why a round is not made that was asked for, and what is saved by it; empty where all were."""
        why = why_settled(state, number) if self._has_rounds_left(state, number) else ""
        if not why:
            return ""
        calls = (self._asker.plan.rounds - number) * self._slots()
        answers = [answer.cost_usd for answer in state.answers.values() if answer.model != OFFLINE]
        known = [usd for usd in answers if usd is not None]
        saved = f", about {money(calls * sum(known) / len(known))}" if known and sum(known) else ""
        return (
            f"{why}: {plural(self._asker.plan.rounds - number, 'round')} left out, {plural(calls, 'call')} saved{saved}"
        )

    def _has_rounds_left(self, state: RunState, number: int) -> bool:
        """Return whether right answers could be improved on in a round."""
        may = state.mode == "improve" and not state.stopped and 0 < number < self._asker.plan.rounds
        return may and bool(valued(state, number))

    def _slots(self) -> int:
        plan = self._asker.plan
        return len(plan.systems) * plan.samples

    def _askers(self, state: RunState, number: int) -> list[System]:
        """Return who is asked in a round, drawn for each call anew; by what is known of all, always the same."""
        calls = max(1, self._slots() - len(state.failed_in(number - 1)))
        records = joined(state.brief.records if state.brief else (), _records_now(state, number))
        random = Random(f"{state.target.source}:{number}")  # noqa: S311  what was asked before is kept
        return [drawn(self._asker.plan.systems, records, random)[0] for _ in range(calls)]

    def _parent(self, told: Parent, system: System, number: int, place: int) -> Parent:
        model, variant = system
        sample = self._asker.plan.samples + (number - 1) * self._slots() + place
        return replace(told, model=model, variant=variant, sample=sample)

    async def _told(self, state: RunState, parent: Candidate) -> Parent:
        measured = state.measurements[parent.id]
        return Parent(
            candidate=parent,
            model="",
            variant="",
            sample=0,
            measured=_measured(state, parent, measured),
            hot=await self._hot(state, parent),
            others=tuple(_others(state, parent)),
            wrong=tuple(_wrong(state)),
        )

    async def _hot(self, state: RunState, parent: Candidate) -> tuple[str, ...]:
        evidence = state.evidence
        assert evidence is not None, "there are verdicts"
        program = await anyio.to_thread.run_sync(program_for, state.target, parent.replacement)
        try:
            return await hot_lines(program, evidence.cases, limits=self._limits, sandbox=self._sandbox)
        except SandboxError:
            return ()


def _records_now(state: RunState, number: int) -> Iterator[SystemRecord]:
    """Yield what the rounds before one say: a try is an answer, a win one that none beats."""
    best = {candidate.id for candidate in front(state, number)}
    for answer in state.answers.values():
        if answer.round < number:
            won = state.duplicates.get(answer.id, answer.id) in best
            yield SystemRecord(model=answer.model, variant=answer.variant, tries=1, wins=int(won), usd=answer.cost_usd)


def _measured(state: RunState, candidate: Candidate, measured: Measurement) -> str:
    row, first = (
        RankedResult(rank=None, candidate=candidate, verdict=verdict, measurement=found)
        for verdict, found in (
            (state.verdicts[candidate.id], measured),
            (Verdict(status="passed"), state.original or Measurement()),
        )
    )
    ends = f" (95 % interval of the speed: {interval(measured.speed)[1]})" if measured.speed else ""
    return f"{merits(row, first)}{ends}"


def _others(state: RunState, parent: Candidate) -> Iterator[str]:
    """Yield what right answers of other code say of themselves, the fastest first, each way once."""
    said: set[str] = {_remark(parent)}
    for candidate in state.passing():
        measured = state.measurements.get(candidate.id)
        remark = _remark(candidate)
        if candidate.id == parent.id or measured is None or remark in said or len(said) > _MOST_TOLD:
            continue
        said.add(remark)
        yield f"{remark}: {_measured(state, candidate, measured)}"


def _remark(candidate: Candidate) -> str:
    return one_line(candidate.rationale)[:_LONGEST] or f"{candidate.model} {candidate.variant}"


def _wrong(state: RunState) -> Iterator[str]:
    """Yield the shortest calls on which answers were wrong, with what these did."""
    failures = [
        verdict.failure
        for key, verdict in state.verdicts.items()
        if not verdict.passes and verdict.failure and key != ORIGINAL
    ]
    lines = dict.fromkeys(one_line(wrong_on(failure)) for failure in failures)
    yield from (line[:_LONGEST] for line in sorted(lines, key=len)[:_MOST_TOLD])
