"""Putting a replacement into its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.domain.target import Replacement, Target
from codeens_server.errors import ChangedError
from codeens_server.workspace.edit import ConflictError, apply_edit, diff_size, splice, unified_diff
from codeens_server.workspace.find import find_target
from codeens_server.workspace.functions import functions_in
from codeens_server.workspace.text import parse_source


def _target(path: Path, name: str) -> Target:
    return find_target(f"{path}::{name}", cwd=path.parent)


def _write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8"))
    return path


def test_only_the_function_changes(tmp_path: Path) -> None:
    before = "# top\nX = 1\n\n# about f\ndef f(a):  # why\n    return a\n\n\n# after\ndef g():\n\treturn 2   \n"
    path = _write(tmp_path / "m.py", before)
    apply_edit(_target(path, "f"), Replacement(function="def f(a):\n    return a + 0\n"))
    after = path.read_text(encoding="utf-8")
    assert after == before.replace("def f(a):  # why\n    return a\n", "def f(a):\n    return a + 0\n")


def test_windows_newlines_and_a_byte_order_mark_stay(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_bytes(b"\xef\xbb\xbfimport os\r\n\r\ndef f():\r\n    return 1\r\n")
    apply_edit(_target(path, "f"), Replacement(function="def f():\n    return 2\n", imports=("import re",)))
    assert path.read_bytes() == b"\xef\xbb\xbfimport os\r\nimport re\r\n\r\ndef f():\r\n    return 2\r\n"


def test_a_file_without_a_last_newline_keeps_none(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.py", "def f():\n    return 1")
    apply_edit(_target(path, "f"), Replacement(function="def f():\n    return 2\n"))
    assert path.read_bytes() == b"def f():\n    return 2"


def test_a_method_is_indented_and_its_strings_are_not(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.py", "class A:\n    def f(self):\n        return 1\n")
    new = 'def f(self):\n    """Say.\n\n    More.\n    """\n    return """\nraw\n  text"""\n'
    apply_edit(_target(path, "A.f"), Replacement(function=new))
    assert path.read_text(encoding="utf-8") == (
        'class A:\n    def f(self):\n        """Say.\n\n        More.\n        """\n'
        '        return """\nraw\n  text"""\n'
    )


def test_spaces_become_tabs_in_a_file_of_tabs(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.py", "class A:\n\tdef f(self):\n\t\treturn 1\n")
    apply_edit(_target(path, "A.f"), Replacement(function="def f(self):\n    if self:\n        return 2\n"))
    assert path.read_text(encoding="utf-8") == "class A:\n\tdef f(self):\n\t\tif self:\n\t\t\treturn 2\n"


def test_imports_go_after_the_imports_and_are_not_repeated(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "m.py", '"""Doc."""\n\nfrom __future__ import annotations\nimport os\n\ndef f():\n    return 1\n'
    )
    replacement = Replacement(
        function="def f():\n    return 2\n", imports=("import os", "from heapq import nsmallest, heappop")
    )
    apply_edit(_target(path, "f"), replacement)
    text = path.read_text(encoding="utf-8")
    assert "import os\nfrom heapq import nsmallest\nfrom heapq import heappop\n\ndef f" in text
    assert text.count("import os") == 1


def test_imports_come_after_the_docstring_where_there_are_none(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.py", '#!/usr/bin/env python\n"""Doc."""\n\ndef f():\n    return 1\n')
    apply_edit(_target(path, "f"), Replacement(function="def f():\n    return 2\n", imports=("import re",)))
    assert path.read_text(encoding="utf-8") == (
        '#!/usr/bin/env python\n"""Doc."""\n\nimport re\n\n\ndef f():\n    return 2\n'
    )


def test_helpers_stand_before_the_function_and_its_comment(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.py", "x = 1\n\n# about A\nclass A:\n    def f(self):\n        return 1\n")
    replacement = Replacement(
        function="def f(self):\n    return _two()\n", helpers=("def _two():\n    return 2\n", "x = 1")
    )
    apply_edit(_target(path, "A.f"), replacement)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("x = 1\n\ndef _two():\n    return 2\n\n\n# about A\nclass A:\n")
    assert text.count("x = 1") == 1


def test_a_helper_or_import_that_rebinds_a_name_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.py", "from mine import Counter\n\ndef g():\n    return 1\n\ndef f():\n    return g()\n")
    target = _target(path, "f")
    function = "def f():\n    return g()\n"
    with pytest.raises(ConflictError, match="redefines g"):
        apply_edit(target, Replacement(function=function, helpers=("def g():\n    return 2\n",)))
    with pytest.raises(ConflictError, match="rebind Counter"):
        apply_edit(target, Replacement(function=function, imports=("from collections import Counter",)))


def test_a_file_that_changed_is_not_written(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.py", "def f():\n    return 1\n")
    target = _target(path, "f")
    _write(path, "def f():\n    return 1\n# edited\n")
    with pytest.raises(ChangedError, match="nothing was written"):
        apply_edit(target, Replacement(function="def f():\n    return 2\n"))
    assert path.read_text(encoding="utf-8") == "def f():\n    return 1\n# edited\n"


def test_permissions_stay(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.py", "def f():\n    return 1\n")
    path.chmod(0o755)
    apply_edit(_target(path, "f"), Replacement(function="def f():\n    return 2\n"))
    assert path.stat().st_mode & 0o777 == 0o755


def test_the_diff_counts_what_the_edit_changes(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.py", "def f():\n    a = 1\n    return a\n")
    target, new = _target(path, "f"), Replacement(function="def f():\n    return 1\n")
    size = diff_size(target, new)
    assert (size.added, size.removed) == (1, 2)
    assert unified_diff(target, new).startswith("--- a/m.py\n+++ b/m.py\n@@")


def test_every_function_of_real_modules_replaced_by_itself_changes_nothing(tmp_path: Path) -> None:
    import colorsys
    import textwrap

    for module in (colorsys, textwrap):
        text = Path(str(module.__file__)).read_text(encoding="utf-8")
        path = _write(tmp_path / f"{module.__name__}.py", text)
        names = [site.qualname for site in functions_in(parse_source(text, str(path)))]
        for site in functions_in(parse_source(text, str(path))):
            if names.count(site.qualname) > 1:
                continue
            target = find_target(f"{path}::{site.qualname}", cwd=path.parent)
            assert splice(text, target, Replacement(function=target.source)) == text
