"""The docstring's examples: read without running them, and run on the original.

`>>>` examples are split by the standard library's parser; other forms are read by `prose_examples.py`.
"""

from __future__ import annotations

import ast
import builtins
import doctest
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, Limits, RecordedCall, SuiteJob, TestReport
from codeens_sandbox_backends.programs import CallInput, Encoded, Outcome, Program, Raised, Returned
from codeens_server.domain.evidence import Excluded
from codeens_server.domain.target import Target
from codeens_server.evidence.literal_calls import NotLiteral, expression, literal, literal_call
from codeens_server.evidence.oracle import keeps_promise
from codeens_server.evidence.prose_examples import prose_examples
from codeens_server.evidence.strategies.definitions import Definitions


class DocstringEvidence(Struct, frozen=True, kw_only=True):
    """What the docstring says and how the original lives up to it."""

    examples: tuple[DocExample, ...] = ()
    """Readable without running them."""
    recorded: tuple[RecordedCall, ...] = ()
    """Calls made by running `>>>` examples that pass."""
    failing: tuple[str, ...] = ()
    """Examples on which the original does something else than promised, as doctest confirms."""
    excluded: tuple[Excluded, ...] = ()


async def run_examples(
    target: Target, program: Program, source: str, *, limits: Limits, sandbox: Sandbox
) -> DocstringEvidence:
    """Read the examples, and run the `>>>` ones by doctest where there is a body to run.

    Args:
        target: the function.
        program: its module as it stands.
        source: text of the target's file.
        limits: of each job.
        sandbox: where the examples run.

    Raises:
        SandboxError: the sandbox failed.
    """
    examples = tuple(doc_examples(target, source))
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
    """Return those of the `>>>` examples that the original does not live up to.

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


class DocExample(NamedTuple):
    """One example with what it promises."""

    line: int
    """Of the docstring; 1-based."""
    input: CallInput
    promised: Outcome
    runnable: bool
    """It is a `>>>` example, which doctest can run and check."""


def has_doctests(target: Target) -> bool:
    """Return whether there is anything for doctest to run."""
    return target.docstring is not None and ">>>" in target.docstring


def doc_examples(target: Target, source: str = "") -> list[DocExample]:
    """Return all examples that call the target with literals and promise a literal or an exception, in order.

    Args:
        target: the function.
        source: text of its file. Examples of a method are read where it tells how an instance begins.
    """
    instance = only_instance(target, source)
    if target.docstring is None or target.kind in {"nested", "property"} or (target.kind == "method" and not instance):
        return []
    found = [*_prompted(target.docstring, target, instance), *_prose(target.docstring, target, instance)]
    return sorted(found, key=lambda example: example.line)


def only_instance(target: Target, source: str) -> Encoded:
    """Return the instance of the method's class, where all begin alike; else None."""
    owner = target.qualname.rpartition(".")[0]
    definitions = Definitions(source)
    if target.kind != "method" or owner not in definitions.classes or definitions.is_typed_dict(owner):
        return None
    fields = definitions.fields(owner)
    if fields is None or not all(field.fixed for field in fields):
        return None
    values = sorted((field.name, literal(field.annotation)) for field in fields)
    return ["object", f"{target.module}:{owner}", *([name, value] for name, value in values)]


def _prose(docstring: str, target: Target, instance: Encoded) -> Iterator[DocExample]:
    for line, call, want in prose_examples(docstring, target, instance):
        yield DocExample(line, call, Returned(value=want), runnable=False)


def _prompted(docstring: str, target: Target, instance: Encoded) -> Iterator[DocExample]:
    for example in _split(docstring):
        try:
            call, promised = _read(example, target, instance)
        except NotLiteral:
            continue
        yield DocExample(example.lineno + 1, call, promised, runnable=True)


def _split(docstring: str) -> list[doctest.Example]:
    """Return the examples of a docstring; where it is malformed, those of its parts that are not."""
    parser = doctest.DocTestParser()
    try:
        return parser.get_examples(docstring)
    except ValueError:
        return [example for part in _parts(docstring) for example in _one(parser, *part)]


def _one(parser: doctest.DocTestParser, first_line: int, text: str) -> list[doctest.Example]:
    try:
        examples = parser.get_examples(text)
    except ValueError:
        return []
    for example in examples:
        example.lineno += first_line
    return examples


def _parts(docstring: str) -> Iterator[tuple[int, str]]:
    """Return a part for each prompt, shifted to the left margin, with the index of its first line."""
    lines = docstring.splitlines()
    starts = [index for index, line in enumerate(lines) if line.lstrip().startswith(">>>")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield start, "\n".join(line.strip() for line in lines[start:end])


def _read(example: doctest.Example, target: Target, instance: Encoded) -> tuple[CallInput, Outcome]:
    if example.options:
        message = "the example has options"
        raise NotLiteral(message)
    node = expression(example.source)
    if isinstance(node, ast.Compare):
        return _read_comparison(node, example.want.strip(), target, instance)
    call = literal_call(node, target, instance)
    if example.exc_msg is not None:
        return call, Raised(type=_builtin_exception(example.exc_msg))
    return call, Returned(value=_wanted(example.want, target))


def _read_comparison(node: ast.Compare, want: str, target: Target, instance: Encoded) -> tuple[CallInput, Outcome]:
    """Read `f(1) == 2` and `f(1) is None`, which promise True whether or not that is written below them."""
    if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Eq, ast.Is)) or want not in {"", "True"}:
        message = "not a plain comparison"
        raise NotLiteral(message)
    return literal_call(node.left, target, instance), Returned(value=literal(node.comparators[0]))


def _wanted(want: str, target: Target) -> Encoded:
    """Return the literal below the example, or on its first line where prose follows without an empty line."""
    if not want.strip() or target.is_generator or target.returns == "None":
        message = "what is printed is not what is returned"
        raise NotLiteral(message)
    try:
        return literal(want.strip())
    except NotLiteral:
        return literal(want.strip().splitlines()[0].strip())


def _builtin_exception(message: str) -> str:
    name = message.partition(":")[0].strip()
    found = getattr(builtins, name, None)
    if isinstance(found, type) and issubclass(found, BaseException):
        return name
    unknown = "the exception's module is not known"
    raise NotLiteral(unknown)
