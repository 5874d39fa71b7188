"""The further interpreters of a run: what the workspace's own has shown is shown in each of them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import structs

from codeens_sandbox_backends.executor import Executor
from codeens_sandbox_backends.jobs import Limits
from codeens_server.domain.evidence import EnvironmentEvidence, Evidence
from codeens_server.domain.measurement import EnvironmentSpeed, Interval, Measurement
from codeens_server.domain.target import Candidate, Target
from codeens_server.domain.terms import ConditionKind
from codeens_server.evidence.environments import gather_in
from codeens_server.judging.environments import together
from codeens_server.judging.judge import Judged, agreeing, judge
from codeens_server.measuring.measure import Baseline, baseline
from codeens_server.measuring.race import measure_alone


class FurtherEnvironments:
    """Sandboxes with other interpreters, by the interpreter's path; there may be none."""

    def __init__(
        self, target: Target, executors: Mapping[str, Executor], *, refused: Sequence[ConditionKind] = ()
    ) -> None:
        """Get ready.

        Args:
            target: the function.
            executors: by the interpreter's path.
            refused: kinds of conditions on which no candidate passes.
        """
        self._target = target
        self._executors = executors
        self._refused = refused
        self._baselines: dict[str, Baseline] = {}
        self._judged: dict[tuple[str, str], Judged] = {}

    @property
    def there_are(self) -> bool:
        """Whether a candidate must hold in more than the workspace's own interpreter."""
        return bool(self._executors)

    async def gather(self, evidence: Evidence, limits: Limits) -> Evidence:
        """Add to evidence what the original does in each interpreter.

        Raises:
            EvidenceError: the module cannot be loaded in one.
            SandboxError: a sandbox failed.
        """
        for interpreter, executor in self._executors.items():
            found = await gather_in(self._target, evidence, interpreter, limits=limits, sandbox=executor)
            added = (found.evidence,) if found.evidence else ()
            evidence = structs.replace(
                evidence,
                environments=(*evidence.environments, *added),
                notes=(*evidence.notes, *found.notes),
            )
        return evidence

    async def judge(self, candidate: Candidate, judged: Judged, evidence: Evidence) -> Judged:
        """Hold a candidate that could be run to what is expected in each interpreter.

        Raises:
            SandboxError: a sandbox failed; nothing is known of the candidate.
        """
        if judged.verdict.status == "refused" or not evidence.environments:
            return judged
        verdicts = [(evidence.python, judged.verdict)]
        for environment, executor in self._opened(evidence):
            there = await self._judge_in(candidate, environment, executor, evidence)
            verdicts.append((environment.python, there.verdict))
        return structs.replace(judged, verdict=together(verdicts))

    async def measure(self, candidate: Candidate, measured: Measurement, evidence: Evidence) -> Measurement:
        """Time a candidate in each interpreter; the least gain is what counts.

        Raises:
            SandboxError: a sandbox failed.
        """
        if not evidence.environments:
            return measured
        speeds = [EnvironmentSpeed(python=evidence.python, speed=measured.speed, note=" ".join(measured.notes))]
        mismatch = measured.mismatch
        for environment, executor in self._opened(evidence):
            there = await self._measure_in(candidate, environment, executor, evidence)
            mismatch = mismatch or there.mismatch
            speeds.append(EnvironmentSpeed(python=environment.python, speed=there.speed, note=" ".join(there.notes)))
        return structs.replace(measured, mismatch=mismatch, speed=_least(speeds), environments=tuple(speeds))

    async def _judge_in(
        self, candidate: Candidate, environment: EnvironmentEvidence, executor: Executor, evidence: Evidence
    ) -> Judged:
        judged = await judge(
            candidate,
            target=self._target,
            evidence=evidence.within(environment),
            sandbox=executor,
            sandbox_label=executor.label,
            refused=self._refused,
        )
        self._judged[candidate.id, environment.interpreter] = judged
        return judged

    async def _measure_in(
        self, candidate: Candidate, environment: EnvironmentEvidence, executor: Executor, evidence: Evidence
    ) -> Measurement:
        held_to, key = evidence.within(environment), (candidate.id, environment.interpreter)
        if environment.interpreter not in self._baselines:
            self._baselines[environment.interpreter] = await baseline(self._target, held_to, executor)
        known = self._judged.get(key) or await self._judge_in(candidate, environment, executor, evidence)
        return await measure_alone(
            candidate,
            target=self._target,
            sandbox=executor,
            baseline=self._baselines[environment.interpreter],
            agrees=agreeing(known.verdict, held_to, known.outcomes) if known.verdict.conditions else None,
        )

    def _opened(self, evidence: Evidence) -> Iterator[tuple[EnvironmentEvidence, Executor]]:
        for environment in evidence.environments:
            if (executor := self._executors.get(environment.interpreter)) is not None:
                yield environment, executor


def _least(speeds: Sequence[EnvironmentSpeed]) -> Interval | None:
    """Return the speed in the interpreter in which least is gained; None where it is not known in one."""
    known = [(item.speed, item.python) for item in speeds if item.speed is not None]
    if len(known) < len(speeds):
        return None
    speed, python = min(known, key=lambda item: item[0].low)
    return structs.replace(speed, note="; ".join(filter(None, [speed.note, f"with Python {python}, the least of all"])))
