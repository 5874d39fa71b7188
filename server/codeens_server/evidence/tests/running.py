"""The user's own tests: runs those that may reach the target on the original."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import anyio.to_thread

from codeens_sandbox_backends.base import Limits, Program, Sandbox
from codeens_server.domain import Target
from codeens_server.evidence.tests.batches import Batches, Selected
from codeens_server.evidence.tests.direct_tests import DirectTests, direct_tests
from codeens_server.evidence.tests.discovery import Discovery, discover, given_tests
from codeens_server.evidence.tests.triage import TestEvidence, is_enough, sort_out

Say: TypeAlias = Callable[[str], Awaitable[None]]

_SHARE_OF_TIME = 0.2
"""Of the whole run's seconds, for running the original's tests."""
_LONGEST_S = 120.0
_SHORTEST_S = 20.0
_FOR_MORE_S = 20.0
"""For finding indirect tests, once direct ones are known."""


async def run_tests(
    target: Target,
    program: Program,
    *,
    asked_for: Sequence[str],
    run_timeout_s: float,
    limits: Limits,
    sandbox: Sandbox,
    say: Say,
) -> TestEvidence:
    """Run the likely tests and keep those that reach the target: first those that name it, then whole files.

    Args:
        target: The function.
        program: The module as it stands.
        asked_for: Tests that replace discovery, when there are any.
        run_timeout_s: What the whole run may take: a share of it is for this.
        limits: What each job may take.
        sandbox: Where they run.
        say: Gets a sentence of progress.

    Raises:
        EvidenceError: tests that were asked for do not exist.
        SandboxError: the sandbox failed.
    """
    share = run_timeout_s * _SHARE_OF_TIME
    seconds = max(_SHORTEST_S, min(_LONGEST_S, share))
    batches = Batches(target.root, program, sandbox, limits)
    if asked_for:
        given = await anyio.to_thread.run_sync(given_tests, target, asked_for)
        await say(f"running the tests in {', '.join(given[:3])}")
        await batches.run([Selected(test.partition("::")[0], (test,)) for test in given], seconds=seconds)
        return await anyio.to_thread.run_sync(sort_out, target, batches, Discovery(given))
    found, direct = await anyio.to_thread.run_sync(_likely, target)
    if found.files:
        await say(f"running {len(found.files)} test {'file' if len(found.files) == 1 else 'files'}")
        await _run_likely(direct, batches, Batches(target.root, program, sandbox, limits), seconds)
    return await anyio.to_thread.run_sync(sort_out, target, batches, found)


def _likely(target: Target) -> tuple[Discovery, list[DirectTests]]:
    found = discover(target)
    name = target.qualname.rpartition(".")[2]
    return found, [direct_tests(Path(target.root), file, name) for file in found.files]


async def _run_likely(tests: list[DirectTests], batches: Batches, first: Batches, seconds: float) -> None:
    """Fill `batches`. Whatever goes wrong with single tests in `first` is found again with their file."""
    await first.run([Selected(item.file, item.ids) for item in tests if item.ids], seconds=seconds / 2)
    done = {item.file for item in tests if item.ids and item.is_all} - {*first.broken, *first.late}
    batches.results += first.results
    rest = [Selected(item.file, (item.file,)) for item in tests if item.file not in done]
    left = min(seconds / 2, _FOR_MORE_S) if is_enough(first.results, least=True) else seconds / 2
    await batches.run(rest, seconds=left, enough=lambda: is_enough(batches.results))
