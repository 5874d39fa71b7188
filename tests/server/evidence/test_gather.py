"""The whole of gathering, on small workspaces in the real sandbox: what is found, and which mode it makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_sandbox_backends.programs import Encoded
from codeens_server.domain.evidence import Case
from codeens_server.errors import EvidenceError
from tests.server.evidence.conftest import Gather
from tests.server.evidence.workspaces import of_origin, reasons, value_of

pytestmark = pytest.mark.anyio


def _largest(case: Case) -> Encoded:
    """What `_TOP` gives for a case's arguments."""
    items, count = case.input.args
    return ["list", *sorted(items[1:], reverse=True)[:count]]


_TOP = '''
    def f(items, k):
        """The k largest.

        >>> f([3, 1, 2], 2)
        [3, 2]
        """
        return sorted(items, reverse=True)[:k]

    def best(items):
        return f(items, 1)[0]
'''


async def test_tests_doctests_recorded_calls_and_generated_inputs_all_count(evidence_of: Gather):
    tests = """
        import pytest
        from mod import f

        @pytest.fixture
        def made():
            return f([5, 6], 1)

        @pytest.mark.parametrize("k", [0, 1, 2])
        def test_top(k):
            assert len(f([1, 2, 3], k)) == k

        def test_by_fixture(made):
            assert made == [6]

        def test_something_else():
            assert True

        def test_broken_elsewhere():
            assert False
    """
    far = """
        import mod

        def test_best():
            assert mod.best([1, 9, 3]) == 9
    """
    evidence = await evidence_of({"mod.py": _TOP, "tests/test_mod.py": tests, "tests/test_far.py": far})
    assert evidence.mode == "improve"
    assert sorted(test.id for test in evidence.tests) == [
        "tests/test_far.py::test_best",
        "tests/test_mod.py::test_by_fixture",
        *(f"tests/test_mod.py::test_top[{k}]" for k in range(3)),
    ]
    assert evidence.indirect_tests == 1
    assert [(case.input.args, value_of(case)) for case in of_origin(evidence, "doctest")] == [
        ((["list", 3, 1, 2], 2), ["list", 3, 2])
    ]
    assert {case.label for case in of_origin(evidence, "recorded")} == {test.id for test in evidence.tests}
    generated = of_origin(evidence, "generated")
    assert 10 < len(generated) <= 16
    assert [value_of(case) for case in generated] == [_largest(case) for case in generated]
    assert all(case.expected is not None for case in evidence.cases)
    assert evidence.coverage is not None
    assert evidence.coverage.percent == 100.0
    assert "1 tests: they do not reach the function" in reasons(evidence)
    assert "1 failing tests: they do not reach the function" in reasons(evidence)
    assert evidence.notes == ()


async def test_failing_tests_that_reach_the_function_make_it_a_repair(evidence_of: Gather):
    files = {
        "mod.py": "def f(n: int) -> int:\n    return n + 1\n",
        "test_mod.py": "from mod import f\ndef test_a(): assert f(1) == 2\ndef test_b(): assert f(5) == 7\n",
    }
    evidence = await evidence_of(files)
    assert evidence.mode == "repair"
    assert {test.id: test.outcome for test in evidence.tests} == {
        "test_mod.py::test_a": "passed",
        "test_mod.py::test_b": "failed",
    }
    assert {case.input.args for case in of_origin(evidence, "recorded")} == {(1,), (5,)}
    assert all(case.expected is None for case in evidence.cases)


async def test_an_improvement_is_not_held_to_failing_tests_which_are_named(evidence_of: Gather):
    files = {
        "mod.py": "def f(n: int) -> int:\n    return n + 1\n",
        "test_mod.py": "from mod import f\ndef test_a(): assert f(1) == 2\ndef test_b(): assert f(5) == 7\n",
    }
    evidence = await evidence_of(files, mode="improve")
    assert [test.id for test in evidence.tests] == ["test_mod.py::test_a"]
    assert "1 test_mod.py::test_b: it fails before any change" in reasons(evidence)
    assert all(case.expected is not None for case in evidence.cases)


async def test_a_failing_example_makes_it_a_repair_and_promises_stay(evidence_of: Gather):
    source = '''
        def f(n: int) -> int:
            """
            >>> f(2)
            4
            >>> f(3)
            6
            """
            return n + 2
    '''
    repair = await evidence_of({"mod.py": source})
    assert repair.mode == "repair"
    assert [(case.input.args, value_of(case)) for case in of_origin(repair, "doctest")] == [((2,), 4), ((3,), 6)]
    assert all(case.value_only for case in of_origin(repair, "doctest"))
    improve = await evidence_of({"mod.py": source}, mode="improve")
    assert [(case.input.args, case.value_only) for case in of_origin(improve, "doctest")] == [((2,), False)]
    assert "1 docstring examples: the original itself does not do what the docstring says" in reasons(improve)


async def test_an_example_that_only_prints_otherwise_does_not_make_it_a_repair(evidence_of: Gather):
    source = '''
        def f(n: int):
            """
            >>> f(2)
            <a thing>
            """
            return n
    '''
    evidence = await evidence_of({"mod.py": source})
    assert evidence.mode == "improve"
    assert "1 groups of docstring examples: doctest fails on them" in reasons(evidence)


async def test_examples_with_computed_arguments_are_recorded_by_running_them(evidence_of: Gather):
    source = '''
        def f(items):
            """
            >>> sum(f([n * n for n in range(3)]))
            15
            """
            return [item + 1 + item for item in items] + [2]
    '''
    (case,) = of_origin(await evidence_of({"mod.py": source}), "doctest")
    assert case.input.args == (["list", 0, 1, 4],)
    assert value_of(case) == ["list", 1, 3, 9, 2]


async def test_a_stub_is_implemented_after_its_docstring(evidence_of: Gather):
    source = '''
        def f(word: str) -> str:
            """Example: f("ab") == "ba"."""
            ...
    '''
    evidence = await evidence_of({"mod.py": source})
    assert evidence.mode == "implement"
    assert [(case.input.args, value_of(case)) for case in of_origin(evidence, "doctest")] == [(("ab",), "ba")]
    assert all(case.expected is None for case in of_origin(evidence, "generated"))
    assert evidence.coverage is None
    with pytest.raises(EvidenceError, match="implement"):
        await evidence_of({"mod.py": source}, mode="improve")


async def test_repair_without_anything_that_fails_says_so(evidence_of: Gather):
    evidence = await evidence_of({"mod.py": "def f(n: int): return n\n"}, mode="repair")
    assert any("nothing says what is to be repaired" in note for note in evidence.notes)


async def test_a_function_that_asks_for_input_is_refused(evidence_of: Gather):
    source = "def f(prompt: str):\n    return input(prompt) + input()\n"
    with pytest.raises(EvidenceError, match=r"f needs input\(\)"):
        await evidence_of({"mod.py": source})


async def test_a_function_that_needs_the_network_is_refused_unless_tests_replace_it(evidence_of: Gather):
    source = """
        from urllib.request import urlopen

        def f(host: str):
            with urlopen("http://" + host) as answer:
                return answer.read()
    """
    with pytest.raises(EvidenceError, match="f needs the network"):
        await evidence_of({"mod.py": source}, max_inputs=4)
    tests = """
        import io
        import mod

        def test_a(monkeypatch):
            monkeypatch.setattr(mod, "urlopen", lambda url: io.BytesIO(url.encode()))
            assert mod.f("x") == b"http://x"
    """
    evidence = await evidence_of({"mod.py": source, "test_mod.py": tests}, max_inputs=4)
    assert [test.outcome for test in evidence.tests] == ["passed"]


async def test_thin_evidence_is_said_in_numbers(evidence_of: Gather):
    source = '''
        def f(a, b):
            """
            >>> f(object, 1)
            2
            """
            if b == 1:
                return 2
            b += 1
            b += 2
            return b
    '''
    evidence = await evidence_of({"mod.py": source}, max_inputs=0)
    assert evidence.notes == ("thin evidence: 1 input, 40 % of the lines run",)


async def test_a_module_that_cannot_be_loaded_is_named(evidence_of: Gather):
    with pytest.raises(EvidenceError, match=r"mod cannot be loaded in the sandbox.*no_such_package"):
        await evidence_of({"mod.py": "import no_such_package\ndef f(n: int): return n\n"})


async def test_a_project_that_is_the_home_folder_is_told_why_its_tests_are_not_seen(
    evidence_of: Gather, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    files = {"mod.py": _TOP, "test_mod.py": "from mod import f\n\ndef test_f():\n    assert f([1], 1) == [1]\n"}
    evidence = await evidence_of(files)
    assert not evidence.tests
    assert any("is the home folder" in note and "move the project" in note for note in evidence.notes)
