"""OpenAI Evals: the ensemble as a completion function, the judge as an eval; the folder `registry` names both.


oaieval codeens/ensemble codeens-humaneval --registry_path FOLDER
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import evals
import evals.metrics
from evals.api import CompletionFn, CompletionResult
from evals.record import RecorderBase

from codeens import Code, judge_sync, run_sync
from codeens._interop.replies import INSTRUCTION, humaneval_tasks, program_in
from codeens_server.errors import NothingGenerated
from codeens_server.syntax.parsing import ParseFailure, parse
from codeens_server.tasks.schema import Task
from codeens_server.workspace.functions import functions_in

REGISTRY = Path(__file__).with_name("registry")


class Answer(CompletionResult):
    """One answer of the ensemble."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_completions(self) -> list[str]:
        """Return the one answer."""
        return [self._text]


class Ensemble(CompletionFn):
    """Completes a prompt that ends in a Python function to be written, by a run of codeens."""

    def __init__(self, models: list[str] | None = None, variants: list[str] | None = None, **_: Any) -> None:
        """Keep what every run is asked with; see `codeens run`. What else the framework passes is its own."""
        self._options: dict[str, Any] = {"models": tuple(models or ()), "variants": tuple(variants or ())}

    def __call__(self, prompt: str | list[dict[str, str]], **_: Any) -> Answer:
        """Return the best answer as a code block; empty where nobody gave a usable one.

        Raises:
            ValueError: the prompt has no function to be written.
            CodeensError: the run could not be made, for instance because no model is configured.
        """
        text = prompt if isinstance(prompt, str) else prompt[-1]["content"]
        stub, name = _function_in(text)
        try:
            run = run_sync(Code(stub, name), progress=False, mode="implement", **self._options)
        except NothingGenerated:
            return Answer("")
        best = run.best
        return Answer("" if best.candidate.id == "original" else f"```python\n{best.candidate.source}```")


class HumanEval(evals.Eval):
    """HumanEval, judged by codeens in its sandboxes."""

    def __init__(self, *args: Any, data: str | None = None, **more: Any) -> None:
        """Take `data`, the path of HumanEval.jsonl.gz, or find it in the folder that `CODEENS_DATA` names."""
        super().__init__(*args, **more)
        self._tasks = humaneval_tasks(data)

    def eval_sample(self, sample: Task, rng: random.Random) -> None:  # noqa: ARG002  the framework's signature
        """Ask for one task and record whether the answer passes."""
        asked = [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": sample.prompt}]
        reply = self.completion_fn(prompt=asked).get_completions()[0]
        program = program_in(reply, sample)
        passed, why = False, "no program in the reply"
        if program:
            result = judge_sync(sample, {"answer": program}).document.results[0]
            passed, why = result.verdict.status == "passed", result.reason or result.verdict.status
        evals.record.record_match(passed, expected=sample.id, picked=program, sampled=reply, reason=why)

    def run(self, recorder: RecorderBase) -> dict[str, float]:
        """Ask for all tasks; return the share that passes."""
        self.eval_all_samples(recorder, self._tasks)
        return {"accuracy": evals.metrics.get_accuracy(recorder.get_events("match"))}


def _function_in(text: str) -> tuple[str, str]:
    """Return the module that a prompt ends in, and the last function of it that is at its top."""
    lines = text.split("\n")
    for start, line in enumerate(lines):
        if not line.startswith(("def ", "async def ", "from ", "import ", "class ", "@")):
            continue
        for stub in ("\n".join(lines[start:]), "\n".join(lines[start:]).rstrip() + "\n    ...\n"):
            tree = parse(stub)
            sites = [] if isinstance(tree, ParseFailure) else functions_in(tree)
            names = [site.qualname for site in sites if "." not in site.qualname]
            if names:
                return stub, names[-1]
    message = "the prompt ends in no Python function that could be written."
    raise ValueError(message)
