"""Which changes of a definition cannot change its speed."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.domain.target import Replacement
from codeens_server.measuring.bytecode import same_bytecode
from codeens_server.workspace.find import find_target

ORIGINAL = '''def first(xs: list, default: int = 0) -> int:
    """The first even one."""
    for x in xs:
        if x % 2 == 0:
            return x
        else:
            continue
    return default
'''


def same(folder: Path, original: str, function: str, *imports: str) -> bool:
    (folder / "module.py").write_text(original, encoding="utf-8")
    target = find_target("module.py::first", cwd=folder)
    return same_bytecode(target, Replacement(function=function, imports=imports))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        else:\n            continue\n", ""),
        ("xs: list, default: int = 0) -> int", "xs, default=0)"),
        ('    """The first even one."""\n', ""),
        ("    for x in xs:", "    # in order\n\n    for x in (xs):"),
        ("return default", "return (default)"),
    ],
)
def test_what_leaves_the_bytecode_as_it_is_makes_no_difference(tmp_path: Path, old: str, new: str) -> None:
    assert old in ORIGINAL
    assert same(tmp_path, ORIGINAL, ORIGINAL.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x % 2 == 0", "not x % 2"),
        ("== 0:", "== 0.0:"),
        ("== 0:", "== False:"),
        ("default: int = 0", "default: int = 1"),
        ("def first", "@staticmethod\ndef first"),
        ("return default", "return default + 0"),
        ("def first", "async def first"),
        ("return x\n", "return xs\n"),
    ],
)
def test_other_code_constants_defaults_or_decorators_make_one(tmp_path: Path, old: str, new: str) -> None:
    assert old in ORIGINAL
    assert not same(tmp_path, ORIGINAL, ORIGINAL.replace(old, new))


def test_an_import_may_give_a_name_another_meaning(tmp_path: Path) -> None:
    assert not same(tmp_path, ORIGINAL, ORIGINAL, "from fast import default")


@pytest.mark.parametrize(
    "text", ["def first(:\n", "x = 1\n", "def first():\n    pass\n\n\ny = 2\n", "class first:\n    pass\n"]
)
def test_what_is_no_single_function_is_not_the_same(tmp_path: Path, text: str) -> None:
    assert not same(tmp_path, ORIGINAL, text)
