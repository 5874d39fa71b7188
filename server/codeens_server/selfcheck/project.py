"""A workspace with a function, its tests and a generated input, in which candidates are judged as in a run."""

from __future__ import annotations

import py_compile
import secrets
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from anyio import to_thread

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.jobs import CallsJob, SuiteJob
from codeens_sandbox_backends.programs import CallInput
from codeens_sandbox_backends.values.outcomes import EFFECTS
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.judging.judge import judge
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.find import find_target

_MODULE = '''\
KEY = {key}


def price(count):
    """What so many cost."""
    return count * 3 + {key}
'''
_TESTS = """\
from shop import price


def test_none():
    assert price(0) == {none}


def test_some():
    assert price(7) == {some}
"""
RIGHT = "def price(count):\n    return count + count + count + KEY\n"
WRONG = "def price(count):\n    return count * 3\n"
_GENERATED = (1, 12, 1000)


class Project:
    """The workspace. Its key is in the module and in what the tests expect."""

    def __init__(self, folder: Path) -> None:
        key = 10**11 + secrets.randbelow(10**11)
        (folder / "pyproject.toml").write_text("", encoding="utf-8")
        module = folder / "shop.py"
        module.write_text(_MODULE.format(key=key), encoding="utf-8")
        py_compile.compile(str(module), doraise=True)
        history = folder / ".git" / "objects" / "00" / "0"
        history.parent.mkdir(parents=True)
        history.write_bytes(zlib.compress(module.read_bytes()))
        for copy in ("build/lib/shop.py", "worktrees/fix/shop.py", "shop_before.py", "shop.py~"):
            (folder / copy).parent.mkdir(parents=True, exist_ok=True)
            (folder / copy).write_bytes(module.read_bytes())
        tests = _TESTS.format(none=key, some=21 + key)
        (folder / "test_shop.py").write_text(tests, encoding="utf-8")
        self.target: Target = find_target("shop.py::price", cwd=folder)

    async def evidence(self, sandbox: Sandbox) -> Evidence:
        """The tests as they end on the original, the calls they make, and other calls.

        Raises:
            SandboxError: the sandbox failed, or the tests could not be run in it.
        """
        program = await to_thread.run_sync(program_for, self.target, None)
        suite = await sandbox.run(
            SuiteJob(kind="pytest", root=self.target.root, program=program, selection=("test_shop.py",), record=True)
        )
        if suite.failure is not None or not suite.recorded:
            raise SandboxBroken(f"the tests of a workspace did not run: {suite.failure or suite.stderr[-500:]}")
        inputs = tuple(CallInput(args=(encode(count),)) for count in _GENERATED)
        known = await sandbox.run(CallsJob(program=program, inputs=inputs, effects=True))
        recorded = [
            Case(id=str(index), origin="recorded", input=call.input, expected=call.outcome, uncompared=(EFFECTS,))
            for index, call in enumerate(suite.recorded)
        ]
        generated = [
            Case(id=f"g{index}", origin="generated", input=call, expected=outcome)
            for index, (call, outcome) in enumerate(zip(inputs, known.outcomes, strict=True))
        ]
        return Evidence(mode="improve", cases=(*recorded, *generated), tests=suite.tests)

    async def status(self, function: str, evidence: Evidence, sandbox: Sandbox) -> str:
        """The status of the verdict on a new function.

        Raises:
            SandboxError: the sandbox failed.
        """
        replacement = Replacement(function=function)
        candidate = Candidate(id="c", model="", variant="", source=function, replacement=replacement, digest="")
        judged = await judge(
            candidate, target=self.target, evidence=evidence, sandbox=sandbox, sandbox_label="selfcheck"
        )
        return judged.verdict.status


@asynccontextmanager
async def open_project() -> AsyncGenerator[Project]:
    """A project in a temporary folder."""
    with TemporaryDirectory(prefix="codeens-selfcheck-") as folder:
        yield await to_thread.run_sync(_project, folder)


def _project(folder: str) -> Project:
    place = Path(folder).resolve()
    place.chmod(0o755)  # some backends run code as another user
    return Project(place)
