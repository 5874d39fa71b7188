"""Runs test files on the original in batches, within a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import structs

from codeens_sandbox_backends.base import Limits, Outcome, Program, Sandbox, SuiteJob, SuiteResult, TimedOut
from codeens_sandbox_backends.values.render import render_outcome

_FILES_PER_BATCH = 8
_SHARE_FOR_ONE = 0.5
"""Of the time that is left, for one batch: a test that hangs shall not cost the others theirs."""
_SHORTEST_S = 10.0
_NO_PYTEST = "pytest is not installed"
_HOPELESS = (_NO_PYTEST, "pytest could not start")
"""What pytest itself says when no other selection of files would do better."""


class Selected(NamedTuple):
    """A file, and what of it is to be run."""

    file: str
    ids: tuple[str, ...]


class Batches:
    """Results of what was run so far. A batch that crashes is run again file by file; one that hangs is not."""

    def __init__(self, root: str, program: Program, sandbox: Sandbox, limits: Limits) -> None:
        self._root = root
        self._program = program
        self._sandbox = sandbox
        self._limits = limits
        self.results: list[SuiteResult] = []
        self.broken: dict[str, Outcome] = {}
        """Files whose tests did not run to their end, and how they ended."""
        self.late: list[str] = []
        """Files that there was no time for."""
        self.spared: list[str] = []
        """Files that were not needed any more."""

    async def run(
        self, selection: Sequence[Selected], *, seconds: float, enough: Callable[[], bool] = lambda: False
    ) -> None:
        """Run the files in this order, until the time is used up or it is enough.

        Raises:
            SandboxError: the sandbox failed.
        """
        deadline = time.monotonic() + seconds
        pending = [selection[start : start + _FILES_PER_BATCH] for start in range(0, len(selection), _FILES_PER_BATCH)]
        while pending:
            batch, *pending = pending
            left = deadline - time.monotonic()
            if enough():
                self.spared += [selected.file for selected in batch]
            elif left < 1.0 or self.hopeless:
                self.late += [selected.file for selected in batch]
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

    async def _batch(self, batch: Sequence[Selected], left: float) -> list[Sequence[Selected]]:
        """Run some files; the smaller batches to run instead if that failed."""
        ids = tuple(test for selected in batch for test in selected.ids)
        result = await self._sandbox.run(self._job(ids, max(_SHORTEST_S, left * _SHARE_FOR_ONE)))
        ending = result.failure
        hopeless = ending is not None and any(sign in render_outcome(ending) for sign in _HOPELESS)
        if ending is not None and len(batch) > 1 and not hopeless and not isinstance(ending, TimedOut):
            return [[selected] for selected in batch]
        self.results.append(result)
        if ending is not None:
            files = [selected.file for selected in batch]
            self.broken.update(dict.fromkeys(files if hopeless else _unfinished(files, result), ending))
        return []

    def _job(self, ids: tuple[str, ...], seconds: float) -> SuiteJob:
        limits = structs.replace(self._limits, wall_s=seconds, cpu_s=seconds)
        return SuiteJob(
            kind="pytest", root=self._root, program=self._program, selection=ids, record=True, limits=limits
        )


def _unfinished(files: Sequence[str], result: SuiteResult) -> Sequence[str]:
    """From the file on in which the last test ended: it may have had more."""
    ended = {test.id.partition("::")[0] for test in result.tests}
    begun = [place for place, file in enumerate(files) if file in ended]
    return files[max(begun, default=0) :]
