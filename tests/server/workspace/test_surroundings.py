"""What stands around a function: context, program, interpreter, readable folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from codeens_server.config.settings import Settings
from codeens_server.domain.target import Replacement
from codeens_server.errors import ChangedError, ConfigError
from codeens_server.workspace.context import context_of
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.find import find_target
from codeens_server.workspace.installed import version_of
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
    (extra / "rates").mkdir(parents=True)
    (extra / "rates" / "__init__.py").touch()
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


def _environment(root: Path, *, home: str = "/usr/bin", version: str = "3.11.2") -> Path:
    """An environment without an interpreter's files; returns its site-packages."""
    site = root / ".venv" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (root / ".venv" / "pyvenv.cfg").write_text(f"home = {home}\nversion_info = {version}\n", encoding="utf-8")
    (root / ".venv" / "bin").mkdir()
    (root / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return site


def test_packages_that_an_import_hook_maps_are_readable(box: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    (elsewhere / "rates").mkdir(parents=True)
    (elsewhere / "rates" / "__init__.py").touch()
    (elsewhere / "single.py").touch()
    (elsewhere / "notes").mkdir()
    site = _environment(tmp_path)
    (site / "__editable__.rates.pth").write_text("import __rates_finder; __rates_finder.install()\n", encoding="utf-8")
    mapping = {"rates": str(elsewhere / "rates"), "single": str(elsewhere / "single"), "no": str(elsewhere / "notes")}
    (site / "__rates_finder.py").write_text(f"MAPPING: dict[str, str] = {mapping!r}\n", encoding="utf-8")
    spec = sandbox_spec(find_target(f"{box}::base", cwd=tmp_path), Settings())
    assert {path for path in spec.readable if path.startswith(str(elsewhere))} == {
        str(elsewhere / "rates"),
        str(elsewhere / "single.py"),
    }


@pytest.mark.parametrize(
    "named",
    [
        *("/etc", "/etc/ssh", "/proc", "/proc/self", "/sys", "/run", "/var/lib", "/tmp", "/", "/home"),
        *("{home}", "{home}/.ssh", "{home}/.config/tool", "{home}/projects/.keys", "{home}/letters", "{home}/link"),
    ],
)
def test_what_holds_no_packages_is_not_shown_whatever_an_environment_names(
    box: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    home = tmp_path.parent / f"{tmp_path.name}-home"
    for folder in (".ssh", ".config/tool", "projects/.keys", "letters"):
        (home / folder).mkdir(parents=True)
        (home / folder / ("to_a_friend" if folder == "letters" else "key.py")).touch()
    (home / "link").symlink_to(".ssh")
    monkeypatch.setenv("HOME", str(home))
    path = named.format(home=home)
    site = _environment(tmp_path, home=f"{path}/bin")
    (site / "a.pth").write_text(f"{path}\nimport hook\n", encoding="utf-8")
    (site / "hook.py").write_text(f"X = {path!r}\n", encoding="utf-8")
    spec = sandbox_spec(find_target(f"{box}::base", cwd=tmp_path), Settings())
    assert path not in spec.readable
    assert not any(str(home) in folder for folder in spec.readable)


@pytest.mark.parametrize("named", ["pipe", "/dev/zero", "huge"])
def test_an_environment_that_could_never_start_is_an_error(box: Path, tmp_path: Path, named: str) -> None:
    pth = _environment(tmp_path) / "a.pth"
    if named == "pipe":
        os.mkfifo(pth)
    elif named == "huge":
        with pth.open("wb") as file:
            file.truncate(1 << 33)
    else:
        pth.symlink_to(named)
    with pytest.raises(ConfigError, match=r"a\.pth is no regular file"):
        sandbox_spec(find_target(f"{box}::base", cwd=tmp_path), Settings())


def test_an_environment_whose_interpreter_is_no_interpreter_is_none(
    box: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path.parent / f"{tmp_path.name}-home"
    tool = home / ".vault" / "bin" / "open"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    _environment(tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(tool)
    spec = sandbox_spec(find_target(f"{box}::base", cwd=tmp_path), Settings())
    assert spec.python == sys.executable
    assert not any(str(home) in folder for folder in spec.readable)


def test_an_interpreter_behind_a_link_is_readable_under_both_names(box: Path, tmp_path: Path) -> None:
    installed = tmp_path.parent / f"{tmp_path.name}-pythons"
    (installed / "cpython-3.13.1" / "bin").mkdir(parents=True)
    (installed / "cpython-3.13.1" / "lib" / "python3.13").mkdir(parents=True)
    (installed / "cpython-3.13.1" / "lib" / "python3.13" / "os.py").touch()
    (installed / "cpython-3.13").symlink_to("cpython-3.13.1")
    _environment(tmp_path, home=str(installed / "cpython-3.13" / "bin"), version="3.13.1")
    spec = sandbox_spec(find_target(f"{box}::base", cwd=tmp_path), Settings())
    assert {str(installed / "cpython-3.13"), str(installed / "cpython-3.13.1")} <= set(spec.readable)
    assert version_of(Path(spec.python)) == (3, 13)


@pytest.mark.parametrize("home", ["home", "inner/home"])
def test_of_a_workspace_that_holds_the_home_folder_all_else_is_opened(
    box: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "beside.py").touch()
    (tmp_path / home).mkdir()
    (tmp_path / home / "secret").touch()
    monkeypatch.chdir(tmp_path)
    for named in (home, str(tmp_path / home)):
        monkeypatch.setenv("HOME", named)
        spec = sandbox_spec(find_target("box.py::base", cwd=tmp_path), Settings())
        shown = [Path(path) for path in spec.readable]
        for file in (box, tmp_path / "inner" / "beside.py"):
            assert any(file == path or path in file.parents for path in shown)
        assert not {tmp_path, tmp_path / home, *(tmp_path / home).parents}.intersection(shown)


def test_the_home_folder_is_never_opened_as_a_whole(box: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    spec = sandbox_spec(find_target(f"{box}::base", cwd=tmp_path), Settings())
    assert str(tmp_path) not in spec.readable


def test_a_configured_interpreter_that_is_not_there_is_refused(box: Path) -> None:
    with pytest.raises(ConfigError, match="does not name an interpreter"):
        sandbox_spec(find_target(f"{box}::base", cwd=box.parent), Settings(python="nowhere/python"))


def test_a_method_is_shown_with_what_it_uses_of_its_class_and_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    (tmp_path / "model.py").write_text(
        "class Item:\n    price: float\n\n    def cost(self) -> float:\n        return self.price\n", encoding="utf-8"
    )
    (tmp_path / "cart.py").write_text(
        "from model import Item\n\nclass Cart:\n    def _find(self, name):\n        return self._all()\n"
        "    def _all(self):\n        return []\n    def unused(self):\n        return 0\n"
        "    def merge(self, other):\n        return self._find(Item())\n",
        encoding="utf-8",
    )
    (tmp_path / "shop.py").write_text("from cart import Cart\n\ndef go():\n    both = Cart().merge(Cart())\n")
    (tmp_path / "other.py").write_text("def go(a):\n    return a.merge(1)\n", encoding="utf-8")

    context = context_of(find_target("cart.py::Cart.merge", cwd=tmp_path))

    assert "def _find(self, name):" in context.siblings
    assert "def _all(self):" in context.siblings
    assert "unused" not in context.siblings
    assert context.elsewhere == (
        "# model.py\nclass Item:\n    price: float\n    def cost(self) -> float:\n        ...\n",
    )
    assert context.callers == ("# shop.py:4\nboth = Cart().merge(Cart())\n",)
