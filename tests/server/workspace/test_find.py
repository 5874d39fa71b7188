"""Finding the function that a person named."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.errors import TargetError
from codeens_server.workspace.find import find_target

SOURCE = '''\
from functools import wraps
from typing import overload


def logged(f):
    @wraps(f)
    def wrapper(*args):
        return f(*args)
    return wrapper


@logged
def area(width: int, height: float = 2.0, *rest, unit: str = "m", **more) -> float:
    """Area.

    >>> area(2)
    4.0
    """
    return width * height


class Shape:
    @property
    def size(self):
        return 1

    @size.setter
    def size(self, value):
        pass

    @classmethod
    def make(cls):
        return cls()

    @staticmethod
    def unit():
        return "m"

    async def fetch(self):
        return 1

    def walk(self):
        yield 1


@overload
def twice(x: int) -> int: ...
@overload
def twice(x: str) -> str: ...
def twice(x):
    return x * 2


def stub(a):
    """Later."""
    raise NotImplementedError


def again():
    return 1


def again():
    return 2
'''


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    package = tmp_path / "src" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    path = package / "shapes.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_a_function_is_described_with_its_place_and_signature(module: Path) -> None:
    target = find_target(f"{module}::area", cwd=module.parent)
    assert (target.module, target.qualname, target.kind) == ("shop.shapes", "area", "function")
    assert target.import_root == str(module.parent.parent)
    assert target.root == str(module.parent.parent.parent)
    assert target.source.startswith("@logged\ndef area(")
    assert [(p.name, p.kind, p.annotation, p.has_default) for p in target.parameters] == [
        ("width", "normal", "int", False),
        ("height", "normal", "float", True),
        ("rest", "var_positional", None, False),
        ("unit", "keyword", "str", True),
        ("more", "var_keyword", None, False),
    ]
    assert target.returns == "float"
    assert not target.body_missing


def test_a_relative_path_is_seen_from_the_folder_given(module: Path) -> None:
    assert find_target("shapes.py::area", cwd=module.parent).path == str(module)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Shape.size", "property"),
        ("Shape.make", "classmethod"),
        ("Shape.unit", "staticmethod"),
        ("Shape.fetch", "method"),
        ("logged.wrapper", "nested"),
    ],
)
def test_kinds_are_told_apart(module: Path, name: str, kind: str) -> None:
    if name == "Shape.size":
        line = SOURCE.splitlines().index("    def size(self):") + 1
        target = find_target(f"{module}:{line}", cwd=module.parent)
    else:
        target = find_target(f"{module}::{name}", cwd=module.parent)
    assert target.kind == kind


def test_a_nested_function_has_pythons_own_qualname(module: Path) -> None:
    assert find_target(f"{module}::logged.wrapper", cwd=module.parent).qualname == "logged.<locals>.wrapper"


def test_async_functions_and_generators_are_marked(module: Path) -> None:
    assert find_target(f"{module}::Shape.fetch", cwd=module.parent).is_async
    assert find_target(f"{module}::Shape.walk", cwd=module.parent).is_generator


def test_a_line_inside_names_the_innermost_function(module: Path) -> None:
    line = SOURCE.splitlines().index("        return f(*args)") + 1
    assert find_target(f"{module}:{line}", cwd=module.parent).qualname == "logged.<locals>.wrapper"


def test_overload_stubs_do_not_make_a_name_ambiguous(module: Path) -> None:
    assert find_target(f"{module}::twice", cwd=module.parent).source == "def twice(x):\n    return x * 2\n"


def test_a_missing_body_is_seen(module: Path) -> None:
    assert find_target(f"{module}::stub", cwd=module.parent).body_missing


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "shapes.py",
            "'shapes.py' does not name a function. Name one of its functions: shapes.py::logged, shapes.py::area, ",
        ),
        ("shapes.py:area", "Did you mean shapes.py::area?"),
        ("nowhere.py", "does not name a function. Give the target as path.py::function"),
        ("nowhere.py::f", "there is no file"),
        ("shapes.py::aera", "Did you mean area?"),
        ("shapes.py:1", "is not inside a function"),
        ("shapes.py:99999", "is not inside a function"),
        ("shapes.py::Shape", "is a class. Name one of its methods: Shape.size"),
        ("shapes.py::again", "has 2 functions called again. Name one by its line"),
    ],
)
def test_bad_targets_are_refused_with_the_fix(module: Path, spec: str, message: str) -> None:
    with pytest.raises(TargetError) as caught:
        find_target(spec, cwd=module.parent)
    assert message in str(caught.value)


def test_a_definition_that_a_later_one_replaces_is_refused(module: Path) -> None:
    line = SOURCE.splitlines().index("def again():") + 1
    with pytest.raises(TargetError, match="is defined again at line"):
        find_target(f"{module}:{line}", cwd=module.parent)


def test_a_setter_is_refused(module: Path) -> None:
    line = SOURCE.splitlines().index("    def size(self, value):") + 1
    with pytest.raises(TargetError, match="setter"):
        find_target(f"{module}:{line}", cwd=module.parent)


def test_a_syntax_error_is_told_with_its_position(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def f():\n    return (1\n", encoding="utf-8")
    with pytest.raises(TargetError, match=r"broken.py:2:12: syntax error"):
        find_target("broken.py::f", cwd=tmp_path)


def test_a_file_of_another_encoding_is_read_by_its_coding_comment(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes("# -*- coding: latin-1 -*-\ndef f():\n    return 'é'\n".encode("latin-1"))
    assert "é" in find_target("latin.py::f", cwd=tmp_path).source


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.py").write_bytes(b"def f():\n    return '\xff\xfe'\n")
    with pytest.raises(TargetError, match="encoding"):
        find_target("binary.py::f", cwd=tmp_path)
