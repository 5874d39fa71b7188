from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from codeens_sandbox_backends.programs import CallInput, Raised, Returned
from codeens_server.evidence.docstring import DocExample, doc_examples
from tests.server.evidence.workspaces import target_in


def _examples(root: Path, docstring: str, head: str = "def f(*args, **kwargs):", name: str = "f") -> list[DocExample]:
    text = indent(docstring.strip("\n"), "    ")
    return doc_examples(target_in(root, f'{head}\n    r"""\n{text}\n    """\n    return 0\n', name))


def _one(root: Path, docstring: str, **more: str) -> tuple[CallInput, object]:
    (example,) = _examples(root, docstring, **more)
    assert isinstance(example.promised, Returned)
    return example.input, example.promised.value


@pytest.mark.parametrize(
    ("text", "args", "value"),
    [
        (">>> f(1, -2)\n3", (1, -2), 3),
        (
            ">>> f([1, [2.5]], {'a': (None,)})\n[True]",
            (["list", 1, ["list", 2.5]], ["dict", ["a", ["tuple", None]]]),
            ["list", True],
        ),
        (">>> f({1, 2})\nset()", (["set", 1, 2],), ["set"]),
        (">>> f('a',\n...   b'b')\n'c'", ("a", ["bytes", "Yg=="]), "c"),
        (">>> f(1) == 2\nTrue", (1,), 2),
        (">>> f(1) == 2", (1,), 2),
        (">>> f(1) is None\nTrue", (1,), None),
        (">>> f(1)\n2\nand some prose that follows at once", (1,), 2),
        ("f(1) == 2", (1,), 2),
        ("f(1) ➞ 2", (1,), 2),
        ("f(1) => 2", (1,), 2),
        ("f(1)==>[2]", (1,), ["list", 2]),
        ("f(1) -> 2  # since it grows", (1,), 2),
        ("f(1) # => 'x'", (1,), "x"),
        ("* f(1) = 2", (1,), 2),
        ("For example ``f(1)`` returns 2, and so on", (1,), 2),
        ("f(1) should return 2.", (1,), 2),
        ("f(1) => true", (1,), True),
        ("f([\n  [1],\n  [2],\n]) == 2", (["list", ["list", 1], ["list", 2]],), 2),
        ("f('a)') == 2", ("a)",), 2),
    ],
)
def test_a_literal_example_is_read(tmp_path: Path, text: str, args: tuple[object, ...], value: object):
    call, promised = _one(tmp_path, text)
    assert (call.args, promised) == (args, value)


def test_keywords_are_read(tmp_path: Path):
    assert _one(tmp_path, ">>> f(1, key=[2])\n3")[0] == CallInput(args=(1,), kwargs={"key": ["list", 2]})


@pytest.mark.parametrize(
    "text",
    [
        ">>> g(1)\n2",
        ">>> f(x)\n2",
        ">>> f(1)",
        ">>> f(1)\n<object at 0x1>",
        ">>> f(1)  # doctest: +SKIP\n2",
        ">>> f(1)  # doctest: +ELLIPSIS\n[1, ...]",
        ">>> f(*[1])\n2",
        ">>> f(**{'a': 1})\n2",
        ">>> sorted(f(1))\n[2]",
        ">>> f(1) == 2\nFalse",
        ">>> f(1) < 2\nTrue",
        ">>> x = f(1)",
        "f(1) -> 3 - 1 = 2",
        "f(1) == 1 + 9 = 10",
        "f(n) == f(n-1) + f(n-2)",
        'f(1) ➞ ("a")',
        'f(1) == ""a"',
        "f(1) and then 2",
        "self.f(1) == 2",
        "def f(1) is nothing",
        "f(1 == 2",
    ],
)
def test_what_is_no_literal_example_is_left_alone(tmp_path: Path, text: str):
    assert _examples(tmp_path, text) == []


def test_equals_signs_that_want_different_types_are_taken_for_prose(tmp_path: Path):
    assert _examples(tmp_path, "f(1) = 3\nf(2) = 3\nf(3) = [1, 3]") == []


def test_a_promised_builtin_exception_is_read(tmp_path: Path):
    text = ">>> f(-1)\nTraceback (most recent call last):\n    ...\nValueError: must not be negative"
    assert [example.promised for example in _examples(tmp_path, text)] == [Raised(type="ValueError")]


def test_an_exception_of_unknown_origin_promises_nothing(tmp_path: Path):
    text = ">>> f(-1)\nTraceback (most recent call last):\n    ...\nOddError: no"
    assert _examples(tmp_path, text) == []


def test_a_malformed_docstring_still_gives_its_sound_examples(tmp_path: Path):
    found = _examples(tmp_path, ">>> f(1)\n2\n\n  >>>f(2)\n  3\n\n>>> f(3)\n4")
    assert [example.input.args for example in found] == [(1,), (3,)]


def test_examples_know_their_line_and_whether_doctest_can_run_them(tmp_path: Path):
    found = _examples(tmp_path, "Words.\n\n>>> f(1)\n2\n\nf(2) == 3")
    assert [(example.line, example.runnable) for example in found] == [(3, True), (6, False)]


def test_a_coroutine_is_unwrapped(tmp_path: Path):
    call, value = _one(tmp_path, ">>> asyncio.run(f(1))\n2", head="async def f(*args):")
    assert (call.args, value) == ((1,), 2)


def test_what_a_function_that_returns_nothing_prints_is_no_promise(tmp_path: Path):
    assert _examples(tmp_path, ">>> f(1)\n2", head="def f(x) -> None:") == []


def test_the_function_may_be_named_through_its_module_only(tmp_path: Path):
    assert _one(tmp_path, ">>> mod.f(1)\n2")[1] == 2
    assert _examples(tmp_path, ">>> other.f(1)\n2") == []


def test_a_static_method_is_named_through_its_class(tmp_path: Path):
    source = """
        class C:
            @staticmethod
            def f(x):
                '''
                >>> C.f(1)
                2
                '''
                return 2
    """
    (example,) = doc_examples(target_in(tmp_path, source, "C.f"))
    assert example.input == CallInput(args=(1,))


_CLASS = """
    class Solution:{init}
        def f(self, *args):
            '''
            >>> Solution().f([1], 2)
            3
            >>> s = Solution()
            >>> s.f(1)
            2

            f(4) returns 5; Other().f(4) returns 6.
            '''
            return 2
"""


def test_examples_of_a_method_are_read_where_all_instances_begin_alike(tmp_path: Path):
    source = _CLASS.format(init="")
    found = doc_examples(target_in(tmp_path, source, "Solution.f"), dedent(source))
    instance = ["object", "mod:Solution"]
    assert [example.input.args for example in found] == [(instance, ["list", 1], 2), (instance, 1), (instance, 4)]


def test_of_a_class_with_state_only_a_new_instance_is_known(tmp_path: Path):
    init = "\n        def __init__(self):\n            self.seen = []"
    source = _CLASS.format(init=init)
    found = doc_examples(target_in(tmp_path, source, "Solution.f"), dedent(source))
    assert [example.input.args[0] for example in found] == [["object", "mod:Solution", ["seen", ["list"]]]]


def test_examples_of_a_method_need_a_known_instance(tmp_path: Path):
    init = "\n        def __init__(self, n):\n            self.n = n"
    source = _CLASS.format(init=init)
    assert doc_examples(target_in(tmp_path, source, "Solution.f"), dedent(source)) == []
