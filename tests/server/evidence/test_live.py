"""The function that is judged is the one that runs: a definition that this Python does not take is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import CallInput, Returned
from codeens_server.domain.evidence import Evidence
from codeens_server.domain.target import Candidate, Target
from codeens_server.domain.verdict import Verdict
from codeens_server.errors import EvidenceError, TargetError
from codeens_server.evidence.live import find_live
from codeens_server.judging.judge import judge
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.find import find_target
from tests.server.evidence.conftest import Gather
from tests.server.evidence.workspaces import write
from tests.server.judging.rooms import candidate_of, local_sandbox

pytestmark = pytest.mark.anyio
HELPERS = {
    "quick.py": "def total(xs):\n    return sum(xs)\n",
    "decorators.py": """
        import functools

        def plain(f):
            def inner(*args):
                return f(*args)
            return inner

        def other(f):
            return lambda xs: 42

        class Holder:
            def __init__(self, f):
                self.callback = f

        class Callable(Holder):
            def __call__(self, *args):
                raise SystemExit("a command")

        ROUTES = []

        def route(f):
            ROUTES.append(f)

        def command(f):
            return Callable(f)
    """,
}
LIVE = {
    "version": "import sys\nif sys.version_info >= (3, 8):\n    def total(xs):\n        return sum(xs)\n"
    "else:\n    def total(xs):\n        return 0\n",
    "fallback": "try:\n    import no_such_module\nexcept ImportError:\n    def total(xs):\n        return sum(xs)\n",
    "wrapped": "import functools\n@functools.lru_cache\ndef total(xs):\n    return sum(xs)\n",
    "decorated_below": "from decorators import plain\ndef total(xs):\n    return sum(xs)\ntotal = plain(total)\n",
    "without_wraps": "from decorators import plain\n@plain\ndef total(xs):\n    return sum(xs)\n",
    "single": "import functools\n@functools.singledispatch\ndef total(xs):\n    return sum(xs)\n",
}
DEAD = {
    "old": ("import sys\nif sys.version_info < (3, 8):\n    def total(xs):\n        return 0\n", 3, "has no function"),
    "else_branch": (
        LIVE["version"],
        6,
        "takes the one at line 3",
    ),
    "handler": (
        "try:\n    from quick import total\nexcept ImportError:\n    def total(xs):\n        return 0\n",
        4,
        "quick.py:1",
    ),
    "import_below": ("def gcd(a, b):\n    return 0\nfrom math import gcd\n", 1, "takes math.gcd"),
    "star_below": ("def total(xs):\n    return 0\nfrom quick import *\n", 1, "quick.py:1"),
    "rebound": ("def total(xs):\n    return 0\ntotal = lambda xs: sum(xs)\n", 1, "at line 3"),
    "dropped": ("from decorators import other\n@other\ndef total(xs):\n    return 0\n", 2, "decorators.py:"),
    "deleted": ("def total(xs):\n    return 0\ndel total\n", 1, "has no function"),
    "typing_only": (
        "import typing\nif typing.TYPE_CHECKING:\n    def total(xs): return 0\nelse:\n    from quick import total\n",
        3,
        "quick.py:1",
    ),
    "method": ("class A:\n    def total(self):\n        return 0\nA.total = lambda self: 1\n", 2, "at line 4"),
}
HELD = {
    "command": (
        "from decorators import command\n@command\ndef total(xs):\n    return sum(xs)\n",
        "decorators:Callable",
    ),
    "route": ("from decorators import route\n@route\ndef total(xs):\n    return sum(xs)\n", "NoneType"),
    "object": ("from decorators import Holder\n@Holder\ndef total(xs):\n    return sum(xs)\n", "decorators:Holder"),
    "partial": ("import functools\ndef total(xs):\n    return sum(xs)\ntotal = functools.partial(total, [1])\n", None),
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("live")
    sources = {**LIVE, **{name: row[0] for name, row in {**DEAD, **HELD}.items()}}
    write(root, {**HELPERS, **{f"{name}.py": source for name, source in sources.items()}})
    return root


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def sandbox(workspace: Path, anyio_backend: str) -> AsyncIterator[Sandbox]:
    async with local_sandbox(find_target("wrapped.py::total", cwd=workspace)) as opened:
        yield opened


async def holder_of(target: Target, sandbox: Sandbox) -> str | None:
    return (await find_live(program_for(target, None), limits=Limits(), sandbox=sandbox)).holder


async def verdict_of(candidate: Candidate, target: Target, sandbox: Sandbox, holder: str = "") -> Verdict:
    evidence = Evidence(mode="improve", holder=holder)
    judged = await judge(candidate, target=target, evidence=evidence, sandbox=sandbox, sandbox_label="local")
    return judged.verdict


@pytest.mark.parametrize("name", LIVE)
async def test_a_definition_that_callers_reach_is_offered(name: str, workspace: Path, sandbox: Sandbox):
    target = find_target(f"{name}.py::total", cwd=workspace)
    assert await holder_of(target, sandbox) == ""


@pytest.mark.parametrize("name", DEAD)
async def test_a_definition_that_nobody_runs_is_refused_with_what_runs_instead(
    name: str, workspace: Path, sandbox: Sandbox
):
    _, line, why = DEAD[name]
    with pytest.raises(EvidenceError, match=why) as refused:
        await holder_of(find_target(f"{name}.py:{line}", cwd=workspace), sandbox)
    assert refused.value.code == "not_live"


@pytest.mark.parametrize("name", HELD)
async def test_a_function_behind_an_object_is_found_by_its_code_and_called_itself(
    name: str, workspace: Path, sandbox: Sandbox
):
    source, holder = HELD[name]
    target = find_target(f"{name}.py::total", cwd=workspace)
    assert await holder_of(target, sandbox) == (holder or "functools:partial")
    job = CallsJob(program=program_for(target, None), inputs=(CallInput(args=(["list", 1, 2],)),))
    outcome = (await sandbox.run(job)).outcomes[0]
    assert isinstance(outcome, Returned), source
    assert outcome.value == 3


async def test_a_candidate_in_whose_place_other_code_runs_is_refused(workspace: Path, sandbox: Sandbox):
    target = find_target("fallback.py::total", cwd=workspace)
    hidden = candidate_of(
        "@hide\ndef total(xs):\n    return 42\n", helpers=("def hide(f):\n    return lambda xs: sum(xs)\n",)
    )
    verdict = await verdict_of(hidden, target, sandbox)
    assert verdict.status == "refused"
    assert "is not the one that runs" in verdict.reason


async def test_a_candidate_that_puts_an_object_in_place_of_the_function_is_refused(workspace: Path, sandbox: Sandbox):
    target = find_target("fallback.py::total", cwd=workspace)
    held = candidate_of(
        "@Kept\ndef total(xs):\n    return sum(xs)\n",
        helpers=("class Kept:\n    def __init__(self, f):\n        self.f = f\n",),
    )
    verdict = await verdict_of(held, target, sandbox)
    assert verdict.status == "refused"
    assert "a fallback.Kept stands under its name, and a function in the original" in verdict.reason


async def test_a_candidate_is_found_below_its_own_imports_and_helpers(workspace: Path, sandbox: Sandbox):
    target = find_target("route.py::total", cwd=workspace)
    moved = candidate_of(
        "# quicker\n@route\ndef total(xs):\n    return added(xs)\n",
        imports=("import math", "import operator"),
        helpers=("def added(xs):\n    # one by one\n    return math.fsum(xs)\n",),
    )
    verdict = await verdict_of(moved, target, sandbox, "NoneType")
    assert verdict.status == "passed", verdict


async def test_tests_count_that_call_a_command_through_the_object_that_holds_it(evidence_of: Gather):
    files = {
        **HELPERS,
        "mod.py": """
            from decorators import command

            @command
            def f(names, skip=()):
                return [name for name in names if name not in skip]
        """,
        "test_mod.py": """
            import mod

            def test_it():
                assert mod.f.callback(["a", "b"], skip=("b",)) == ["a"]
        """,
    }
    evidence = await evidence_of(files)
    assert [test.id for test in evidence.tests] == ["test_mod.py::test_it"]
    assert evidence.count("recorded") == 1
    assert evidence.holder == "decorators:Callable"
    assert any("held by a decorators.Callable" in note for note in evidence.notes)


async def test_a_dead_definition_ends_the_gathering_before_its_tests_run(evidence_of: Gather):
    source = "try:\n    from quick import total as f\nexcept ImportError:\n    def f(xs):\n        return 0\n"
    with pytest.raises(EvidenceError, match="is not the one that runs"):
        await evidence_of({**HELPERS, "mod.py": source})


def test_definitions_in_branches_are_alternatives_and_the_likely_one_is_meant_by_the_name(tmp_path: Path):
    write(
        tmp_path,
        {
            "mod.py": """
                import sys
                try:
                    import no_such_module
                except ImportError:
                    def fast(xs):
                        return sum(xs)
                else:
                    def fast(xs):
                        return no_such_module.sum(xs)

                if sys.platform == "nowhere" or sys.version_info < (3,):
                    def far(xs): return 1
                else:
                    def far(xs): return 2

                if helper():
                    def open_question(xs): return 1
                else:
                    def open_question(xs): return 2
            """
        },
    )
    assert find_target("mod.py::fast", cwd=tmp_path).line == 6
    assert find_target("mod.py:9", cwd=tmp_path).line == 9
    assert find_target("mod.py:7", cwd=tmp_path).line == 6
    assert find_target("mod.py::far", cwd=tmp_path).line == 15
    with pytest.raises(TargetError, match="Name one by its line"):
        find_target("mod.py::open_question", cwd=tmp_path)
    assert find_target("mod.py:18", cwd=tmp_path).line == 18


def test_a_property_is_named_by_its_getter(tmp_path: Path):
    source = """
        class Box:
            @property
            def size(self):
                return self.half * 2

            @size.setter
            def size(self, value):
                self.half = value // 2
    """
    write(tmp_path, {"mod.py": source})
    assert find_target("mod.py::Box.size", cwd=tmp_path).line == 3
