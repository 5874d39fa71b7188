"""Inputs to time on that people give by a benchmark: a test that calls the function, or what makes inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio.to_thread
from msgspec import structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, Limits, SuiteJob
from codeens_sandbox_backends.programs import CallInput, Encoded, Program, Returned
from codeens_sandbox_backends.values.check import DICTS, open_node
from codeens_sandbox_backends.values.outcomes import labelled_in
from codeens_sandbox_backends.values.render import render_outcome
from codeens_sandbox_backends.worker.values.codec import KINDS
from codeens_server.domain.target import Target
from codeens_server.errors import EvidenceError, Hint, TargetError
from codeens_server.evidence.oracle import CandidateInput
from codeens_server.evidence.tests.discovery import given_tests
from codeens_server.evidence.tests.running import distinct_calls
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.find import find_target

_LONGEST_S = 60.0
_SEVERAL = frozenset({"list", "tuple", "iter", "deque"})
_MORE = ["more"]
_MOST_VALUES = 5_000_000


async def benchmark_inputs(
    benchmarks: Sequence[str], target: Target, program: Program, *, limits: Limits, sandbox: Sandbox
) -> list[CandidateInput]:
    """Return the inputs of benchmarks, each once, with the benchmark as its label.

    Args:
        benchmarks: `path.py::name`. What pytest would collect is run as a test, and the calls of the target are its
            inputs; any other function is called without arguments and returns, or yields, inputs: tuples of
            arguments, dicts of arguments by name, or the only argument.
        target: the function.
        program: its module as it stands, which is watched while tests run.
        limits: of a job; a benchmark may take longer.
        sandbox: where they run.

    Raises:
        EvidenceError: a benchmark does not exist, fails, or gives no input.
        SandboxError: the sandbox failed.
    """
    limits = structs.replace(limits, wall_s=_LONGEST_S, cpu_s=_LONGEST_S, call_s=_LONGEST_S)
    found: list[CandidateInput] = []
    for name in await anyio.to_thread.run_sync(given_tests, target, benchmarks):
        if _is_test(name):
            calls = await _recorded(name, target, program, limits, sandbox)
        else:
            calls = await _made(name, target, program, limits, sandbox)
        found += [CandidateInput(origin="benchmark", input=call, label=name) for call in calls]
    return found


def unusable(name: str, why: str) -> EvidenceError:
    """Return what is said of a benchmark that nothing can be timed on."""
    return EvidenceError(f"the benchmark {name} {why}", code="benchmark", hint=Hint("option", "bench"))


def _is_test(name: str) -> bool:
    _, _, inside = name.partition("::")
    return not inside or inside.rpartition("::")[2].startswith("test")


async def _recorded(name: str, target: Target, program: Program, limits: Limits, sandbox: Sandbox) -> list[CallInput]:
    job = SuiteJob(kind="pytest", root=target.root, program=program, selection=(name,), record=True, limits=limits)
    result = await sandbox.run(job)
    failed = next((test for test in result.tests if test.outcome in {"failed", "error"}), None)
    if result.failure is not None:
        raise unusable(name, f"does not run to its end: {render_outcome(result.failure)}.")
    if failed is not None:
        raise unusable(name, f"fails: {failed.message.strip().splitlines()[-1] if failed.message else failed.outcome}")
    calls = [call.input for call in distinct_calls(result.recorded, [])]
    if not calls:
        unencodable = f" with values that can be sent ({', '.join(result.unencodable_types)} cannot)"
        raise unusable(name, f"does not call {target.qualname}{unencodable if result.unencodable_types else ''}.")
    return calls


async def _made(name: str, target: Target, program: Program, limits: Limits, sandbox: Sandbox) -> list[CallInput]:
    try:
        maker = await anyio.to_thread.run_sync(lambda: find_target(name, cwd=Path(target.root)))
    except TargetError as error:
        raise unusable(name, f"cannot be used: {error}") from None
    if any(not parameter.has_default for parameter in maker.parameters):
        raise unusable(name, "takes arguments; one that makes inputs has none, and a test's name begins with test.")
    maker_program = await anyio.to_thread.run_sync(program_for, maker, None)
    # The target's own file is not there inside: it is served from memory.
    maker_program = structs.replace(
        maker_program,
        modules=(*maker_program.modules, *(one for one in program.modules if one.name != maker_program.module)),
        sys_path=tuple(dict.fromkeys((*maker_program.sys_path, *program.sys_path))),
    )
    (outcome,) = (await sandbox.run(CallsJob(program=maker_program, inputs=(CallInput(),), limits=limits))).outcomes
    node = open_node(_Unshared(name, outcome).of(outcome.value)) if isinstance(outcome, Returned) else None
    if node is None or node.tag not in _SEVERAL or not node.children:
        raise unusable(name, f"must return or yield inputs; it gives {render_outcome(outcome)}.")
    return [_input(item) for item in node.children]


class _Unshared:
    """Writes out what several inputs have in common: each is to have its own."""

    def __init__(self, name: str, outcome: Returned) -> None:
        self._name = name
        self._known = labelled_in(outcome)
        self._left = _MOST_VALUES

    def of(self, encoded: Encoded) -> Encoded:
        """Return a value without labels.

        Raises:
            EvidenceError: it becomes too large.
        """
        self._left -= 1
        if self._left < 0:
            raise unusable(self._name, "gives inputs that are too large.")
        node = open_node(encoded)
        if node.tag == "ref":
            return self.of(self._known[node.head[0]])
        if node.tag == "shared":
            return self.of(node.children[0])
        if not node.children:
            return encoded
        start = 1 + len(KINDS[node.tag].head)
        if KINDS[node.tag].below in {"pairs", "fields"}:
            below = [[self.of(key), self.of(value)] for key, value in encoded[start:]]
        else:
            below = [part if part == _MORE else self.of(part) for part in encoded[start:]]
        return [*encoded[:start], *below]


def _input(item: Encoded) -> CallInput:
    node = open_node(item)
    if node.tag == "tuple":
        return CallInput(args=tuple(node.children))
    if node.tag in DICTS and node.pairs and all(isinstance(key, str) for key, _ in node.pairs):
        return CallInput(kwargs=dict(node.pairs))
    return CallInput(args=(item,))
