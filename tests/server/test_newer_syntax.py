"""What a newer Python could read is told from what none can."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from codeens_server.errors import TargetError
from codeens_server.syntax.newer import needed_python
from codeens_server.workspace.find import find_target

NEWER = {
    "def first[T](items: list[T]) -> T:\n    return items[0]\n": (3, 12),
    "class Box[T: (int, str)](Base):\n    async def f[**P, *Ts](self): ...\n": (3, 12),
    "def f[T = int](x: T) -> T: ...\n": (3, 13),
    "type Pair[T] = tuple[T, T]\ntype Name = str\n": (3, 12),
    'print(f"{names["first"]!r:>{width}} and {f"{inner + "}"}"}")\n': (3, 12),
    "x = f'{\n    a  # why\n}'\ny = f\"{'\\n'.join(lines)}\"\n": (3, 12),
    't = t"{name}"\n': (3, 14),
    "try:\n    f()\nexcept ValueError, KeyError:\n    pass\n": (3, 14),
}
WRONG = [
    "def f(:\n    pass\n",
    "def f[T(x): ...\n",
    'f"{a b}"\n',
    'f"{a["x"]"\n',
    "def f[T](x):\nreturn x\n",
    "type = \n",
    "'open\n",
    'x = """\n',
    "print 'old'\n",
    "(" * 300,
]


@pytest.mark.parametrize("text", NEWER)
def test_syntax_of_a_newer_python_names_that_python(text: str):
    expected = NEWER[text]
    assert needed_python(text) == (expected if expected > sys.version_info[:2] else None)


@pytest.mark.parametrize("text", WRONG)
def test_what_no_python_reads_needs_none(text: str):
    assert needed_python(text) is None


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python reads it")
def test_a_file_for_a_newer_python_is_not_called_wrong(tmp_path: Path):
    (tmp_path / "mod.py").write_text("def f():\n    return t'{1}'\n", encoding="utf-8")
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    with pytest.raises(TargetError, match=rf"mod\.py needs Python 3\.14 or later to be read, and .* runs on {own}"):
        find_target("mod.py::f", cwd=tmp_path)
