"""Tries candidates for functions of one module on given inputs, all in one sandbox."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anyio

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.programs import CallInput
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.domain.evidence import Evidence
from codeens_server.domain.target import Target
from codeens_server.domain.verdict import Verdict
from codeens_server.evidence.oracle import CandidateInput, ask_original
from codeens_server.judging.judge import judge
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.find import find_target
from tests.server.judging.rooms import candidate_of, local_sandbox


class Made(NamedTuple):
    """An argument that only the module itself can make, as it is encoded."""

    encoded: Any


class Try(NamedTuple):
    """A function, inputs, and candidates: what to call them, whether they are right, and their source."""

    name: str
    inputs: list[tuple[Any, ...]]
    candidates: dict[tuple[str, bool], str]


def tries_of(statements: Mapping[str, str]) -> list[Try]:
    """Functions of one number that have an effect: with a statement that has the same one, and with none."""
    return [
        Try(
            name,
            [(1,), (2,)],
            {
                ("the same", True): f"def {name}(number):\n    {statement}\n    return number",
                ("nothing", False): f"def {name}(number):\n    return number",
            },
        )
        for name, statement in statements.items()
    ]


def labels(tries: Sequence[Try]) -> list[tuple[str, str, bool]]:
    """What is tried: function, candidate, and whether it is right."""
    return [(attempt.name, *label) for attempt in tries for label in attempt.candidates]


def verdicts_of(
    folder: Path, module: str, tries: Sequence[Try], *, beside: Mapping[str, str] | None = None
) -> dict[str, dict[str, Verdict]]:
    """Verdicts by function and candidate.

    Args:
        folder: becomes the workspace.
        module: what `kept.py` is.
        tries: functions of it.
        beside: further files, by name.
    """
    files = {"pyproject.toml": "[project]\nname = 'w'\n", "kept.py": textwrap.dedent(module), **(beside or {})}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")

    async def every() -> dict[str, dict[str, Verdict]]:
        async with local_sandbox(find_target(f"kept.py::{tries[0].name}", cwd=folder)) as sandbox:
            return {
                attempt.name: await _verdicts(attempt, find_target(f"kept.py::{attempt.name}", cwd=folder), sandbox)
                for attempt in tries
            }

    return anyio.run(every)


def _encoded(argument: Any) -> Any:
    return argument.encoded if isinstance(argument, Made) else encode(argument)


async def _verdicts(attempt: Try, target: Target, sandbox: Sandbox) -> dict[str, Verdict]:
    proposals = [
        CandidateInput(origin="recorded", input=CallInput(args=tuple(map(_encoded, args))), label="a test")
        for args in attempt.inputs
    ]
    answers = await ask_original(
        program_for(target, None), proposals, guessed=False, typed=True, limits=Limits(), sandbox=sandbox
    )
    assert len(answers.cases) == len(proposals), answers.excluded
    evidence = Evidence(mode="improve", cases=answers.cases, variables=answers.variables, too_large=answers.too_large)
    found: dict[str, Verdict] = {}
    for (label, _), source in attempt.candidates.items():
        *helpers, function = source.split("\n\n\n")
        candidate = candidate_of(function, helpers=tuple(helpers))
        judged = await judge(candidate, target=target, evidence=evidence, sandbox=sandbox, sandbox_label="")
        found[label] = judged.verdict
    return found
