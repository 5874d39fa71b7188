from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from codeens_server.domain.target import Target
from codeens_server.errors import EvidenceError
from codeens_server.evidence.tests.discovery import discover, given_tests
from codeens_server.evidence.tests.import_graph import direct_tests, imports_of
from codeens_server.workspace.find import find_target
from tests.server.evidence.workspaces import write

_CODE = "def area(w, h):\n    return w * h\n\n\nclass Shape:\n    def scale(self, k):\n        return k\n"


def _target(root: Path, files: dict[str, str], spec: str = "pkg/geo.py::area") -> Target:
    write(root, {"pkg/__init__.py": "", "pkg/geo.py": _CODE, **files})
    return find_target(spec, cwd=root)


@pytest.mark.parametrize(
    "statement",
    [
        "from pkg.geo import area",
        "from pkg.geo import area as size",
        "import pkg.geo",
        "import pkg.geo as g",
        "from pkg import geo",
        "from pkg.geo import *",
    ],
)
def test_a_file_that_imports_the_module_is_found_whatever_the_form(tmp_path: Path, statement: str):
    target = _target(tmp_path, {"tests/test_a.py": statement, "tests/test_b.py": "import json"})
    assert discover(target).files == ("tests/test_a.py",)


def test_a_relative_import_inside_a_package_is_followed(tmp_path: Path):
    target = _target(tmp_path, {"pkg/tests/__init__.py": "", "pkg/tests/test_a.py": "from ..geo import area"})
    assert discover(target).files == ("pkg/tests/test_a.py",)


def test_a_file_that_imports_what_imports_the_module_is_found_after_the_direct_ones(tmp_path: Path):
    files = {
        "pkg/api.py": "from .geo import area\n\ndef run():\n    return area(1, 2)\n",
        "app.py": "import pkg.api",
        "tests/test_a_far.py": "import app",
        "tests/test_b_names.py": "from pkg.geo import area\narea(1, 2)",
        "tests/test_c_imports.py": "import pkg.geo",
        "tests/test_d_other.py": "import json",
    }
    found = discover(_target(tmp_path, files)).files
    assert found == ("tests/test_b_names.py", "tests/test_c_imports.py", "tests/test_a_far.py")


def test_a_name_passed_on_by_the_package_counts_as_direct(tmp_path: Path):
    files = {"pkg/__init__.py": "from .geo import area", "tests/test_a.py": "from pkg import area\narea(1, 2)"}
    assert discover(_target(tmp_path, files)).files == ("tests/test_a.py",)


def test_a_file_whose_fixtures_import_the_module_is_found(tmp_path: Path):
    files = {"tests/conftest.py": "import pkg.geo", "tests/unit/test_a.py": "def test_x(shape): ..."}
    assert discover(_target(tmp_path, files)).files == ("tests/unit/test_a.py",)


def test_a_helper_beside_the_tests_is_followed(tmp_path: Path):
    files = {"tests/helpers.py": "import pkg.geo", "tests/test_a.py": "import helpers"}
    assert discover(_target(tmp_path, files)).files == ("tests/test_a.py",)


def test_circular_imports_end(tmp_path: Path):
    files = {"a.py": "import b", "b.py": "import a", "tests/test_a.py": "import a"}
    target = _target(tmp_path, {**files, "tests/test_b.py": "import pkg.geo"})
    assert discover(target).files == ("tests/test_b.py",)


def test_a_method_is_found_by_its_class(tmp_path: Path):
    files = {
        "tests/test_a.py": "from pkg.geo import area",
        "tests/test_b.py": "from pkg.geo import Shape\nShape().scale(2)",
    }
    assert discover(_target(tmp_path, files, "pkg/geo.py::Shape.scale")).files[0] == "tests/test_b.py"


def test_environments_hidden_and_build_folders_are_not_entered(tmp_path: Path):
    test = "from pkg.geo import area"
    files = {f"{folder}/test_a.py": test for folder in (".hidden", "node_modules/x", "build", "dist", "my_env")}
    target = _target(tmp_path, {**files, "my_env/pyvenv.cfg": "", "tests/test_a.py": test})
    assert discover(target).files == ("tests/test_a.py",)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ("pyproject.toml", '[tool.pytest.ini_options]\npython_files = ["check_*.py"]'),
        ("pyproject.toml", '[tool.pytest.ini_options]\npython_files = "check_*.py other.py"'),
        ("pytest.ini", "[pytest]\npython_files = check_*.py"),
        ("setup.cfg", "[tool:pytest]\npython_files =\n    check_*.py\n    other.py"),
        ("tox.ini", "[pytest]\npython_files = check_*.py"),
    ],
)
def test_the_projects_own_names_for_test_files_count(tmp_path: Path, config: str, text: str):
    test = "from pkg.geo import area"
    target = _target(tmp_path, {"tests/check_a.py": test, "tests/test_a.py": test, config: text})
    assert discover(target).files == ("tests/check_a.py",)


def test_broken_configuration_and_broken_files_do_not_stop_it(tmp_path: Path):
    files = {"tests/test_a.py": "from pkg.geo import area", "tests/test_b.py": "def (", "setup.cfg": "[[["}
    target = _target(tmp_path, {**files, "pyproject.toml": "= nothing"})
    assert discover(target).files == ("tests/test_a.py",)


def test_over_the_bound_the_less_likely_are_left_out_and_counted(tmp_path: Path):
    files = {f"tests/test_{number}.py": "import pkg.geo" for number in range(6)}
    found = discover(_target(tmp_path, {**files, "tests/test_geo.py": "from pkg.geo import area"}), max_files=2)
    assert found.files[0] == "tests/test_geo.py"
    assert (len(found.files), found.left_out) == (2, 5)


def test_files_that_there_is_no_time_for_are_counted(tmp_path: Path):
    found = discover(_target(tmp_path, {"tests/test_a.py": "import pkg.geo"}), max_seconds=-1.0)
    assert found.unread == 1


def test_given_paths_and_node_ids_are_made_relative_to_the_workspace(tmp_path: Path):
    target = _target(tmp_path, {"tests/test_a.py": ""})
    assert given_tests(target, (str(tmp_path / "tests/test_a.py"), "tests/test_a.py::test_x")) == (
        "tests/test_a.py",
        "tests/test_a.py::test_x",
    )


def test_where_time_is_short_files_that_hold_the_names_are_read_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    others = {f"tests/test_{number:03}.py": "import os\n" for number in range(60)}
    files = {**others, "tests/zz/test_last.py": "from pkg.geo import area\ndef test_area(): area(1, 2)\n"}
    target = _target(tmp_path, files)
    worked_s = itertools.count()
    monkeypatch.setattr(time, "thread_time", lambda: next(worked_s))
    found = discover(target, max_seconds=122.0)
    assert found.files == ("tests/zz/test_last.py",)
    assert 0 < found.unread < 60


def test_imports_are_read_from_import_statements_alone(tmp_path: Path):
    text = """
        import os, json as j  # both
        from . import near
        if True:
            from a.b import (
                c,  # first
                d as e,
            )
        x = 'a' ; y = (
    """
    write(tmp_path, {"m.py": text, "broken.py": "import os\nfrom x import (\n"})
    names = imports_of(tmp_path / "m.py", module="pkg.m")
    assert names == {"os", "json", "pkg", "pkg.near", "a.b", "a.b.c", "a.b.d"}
    assert imports_of(tmp_path / "broken.py", module="broken") == {"os"}
    assert imports_of(tmp_path / "nowhere.py", module="x") == frozenset()


def test_given_tests_that_do_not_exist_are_refused_by_name(tmp_path: Path):
    with pytest.raises(EvidenceError, match=r"no tests at tests/nowhere\.py"):
        given_tests(_target(tmp_path, {}), ("tests/nowhere.py",))


def test_given_tests_outside_the_workspace_are_refused(tmp_path: Path):
    outside = tmp_path / "test_out.py"
    outside.write_text("", encoding="utf-8")
    with pytest.raises(EvidenceError, match="outside the workspace"):
        given_tests(_target(tmp_path / "inside", {}), (str(outside),))


def test_tests_that_lead_to_the_function_are_told_from_the_others_of_their_file(tmp_path: Path):
    tests = """
        import unittest
        import pytest
        from pkg.geo import area

        CASES = [(area, 6)]

        def size_of(w): return area(w, 1)

        @pytest.fixture
        def square(): return size_of(2)

        def test_direct(): assert area(1, 2) == 2
        def test_by_fixture(square): assert square == 2
        @pytest.mark.parametrize(("f", "n"), CASES)
        def test_by_table(f, n): ...
        def test_other(): ...
        class Sizes(unittest.TestCase):
            def test_in_class(self): area(1, 1)
        class TestOther:
            def test_in_class(self): ...
    """
    write(tmp_path, {"test_a.py": tests, "test_b.py": "def test_x(): area(1, 2)\n", "test_c.py": "def ("})
    found = direct_tests(tmp_path, "test_a.py", "area")
    assert [test.partition("::")[2] for test in found.ids] == [
        "test_direct",
        "test_by_fixture",
        "test_by_table",
        "Sizes",
    ]
    assert not found.is_all
    assert direct_tests(tmp_path, "test_b.py", "area").is_all
    assert direct_tests(tmp_path, "test_c.py", "area").ids == ()
