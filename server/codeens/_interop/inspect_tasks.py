"""Tasks for Inspect AI: `inspect eval codeens/humaneval --model …`. Loaded by its entry-point group `inspect_ai`.

Answers run in codeens' sandboxes and are judged outside of them: neither Inspect's sandbox nor Docker is needed.
"""

from __future__ import annotations

from inspect_ai import Task as InspectTask
from inspect_ai import task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import TaskState, generate, system_message
from inspect_ai.util import concurrency

from codeens import Session
from codeens._interop.replies import INSTRUCTION, humaneval_tasks, program_in

_AT_ONCE = 4
"""Answers that are judged at once: each call opens a sandbox of its own."""


@task
def humaneval(data: str | None = None, sandbox: str | None = None) -> InspectTask:
    """Return HumanEval with codeens as its judge.

    Args:
        data: path of HumanEval.jsonl.gz; None: the one in the folder that `CODEENS_DATA` names.
        sandbox: where answers run: a name of `codeens sandbox list`; None: as configured.
    """
    samples = [Sample(id=each.id, input=each.prompt, target=each.reference or "") for each in humaneval_tasks(data)]
    return InspectTask(
        dataset=samples,
        solver=[system_message(INSTRUCTION), generate()],
        scorer=verdict(data, sandbox),
    )


@scorer(metrics=[accuracy(), stderr()])
def verdict(data: str | None = None, sandbox: str | None = None) -> Scorer:
    """Return codeens' judge as a scorer.

    Args:
        data: path of HumanEval.jsonl.gz, as of the task: a log of Inspect keeps arguments, which must be plain.
        sandbox: where answers run; None: as configured.
    """
    tasks = {each.id: each for each in humaneval_tasks(data)}

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001  Inspect's signature
        judged = tasks[str(state.sample_id)]
        program = program_in(state.output.completion, judged)
        if not program:
            return Score(value=INCORRECT, answer="", explanation="no program in the reply")
        async with concurrency("codeens", _AT_ONCE), Session() as session:
            report = await session.judge(judged, {"answer": program}, sandbox=sandbox)
        result = report.document.results[0]
        passed = result.verdict.status == "passed"
        return Score(
            value=CORRECT if passed else INCORRECT,
            answer=program,
            explanation=result.reason or result.verdict.status,
            metadata={"status": result.verdict.status},
        )

    return score
