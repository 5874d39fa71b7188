"""The whole of gathering, on small workspaces in the real sandbox."""

from __future__ import annotations

import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from codeens_sandbox_backends.programs import Encoded, Raised, Returned
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.errors import EvidenceError
from codeens_server.evidence.oracle import keeps_promise
from codeens_server.evidence.tests.stability import FLAKY
from tests.server.evidence.conftest import Gather

pytestmark = pytest.mark.anyio


def _of(evidence: Evidence, origin: str) -> list[Case]:
    return [case for case in evidence.cases if case.origin == origin]


def _value(case: Case) -> object:
    assert isinstance(case.expected, Returned)
    return case.expected.value


def _largest(case: Case) -> Encoded:
    """What `_TOP` gives for a case's arguments."""
    items, count = case.input.args
    return ["list", *sorted(items[1:], reverse=True)[:count]]


def _why(evidence: Evidence) -> str:
    return "; ".join(f"{entry.count} {entry.what}: {entry.why}" for entry in evidence.excluded)


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
    assert [(case.input.args, _value(case)) for case in _of(evidence, "doctest")] == [
        ((["list", 3, 1, 2], 2), ["list", 3, 2])
    ]
    assert {case.label for case in _of(evidence, "recorded")} == {test.id for test in evidence.tests}
    generated = _of(evidence, "generated")
    assert 10 < len(generated) <= 16
    assert [_value(case) for case in generated] == [_largest(case) for case in generated]
    assert all(case.expected is not None for case in evidence.cases)
    assert evidence.coverage is not None
    assert evidence.coverage.percent == 100.0
    assert "1 tests: they do not reach the function" in _why(evidence)
    assert "1 failing tests: they do not reach the function" in _why(evidence)
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
    assert {case.input.args for case in _of(evidence, "recorded")} == {(1,), (5,)}
    assert all(case.expected is None for case in evidence.cases)


async def test_an_improvement_is_not_held_to_failing_tests_which_are_named(evidence_of: Gather):
    files = {
        "mod.py": "def f(n: int) -> int:\n    return n + 1\n",
        "test_mod.py": "from mod import f\ndef test_a(): assert f(1) == 2\ndef test_b(): assert f(5) == 7\n",
    }
    evidence = await evidence_of(files, mode="improve")
    assert [test.id for test in evidence.tests] == ["test_mod.py::test_a"]
    assert "1 test_mod.py::test_b: it fails before any change" in _why(evidence)
    assert all(case.expected is not None for case in evidence.cases)


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
    assert "1 test_mod.py::test_b: it was asked to be left out" in _why(evidence)


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
    assert [(case.input.args, _value(case)) for case in _of(repair, "doctest")] == [((2,), 4), ((3,), 6)]
    assert all(case.value_only for case in _of(repair, "doctest"))
    improve = await evidence_of({"mod.py": source}, mode="improve")
    assert [(case.input.args, case.value_only) for case in _of(improve, "doctest")] == [((2,), False)]
    assert "1 docstring examples: the original itself does not do what the docstring says" in _why(improve)


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
    assert "1 groups of docstring examples: doctest fails on them" in _why(evidence)


async def test_examples_with_computed_arguments_are_recorded_by_running_them(evidence_of: Gather):
    source = '''
        def f(items):
            """
            >>> sum(f([n * n for n in range(3)]))
            15
            """
            return [item + 1 + item for item in items] + [2]
    '''
    (case,) = _of(await evidence_of({"mod.py": source}), "doctest")
    assert case.input.args == (["list", 0, 1, 4],)
    assert _value(case) == ["list", 1, 3, 9, 2]


async def test_a_stub_is_implemented_after_its_docstring(evidence_of: Gather):
    source = '''
        def f(word: str) -> str:
            """Example: f("ab") == "ba"."""
            ...
    '''
    evidence = await evidence_of({"mod.py": source})
    assert evidence.mode == "implement"
    assert [(case.input.args, _value(case)) for case in _of(evidence, "doctest")] == [(("ab",), "ba")]
    assert all(case.expected is None for case in _of(evidence, "generated"))
    assert evidence.coverage is None
    with pytest.raises(EvidenceError, match="implement"):
        await evidence_of({"mod.py": source}, mode="improve")


async def test_repair_without_anything_that_fails_says_so(evidence_of: Gather):
    evidence = await evidence_of({"mod.py": "def f(n: int): return n\n"}, mode="repair")
    assert any("nothing says what is to be repaired" in note for note in evidence.notes)


async def test_mutated_arguments_are_part_of_what_is_expected(evidence_of: Gather):
    evidence = await evidence_of({"mod.py": "def f(xs: list[int]) -> None:\n    xs.reverse()\n"})
    assert all(
        isinstance(case.expected, Returned) and case.expected.args[0] == ["list", *case.input.args[0][:0:-1]]
        for case in evidence.cases
    )


async def test_exceptions_are_kept_in_the_minority(evidence_of: Gather):
    source = "def f(n: int) -> int:\n    if n != 3:\n        raise ValueError(n)\n    return n\n"
    evidence = await evidence_of({"mod.py": source}, max_inputs=60)
    raised = [case for case in evidence.cases if isinstance(case.expected, Raised)]
    assert len(raised) <= len(evidence.cases) / 3
    assert "the original raises" in _why(evidence)


async def test_what_differs_between_two_runs_is_set_aside(evidence_of: Gather):
    source = """
        import os, random

        calls = []

        def f(n: int):
            return os.urandom(8)

        def drawn(n: int):
            return n + random.random()

        def counted(n: int):
            calls.append(n)
            return len(calls)
    """
    evidence = await evidence_of({"mod.py": source})
    assert evidence.cases == ()
    assert "differs between runs of the original" in _why(evidence)
    assert any("no call of the function" in note for note in evidence.notes)
    counted = await evidence_of({"mod.py": source}, "counted")
    assert {_value(case) for case in counted.cases} == {1}
    assert (await evidence_of({"mod.py": source}, "drawn")).cases != ()


async def test_what_only_the_order_of_a_set_decides_is_kept(evidence_of: Gather):
    evidence = await evidence_of({"mod.py": "def f(words: list[str]):\n    return list(set(words))\n"})
    assert _why(evidence) == ""
    assert any(len(set(case.input.args[0][1:])) > 3 for case in evidence.cases)


async def test_a_call_that_depends_on_more_than_its_arguments_is_set_aside(evidence_of: Gather):
    files = {
        "mod.py": "RATE = 2\ndef f(n):\n    return n * RATE\n",
        "test_mod.py": """
            import mod

            def test_a(monkeypatch):
                monkeypatch.setattr(mod, "RATE", 3)
                assert mod.f(2) == 6
        """,
    }
    evidence = await evidence_of(files)
    assert _of(evidence, "recorded") == []
    assert "it depends on more than its arguments" in _why(evidence)


async def test_what_takes_too_long_on_small_inputs_is_not_tried_on_large_ones(evidence_of: Gather):
    source = "def f(n: int):\n    while n > 2:\n        pass\n    return n\n"
    evidence = await evidence_of({"mod.py": source}, max_inputs=8)
    assert evidence.cases
    assert all(case.input.args[0] <= 2 for case in evidence.cases)
    assert "too long" in _why(evidence)


async def test_inputs_of_which_too_much_comes_out_are_set_aside(evidence_of: Gather):
    evidence = await evidence_of({"mod.py": "def f(n: int):\n    return str(n) + 'x' * 300_000\n"}, max_inputs=40)
    assert 5 < len(evidence.cases) < 14
    assert "too much comes out of all inputs together" in _why(evidence)


async def test_guessed_inputs_on_which_the_original_rarely_returns_are_no_evidence(evidence_of: Gather):
    source = "def f(text):\n    return text.no_such_method()\n"
    evidence = await evidence_of({"mod.py": source})
    assert evidence.cases == ()
    assert "of a type that the original does not take" in _why(evidence)


async def test_guessed_inputs_on_which_the_original_returns_are_evidence(evidence_of: Gather):
    evidence = await evidence_of({"mod.py": "def f(text):\n    return text.split(',')\n"})
    assert len(evidence.cases) > 10


async def test_results_without_an_encoding_are_set_aside_and_tests_remain(evidence_of: Gather):
    files = {
        "mod.py": "def f(n: int):\n    return lambda: n\n",
        "test_mod.py": "from mod import f\ndef test_a(): assert f(4)() == 4\n",
    }
    evidence = await evidence_of(files)
    assert evidence.cases == ()
    assert [test.outcome for test in evidence.tests] == ["passed"]
    assert "no exact encoding" in _why(evidence)
    assert any("only the 1 tests that reach it" in note for note in evidence.notes)


async def test_calls_in_tests_that_made_an_iterator_are_asked_again(evidence_of: Gather):
    files = {
        "mod.py": "def f(*rows):\n    return (a + b for a, b in zip(*rows))\n",
        "test_mod.py": "from mod import f\ndef test_a(): assert list(f([1, 2], [3, 4])) == [4, 6]\n",
    }
    evidence = await evidence_of(files)
    (case,) = _of(evidence, "recorded")
    assert _value(case) == ["iter", "generator", 4, 6]
    assert "types of recorded calls" not in _why(evidence)


def _one_more(n: int) -> Encoded:
    return n + 1


def _up_to(n: int) -> Encoded:
    return ["iter", "generator", *range(n % 3)]


def _grown(box: Encoded, by: int) -> Encoded:
    return ["object", "mod:Box", ["size", box[2][1] + by]]


def _doubled(n: int) -> Encoded:
    return n * 2


def _half(box: Encoded) -> Encoded:
    return box[2][1] / 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [("later", _one_more), ("stream", _up_to), ("Box.grow", _grown), ("Box.twice", _doubled), ("Box.half", _half)],
)
async def test_every_kind_of_function_can_be_asked(evidence_of: Gather, name: str, expected: Callable[..., Encoded]):
    source = """
        from dataclasses import dataclass

        async def later(n: int) -> int:
            return n + 1

        def stream(n: int):
            yield from range(n % 3)

        @dataclass
        class Box:
            size: int

            def grow(self, by: int):
                self.size += by
                return self

            @classmethod
            def twice(cls, edge: int):
                return edge * 2

            @property
            def half(self):
                return self.size / 2
    """
    evidence = await evidence_of({"mod.py": source}, name, max_inputs=12)
    assert len(evidence.cases) >= 8
    for case in evidence.cases:
        assert case.expected is not None
        assert keeps_promise(Returned(value=expected(*case.input.args)), case.expected)


async def test_a_nested_function_is_held_by_its_tests_only(evidence_of: Gather):
    files = {
        "mod.py": "def outer(n):\n    def inner(x):\n        return x + n\n    return inner(1)\n",
        "test_mod.py": "from mod import outer\ndef test_a(): assert outer(2) == 3\n",
    }
    evidence = await evidence_of(files, "outer.inner")
    assert evidence.cases == ()
    assert [test.id for test in evidence.tests] == ["test_mod.py::test_a"]


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
    assert "1 test_b.py: pytest cannot collect it" in _why(evidence)


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
    assert "they need what the sandbox does not give" in _why(evidence)


async def test_a_file_that_ends_the_process_does_not_take_the_others_with_it(evidence_of: Gather):
    files = {
        "mod.py": "def f(n): return n\n",
        "test_a.py": "from mod import f\ndef test_1(): assert f(1) == 1\n",
        "test_b.py": "import os\nfrom mod import f\ndef test_2():\n    f(2)\n    os._exit(0)\n",
        "test_c.py": "from mod import f\ndef test_3(): assert f(3) == 3\n",
    }
    evidence = await evidence_of(files)
    assert [test.id for test in evidence.tests] == ["test_a.py::test_1", "test_c.py::test_3"]
    assert "1 test_b.py: its tests did not run to their end" in _why(evidence)


async def test_an_interpreter_without_pytest_is_said_with_the_fix(evidence_of: Gather, tmp_path: Path):
    venv.create(tmp_path / ".venv", with_pip=False)
    files = {"mod.py": "def f(n: int): return n\n", "test_a.py": "from mod import f\ndef test_1(): assert f(1) == 1\n"}
    evidence = await evidence_of(files)
    assert evidence.tests == ()
    assert any("pytest is not installed" in note and "Install it" in note for note in evidence.notes)
    assert len(evidence.cases) > 10
