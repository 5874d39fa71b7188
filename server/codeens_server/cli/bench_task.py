"""One task of a data set as what `codeens run` is about: `humaneval/17`, `humaneval/random`."""

from __future__ import annotations

import os
import secrets

from codeens import Code, Session
from codeens_server.bench.datasets.base import Item
from codeens_server.bench.datasets.loading import Filter, load_tasks
from codeens_server.bench.datasets.registry import dataset_names
from codeens_server.bench.preparing import shown
from codeens_server.bench.scripts import script_of
from codeens_server.domain.document import RunDocument
from codeens_server.domain.terms import ORIGINAL

RANDOM = "random"


def task_of(target: str) -> Item | None:
    """Return the task that a text names; None: it names none of a data set. Blocks.

    Raises:
        InputError: the data set has no such task, or nobody says where it is.
    """
    name, slash, identity = target.partition("/")
    if not slash or not identity or "::" in target or name not in dataset_names():
        return None
    wanted = Filter(sample=1, seed=secrets.randbits(32)) if identity == RANDOM else Filter(ids=(identity,))
    return load_tasks(name, None, os.environ, wanted=wanted).items[0]


def code_of(item: Item) -> Code:
    """Return what a model sees of a task."""
    name, module = shown(item)
    return Code(module, name)


async def told_by_its_tests(session: Session, item: Item, document: RunDocument) -> str:
    """Return what the data set's own tests, which the run did not have, say of its candidates.

    Raises:
        InputError: the task fails its own solution.
        SandboxError: the sandbox failed.
    """
    sources = {
        row.candidate.id: script_of("", row.candidate.source) if item.task.wants_script else row.candidate.source
        for row in document.results
        if row.candidate.id != ORIGINAL
    }
    if not sources:
        return ""
    report = await session.judge(item.task, sources)
    passed = [result.candidate.id for result in report.document.results if result.rank is not None]
    names = f": {', '.join(passed)}" if passed else ""
    return f"By the tests of {item.task.id}, which the run did not have, {len(passed)} of {len(sources)} pass{names}."
