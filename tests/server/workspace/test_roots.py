"""Where a file belongs, with and without project files and package files."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.workspace.find import find_in_text, find_target

SQUEEZE = "def squeeze(words):\n    return words\n"


def placed(root: Path, files: dict[str, str], file: str, started_in: Path | None = None) -> tuple[str, str, str]:
    """The root and the import root, relative to the folder of the test, and the module."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    target = find_target(f"{root / file}::squeeze", cwd=started_in or root)
    inside = [str(Path(path).relative_to(root)) for path in (target.root, target.import_root)]
    return inside[0], inside[1], target.module


NAMESPACE = {
    "absolute": {
        "acme/tools/text.py": SQUEEZE,
        "acme/tools/tests/test_text.py": "from acme.tools.text import squeeze\n",
    },
    "from_package": {"acme/tools/text.py": SQUEEZE, "app.py": "from acme.tools import other, text\n"},
    "import_statement": {"acme/tools/text.py": SQUEEZE, "app.py": "if True:\n    import acme.tools.text as t\n"},
    "relative": {"acme/tools/text.py": "from ..common import x\n" + SQUEEZE, "acme/common.py": "x = 1\n"},
    "inner_package": {
        "acme/tools/__init__.py": "",
        "acme/tools/text.py": SQUEEZE,
        "tests/test_text.py": "import acme.tools.text\n",
    },
}


@pytest.mark.parametrize("marker", ["pyproject.toml", ""])
@pytest.mark.parametrize("name", NAMESPACE)
def test_folders_without_package_files_are_packages_where_imports_say_so(tmp_path: Path, name: str, marker: str):
    files = {**NAMESPACE[name], **({marker: ""} if marker else {})}
    assert placed(tmp_path, files, "acme/tools/text.py") == (".", ".", "acme.tools.text")


def test_where_nobody_imports_it_by_a_longer_name_a_folder_is_no_package(tmp_path: Path):
    files = {"acme/tools/text.py": SQUEEZE, "acme/tools/test_text.py": "from text import squeeze\n", "tox.ini": ""}
    assert placed(tmp_path, files, "acme/tools/text.py") == (".", "acme/tools", "text")


def test_a_source_folder_is_no_package(tmp_path: Path):
    files = {"src/shop/__init__.py": "", "src/shop/text.py": SQUEEZE, "x.py": "import src.shop.text", "tox.ini": ""}
    assert placed(tmp_path, files, "src/shop/text.py") == (".", "src", "shop.text")


def test_namespace_packages_below_a_source_folder_are_found(tmp_path: Path):
    files = {"src/acme/text.py": SQUEEZE, "tests/test_text.py": "from acme.text import squeeze\n", "tox.ini": ""}
    assert placed(tmp_path, files, "src/acme/text.py") == (".", "src", "acme.text")


def test_without_a_project_file_the_folder_that_one_started_in_is_the_workspace(tmp_path: Path):
    files = {"shop/__init__.py": "", "shop/text.py": SQUEEZE, "tests/test_text.py": "import shop.text\n"}
    assert placed(tmp_path, files, "shop/text.py") == (".", ".", "shop.text")
    assert placed(tmp_path, files, "shop/text.py", tmp_path / "tests") == (".", ".", "shop.text")
    target = find_in_text(tmp_path / "tests" / "new.py", 1, SQUEEZE, folder=tmp_path)
    assert target.root == str(tmp_path)


def test_the_home_folder_is_no_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert placed(tmp_path, {"scripts/text.py": SQUEEZE}, "scripts/text.py") == ("scripts", "scripts", "text")
