"""Which tests of a workspace become evidence, as they end in the real sandbox."""

from __future__ import annotations

import venv
from pathlib import Path

import pytest

from codeens_server.evidence.tests.stability import FLAKY
from tests.server.evidence.conftest import Gather
from tests.server.evidence.workspaces import reasons

pytestmark = pytest.mark.anyio


async def test_tests_that_change_their_mind_are_set_aside_by_name(evidence_of: Gather):
    tests = """
        import pytest, random
        from mod import f

        SEEN = []

        def test_sound(): assert f(1) == 2

        @pytest.mark.parametrize("n", range(20))
        def test_by_chance(n): assert f(n) == n + 1 and random.random() < 0.5

        def test_before(): SEEN.append(1)

        def test_after(): assert f(4) == 5 and SEEN
    """
    evidence = await evidence_of(
        {"mod.py": "def f(n: int) -> int:\n    return n + 1\n", "test_mod.py": tests}, mode="improve"
    )
    assert "test_mod.py::test_sound" in {test.id for test in evidence.tests}
    aside = {entry.what: entry.why for entry in evidence.excluded}
    assert any(FLAKY in aside.get(f"test_mod.py::test_by_chance[{n}]", "") for n in range(20))
    assert aside["test_mod.py::test_after"] == FLAKY
    assert evidence.limits is not None


async def test_tests_that_are_deselected_judge_nobody_and_are_named(evidence_of: Gather):
    files = {
        "mod.py": "def f(n: int) -> int:\n    return n + 1\n",
        "test_mod.py": "from mod import f\ndef test_a(): assert f(1) == 2\ndef test_b(): assert f(5) == 7\n",
    }
    evidence = await evidence_of(files, deselect=("test_mod.py::test_b",))
    assert evidence.mode == "improve"
    assert [test.id for test in evidence.tests] == ["test_mod.py::test_a"]
    assert "1 test_mod.py::test_b: it was asked to be left out" in reasons(evidence)


async def test_a_nested_function_is_held_by_its_tests_only(evidence_of: Gather):
    files = {
        "mod.py": "def outer(n):\n    def inner(x):\n        return x + n\n    return inner(1)\n",
        "test_mod.py": "from mod import outer\ndef test_a(): assert outer(2) == 3\n",
    }
    evidence = await evidence_of(files, "outer.inner")
    assert evidence.cases == ()
    assert [test.id for test in evidence.tests] == ["test_mod.py::test_a"]


async def test_tests_that_were_asked_for_replace_discovery(evidence_of: Gather):
    files = {
        "mod.py": "def f(n): return n\n",
        "test_a.py": "from mod import f\ndef test_1(): assert f(1) == 1\n",
        "checks/b.py": "from mod import f\ndef test_2(): assert f(2) == 2\n",
    }
    evidence = await evidence_of(files, tests=("checks/b.py",))
    assert [test.id for test in evidence.tests] == ["checks/b.py::test_2"]


async def test_a_file_that_pytest_cannot_collect_is_set_aside_by_name(evidence_of: Gather):
    files = {
        "mod.py": "def f(n): return n\n",
        "test_a.py": "from mod import f\ndef test_1(): assert f(1) == 1\n",
        "test_b.py": "from mod import f, no_such_name\n",
    }
    evidence = await evidence_of(files)
    assert evidence.mode == "improve"
    assert [test.id for test in evidence.tests] == ["test_a.py::test_1"]
    assert "1 test_b.py: pytest cannot collect it" in reasons(evidence)


async def test_tests_that_fail_at_the_sandboxs_walls_do_not_make_it_a_repair(evidence_of: Gather):
    files = {
        "mod.py": "def f(n): return n\n",
        "test_a.py": """
            import pathlib
            from mod import f

            def test_1():
                f(1)
                pathlib.Path("/etc/here").write_text("x")
        """,
    }
    evidence = await evidence_of(files)
    assert evidence.mode == "improve"
    assert evidence.tests == ()
    assert "they need what the sandbox does not give" in reasons(evidence)


async def test_a_file_that_ends_the_process_does_not_take_the_others_with_it(evidence_of: Gather):
    files = {
        "mod.py": "def f(n): return n\n",
        "test_a.py": "from mod import f\ndef test_1(): assert f(1) == 1\n",
        "test_b.py": "import os\nfrom mod import f\ndef test_2():\n    f(2)\n    os._exit(0)\n",
        "test_c.py": "from mod import f\ndef test_3(): assert f(3) == 3\n",
    }
    evidence = await evidence_of(files)
    assert [test.id for test in evidence.tests] == ["test_a.py::test_1", "test_c.py::test_3"]
    assert "1 test_b.py: its tests did not run to their end" in reasons(evidence)


async def test_an_interpreter_without_pytest_is_said_with_the_fix(evidence_of: Gather, tmp_path: Path):
    venv.create(tmp_path / ".venv", with_pip=False)
    files = {"mod.py": "def f(n: int): return n\n", "test_a.py": "from mod import f\ndef test_1(): assert f(1) == 1\n"}
    evidence = await evidence_of(files)
    assert evidence.tests == ()
    assert any("pytest is not installed" in note and "Install it" in note for note in evidence.notes)
    assert len(evidence.cases) > 10
