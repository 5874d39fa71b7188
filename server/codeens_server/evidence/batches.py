"""Runs test files on the original in batches, within a time."""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec import structs

from codeens_sandbox_backends.base import Limits, Outcome, Program, Sandbox, SuiteJob, SuiteResult, TimedOut
from codeens_server.trees import render_outcome

_FILES_PER_BATCH = 8
_SHARE_FOR_ONE = 0.5
"""Of the time that is left, for one batch: a test that hangs shall not cost the others theirs."""
_SHORTEST_S = 10.0
_NO_PYTEST = "pytest is not installed"
_HOPELESS = (_NO_PYTEST, "pytest could not start")
"""What pytest itself says when no other selection of files would do better."""


class Batches:
    """Results of the files run so far. A batch that crashes is run again file by file; one that hangs is not."""

    def __init__(self, root: str, program: Program, sandbox: Sandbox, limits: Limits, *, seconds: float) -> None:
        self._root = root
        self._program = program
        self._sandbox = sandbox
        self._limits = limits
        self._deadline = time.monotonic() + seconds
        self.results: list[SuiteResult] = []
        self.broken: dict[str, Outcome] = {}
        """Files whose tests did not run to their end, and how they ended."""
        self.not_run: list[str] = []

    async def run(self, files: Sequence[str]) -> None:
        """Run the files in this order.

        Raises:
            SandboxError: the sandbox failed.
        """
        pending = [files[start : start + _FILES_PER_BATCH] for start in range(0, len(files), _FILES_PER_BATCH)]
        while pending:
            batch, *pending = pending
            left = self._deadline - time.monotonic()
            if left < 1.0 or self.hopeless:
                self.not_run += batch
            else:
                pending = [*await self._batch(batch, left), *pending]

    @property
    def hopeless(self) -> str:
        """Why no file can be run at all; empty when some can."""
        endings = [render_outcome(ending) for ending in self.broken.values()]
        return next((ending for ending in endings if any(sign in ending for sign in _HOPELESS)), "")

    @property
    def no_pytest(self) -> bool:
        """Whether the interpreter has no pytest."""
        return _NO_PYTEST in self.hopeless

    async def _batch(self, files: Sequence[str], left: float) -> list[Sequence[str]]:
        """Run some files; the smaller batches to run instead if that failed."""
        result = await self._sandbox.run(self._job(tuple(files), max(_SHORTEST_S, left * _SHARE_FOR_ONE)))
        ending = result.failure
        hopeless = ending is not None and any(sign in render_outcome(ending) for sign in _HOPELESS)
        if ending is not None and len(files) > 1 and not hopeless and not isinstance(ending, TimedOut):
            return [[file] for file in files]
        self.results.append(result)
        if ending is not None:
            self.broken.update(dict.fromkeys(files if hopeless else _unfinished(files, result), ending))
        return []

    def _job(self, files: tuple[str, ...], seconds: float) -> SuiteJob:
        limits = structs.replace(self._limits, wall_s=seconds, cpu_s=seconds)
        return SuiteJob(
            kind="pytest", root=self._root, program=self._program, selection=files, record=True, limits=limits
        )


def _unfinished(files: Sequence[str], result: SuiteResult) -> Sequence[str]:
    """From the file on in which the last test ended: it may have had more."""
    begun = [
        place for place, file in enumerate(files) if any(test.id.partition("::")[0] == file for test in result.tests)
    ]
    return files[max(begun, default=0) :]
