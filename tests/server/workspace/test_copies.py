"""Where else a function can be read is found, and what only resembles it is left alone."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from codeens_server.workspace.copies import copies_of
from codeens_server.workspace.find import find_target

_SOURCE = "RATE = 7\n\n\ndef price(count):\n    total = count * RATE\n    return total\n"
_OLDER = "def price(count):\n    return count * 6\n"
_OTHER = "def price(count):\n    return 0\n\n\ndef rate():\n    return 1\n"


def _written(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def _hidden(root: Path, name: str, *beside: Path) -> set[str]:
    target = find_target(f"{name}::price", cwd=root)
    return {str(Path(path).relative_to(root)) for path in copies_of(target, beside)}


def test_copies_that_were_built_checked_out_or_kept_are_hidden(tmp_path: Path) -> None:
    copies = {
        "shop/prices.py": _SOURCE,
        "build/lib/shop/prices.py": _OLDER,
        "dist/shop-1.0.tar.gz": "",
        "dist/shop-1.0-py3-none-any.whl": "",
        "worktrees/fix/src/shop/prices.py": _OLDER,
        "shop/prices.py.orig": _SOURCE,
        "shop/prices_old.py": f"# kept\n\nclass Kept:\n    def other(self): ...\n\n{_SOURCE}",
        "shop/.prices.py.swp": _SOURCE.replace("\n", "\r\n"),
        "shop/__pycache__/prices.cpython-311.pyc": "",
        "build/lib/shop/__pycache__/prices.cpython-311.opt-1.pyc": "",
    }
    folders = ("worktrees/fix/.git", "shop/.ipynb_checkpoints", ".hg", ".eggs/shop-1.0.egg")
    _written(tmp_path, {"pyproject.toml": "", "shop/__init__.py": "", **copies})
    _written(tmp_path, {f"{name}/prices.py": _SOURCE for name in folders})
    assert _hidden(tmp_path, "shop/prices.py") == {*copies, *folders}


def test_copies_are_hidden_too_where_the_machine_is_so_busy_that_looking_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _written(tmp_path, {"pyproject.toml": "", "prices.py": _SOURCE, "a/b/c/prices.py": _SOURCE})
    seconds = itertools.count(step=2)
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    assert _hidden(tmp_path, "prices.py") == {"prices.py", "a/b/c/prices.py"}


def test_what_only_has_the_name_is_not_hidden(tmp_path: Path) -> None:
    _written(
        tmp_path,
        {
            "pyproject.toml": "",
            "util.py": _SOURCE,
            "other/util.py": _OTHER,
            "other/test_util.py": "from util import price\n",
            "data/util.zip": "",
            "node_modules/util.py": _SOURCE,
        },
    )
    assert _hidden(tmp_path, "util.py") == {"util.py"}


def test_a_package_that_is_installed_too_is_hidden_there(tmp_path: Path) -> None:
    _written(tmp_path, {"pyproject.toml": "", "shop/__init__.py": "", "shop/prices.py": _SOURCE})
    site = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages"
    _written(site, {"shop/prices.py": _OLDER, "prices.py": _OTHER})
    assert _hidden(tmp_path, "shop/prices.py", site) == {
        "shop/prices.py",
        ".venv/lib/python3.11/site-packages/shop/prices.py",
    }
