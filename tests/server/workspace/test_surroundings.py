"""What stands around a function: context, program, interpreter, readable folders."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from codeens_server.config.settings import Settings
from codeens_server.domain import Replacement
from codeens_server.errors import ChangedError, ConfigError
from codeens_server.workspace.context import context_of
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.find import find_target
from codeens_server.workspace.text import current_source

SOURCE = '''\
import math
from os import path as p

LIMIT = 3

def unrelated():
    return 0

def base(x):
    return min(x, LIMIT)

class Box:
    """A box."""

    size: int = 1

    def __init__(self, size):
        self.size = size

    def area(self):
        return base(self.size) * math.pi
'''


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    path = tmp_path / "box.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_the_context_holds_what_the_function_uses_and_nothing_else(box: Path) -> None:
    context = context_of(find_target(f"{box}::Box.area", cwd=box.parent))
    assert context.imports == "import math\nfrom os import path as p\n"
    assert [helper.split("(")[0].strip() for helper in context.helpers] == ["def base", "LIMIT = 3"]
    assert context.class_header.startswith("class Box:")
    assert "size: int = 1" in context.class_header
    assert "def __init__" in context.class_header
    assert "area" not in context.class_header


def test_a_program_is_the_whole_module_with_the_replacement_in_it(box: Path) -> None:
    target = find_target(f"{box}::Box.area", cwd=box.parent)
    program = program_for(target, Replacement(function="def area(self):\n    return 1\n"))
    assert (program.module, program.qualname) == ("box", "Box.area")
    assert program.modules[0].source.endswith("    def area(self):\n        return 1\n")
    assert program.sys_path == (str(box.parent),)


def test_a_run_goes_on_with_the_file_as_it_was_when_the_target_was_found(box: Path) -> None:
    target = find_target(f"{box}::Box.area", cwd=box.parent)
    box.write_text("something = 'else'\n", encoding="utf-8")
    assert program_for(target, None).modules[0].source == SOURCE
    with pytest.raises(ChangedError):
        current_source(target)


def test_the_workspaces_own_interpreter_is_taken_and_its_folders_are_readable(box: Path, tmp_path: Path) -> None:
    extra = tmp_path.parent / "elsewhere"
    extra.mkdir()
    venv = tmp_path / ".venv"
    site = venv / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\n", encoding="utf-8")
    (site / "more.pth").write_text(f"{extra}\nimport sys\n", encoding="utf-8")
    (venv / "bin").mkdir()
    (venv / "bin" / "python").symlink_to(sys.executable)
    spec = sandbox_spec(find_target(f"{box}::base", cwd=tmp_path), Settings())
    assert spec.python == str(venv / "bin" / "python")
    assert str(tmp_path) in spec.readable
    assert str(extra) in spec.readable
    assert "/usr" in spec.readable


def test_the_home_folder_is_never_opened_as_a_whole(box: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    spec = sandbox_spec(find_target(f"{box}::base", cwd=tmp_path), Settings())
    assert str(tmp_path) not in spec.readable


def test_a_configured_interpreter_that_is_not_there_is_refused(box: Path) -> None:
    with pytest.raises(ConfigError, match="does not name an interpreter"):
        sandbox_spec(find_target(f"{box}::base", cwd=box.parent), Settings(python="nowhere/python"))
