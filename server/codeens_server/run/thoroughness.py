"""How good the evidence is: small changes are tried on it, and inputs are searched for those it does not notice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeAlias

import anyio
import anyio.to_thread
from msgspec.structs import replace

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.programs import CallInput
from codeens_server.domain.evidence import Case, Evidence, MissedChange, MutationScore
from codeens_server.domain.target import Replacement, Target
from codeens_server.evidence.assess import missed_changes
from codeens_server.evidence.function_domain import with_domain
from codeens_server.evidence.mutation import Mutant, mutants
from codeens_server.evidence.telling import InputSearch
from codeens_server.judging.noticing import Notice, notice_by_cases, notice_by_tests
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.text import snapshot

_SHARE_OF_RUN = 0.05
_MOST_SECONDS = 12.0
_MOST_SECONDS_OF_ASKING = 90.0
Suggest: TypeAlias = Callable[[Sequence[MissedChange]], Awaitable[Sequence[CallInput]]]
"""Gives inputs on which changes that were not noticed may show."""


async def with_mutation_score(
    target: Target,
    evidence: Evidence,
    *,
    most: int,
    run_timeout_s: float,
    limits: Limits,
    sandbox: Sandbox,
    draws: int = 2,
    suggest: Suggest | None = None,
) -> Evidence:
    """Return the evidence with what it would notice, and with inputs that tell apart what it did not notice before.

    Args:
        target: the function.
        evidence: what candidates would be held to.
        most: how many changes to try; 0 tries none.
        run_timeout_s: seconds of the whole run; a small share of them is used.
        limits: of a job.
        sandbox: where changed versions run.
        draws: how often inputs are drawn for changes that were not noticed.
        suggest: asked once, where changes are left that nothing noticed.
    """
    if evidence.mode != "improve" or not most or target.kind == "nested" or not (evidence.cases or evidence.tests):
        return evidence
    seed = f"{target.module}:{target.qualname}"
    made = await anyio.to_thread.run_sync(lambda: mutants(target.source, most, seed=seed))
    if not made:
        return evidence
    trial = await anyio.to_thread.run_sync(lambda: _Trial(target, evidence, made, limits, sandbox))
    seconds = min(_MOST_SECONDS, _SHARE_OF_RUN * run_timeout_s)
    with suppress(SandboxError), anyio.move_on_after(seconds):
        await trial.run(draws)
    if suggest is not None and (missed := trial.missed()):
        calls: Sequence[CallInput] = ()
        with anyio.move_on_after(min(_MOST_SECONDS_OF_ASKING, _SHARE_OF_RUN * run_timeout_s)):
            calls = await suggest(missed)
        with suppress(SandboxError), anyio.move_on_after(seconds):
            await trial.try_suggested(calls)
    if trial.found:
        cases = (*evidence.cases, *trial.found)
        evidence = replace(evidence, cases=await anyio.to_thread.run_sync(_with_domain, target, cases))
    return _scored(evidence, trial)


def _with_domain(target: Target, cases: Sequence[Case]) -> tuple[Case, ...]:
    return with_domain(target, snapshot(target).text, cases)


class _Trial:
    """Which changes are noticed so far, and the cases that were found for others."""

    def __init__(
        self, target: Target, evidence: Evidence, made: Sequence[Mutant], limits: Limits, sandbox: Sandbox
    ) -> None:
        self._target = target
        self._evidence = evidence
        self._made = made
        self._sandbox = sandbox
        seed = f"{target.module}:{target.qualname}"
        self._search = InputSearch(target, evidence, seed=seed, limits=limits, sandbox=sandbox)
        self._sources = [target.source, *(mutant.source for mutant in made)]
        replacements = [Replacement(function=mutant.source) for mutant in made]
        self.notices = [Notice(program_for(target, item, holder=evidence.holder)) for item in replacements]
        self.found: tuple[Case, ...] = ()

    async def run(self, draws: int) -> None:
        await self._notice(self._evidence.cases)
        await self._search_for_missed(lambda known: self._search.beside(known, self._sources))
        for number in range(draws):
            await self._search_for_missed(partial(self._search.drawn, sources=self._sources, number=number))
        await notice_by_tests(self.notices, self._target, self._evidence, self._sandbox)

    def missed(self) -> tuple[MissedChange, ...]:
        """Return the changes that nothing noticed so far."""
        return tuple(
            MissedChange(line=self._target.line + mutant.line - 1, before=mutant.before, after=mutant.after)
            for mutant, notice in zip(self._made, self.notices, strict=True)
            if notice.noticed is False
        )

    async def try_suggested(self, calls: Sequence[CallInput]) -> None:
        """Keep those calls on which a change shows, and write down which are noticed by them."""
        await self._search_for_missed(lambda _: list(calls))

    async def _search_for_missed(self, make: Callable[[Sequence[Case]], list[CallInput]]) -> None:
        missed = [notice.program for notice in self.notices if notice.noticed is False]
        if not missed:
            return
        known = (*self._evidence.cases, *self.found)
        calls = await anyio.to_thread.run_sync(make, known, abandon_on_cancel=True)
        found = await self._search.telling(missed, known, calls)
        if found.cases:
            await self._notice(found.cases)
            self.found += found.cases

    async def _notice(self, cases: Sequence[Case]) -> None:
        await notice_by_cases(self.notices, self._search.original, cases, self._sandbox)


def _scored(evidence: Evidence, trial: _Trial) -> Evidence:
    """Return the evidence with its score, where any change was decided."""
    notices = trial.notices
    if all(notice.noticed is None for notice in notices):
        return evidence
    score = MutationScore(
        noticed=sum(notice.noticed is True for notice in notices),
        total=len(notices),
        undecided=sum(notice.noticed is None for notice in notices),
        missed=trial.missed(),
    )
    return replace(evidence, mutation=score, notes=(*evidence.notes, *missed_changes(score)))
