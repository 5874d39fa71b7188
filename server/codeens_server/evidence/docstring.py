"""The docstring's examples, run on the original."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from codeens_sandbox_backends.base import CallsJob, Limits, Program, RecordedCall, Sandbox, SuiteJob, TestReport
from codeens_server.domain import Excluded, Target
from codeens_server.evidence.doctests import DocExample, doc_examples, has_doctests
from codeens_server.evidence.oracle import keeps_promise


class DocstringEvidence(Struct, frozen=True, kw_only=True):
    """What the docstring says and how the original lives up to it."""

    examples: tuple[DocExample, ...] = ()
    """Readable without running them."""
    recorded: tuple[RecordedCall, ...] = ()
    """Calls made by running `>>>` examples that pass."""
    failing: tuple[str, ...] = ()
    """Examples on which the original does something else than promised, as doctest confirms."""
    excluded: tuple[Excluded, ...] = ()


async def run_examples(target: Target, program: Program, *, limits: Limits, sandbox: Sandbox) -> DocstringEvidence:
    """Read the examples, and run the `>>>` ones by doctest where there is a body to run.

    Raises:
        SandboxError: the sandbox failed.
    """
    examples = tuple(doc_examples(target))
    if target.body_missing or target.kind == "nested" or not has_doctests(target):
        return DocstringEvidence(examples=examples)
    job = SuiteJob(kind="doctest", root=target.root, program=program, record=True, limits=limits)
    result = await sandbox.run(job)
    passed = {report.id for report in result.tests if report.outcome == "passed"}
    failed = [report for report in result.tests if report.outcome in {"failed", "error"}]
    broken = await _broken_promises(examples, program, limits, sandbox) if failed else ()
    return DocstringEvidence(
        examples=examples,
        recorded=tuple(call for call in result.recorded if call.test in passed),
        failing=broken,
        excluded=_unexplained(failed) if failed and not broken else (),
    )


async def _broken_promises(
    examples: Sequence[DocExample], program: Program, limits: Limits, sandbox: Sandbox
) -> tuple[str, ...]:
    """Of the `>>>` examples, those that the original does not live up to.

    Doctest alone may fail for how a value is written; here values are compared.
    """
    runnable = [example for example in examples if example.runnable]
    inputs = tuple(example.input for example in runnable)
    result = await sandbox.run(CallsJob(program=program, inputs=inputs, limits=limits))
    return tuple(
        f"docstring line {example.line}"
        for example, outcome in zip(runnable, result.outcomes, strict=True)
        if not keeps_promise(example.promised, outcome)
    )


def _unexplained(failed: Sequence[TestReport]) -> tuple[Excluded, ...]:
    why = "doctest fails on them, though no value is known to be wrong"
    return (Excluded(what="groups of docstring examples", count=len(failed), why=why),)
