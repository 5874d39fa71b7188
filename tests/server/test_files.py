"""Files of a workspace that are none, or have no end, are told in one error and never waited for."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from codeens_server.config.sources import read_file
from codeens_server.errors import ConfigError, TargetError
from codeens_server.evidence.tests.discovery import discover, python_files_of
from codeens_server.files import read_regular
from codeens_server.tasks.reading import document_of
from codeens_server.workspace.find import find_target
from codeens_server.workspace.text import read_source


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _terminal(path: Path) -> None:
    path.symlink_to("/dev/tty")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(path.parent):  # the names of sockets are short
        listening.bind(path.name)


def _folder(path: Path) -> None:
    path.mkdir()


def _endless(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.fixture(params=[_fifo, _zeros, _terminal, _socket, _folder, _endless])
def spoil(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    return request.param


def test_what_is_no_bounded_regular_file_is_an_error(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    for name in ("a.py", "a.toml", "a.json"):
        spoil(tmp_path / name)
    with pytest.raises(OSError, match=r"a\.py"):
        read_regular(tmp_path / "a.py")
    with pytest.raises(TargetError, match=r"a\.py cannot be read: "):
        read_source(tmp_path / "a.py")
    with pytest.raises(ConfigError, match=r"a\.toml cannot be read: "):
        read_file(tmp_path / "a.toml")
    with pytest.raises(ConfigError, match=r"a\.json cannot be read: "):
        document_of(tmp_path / "a.json")


def test_tests_are_found_beside_files_that_are_none(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    (tmp_path / "shop.py").write_text("def price(n):\n    return n\n", encoding="utf-8")
    (tmp_path / "test_shop.py").write_text("from shop import price\n", encoding="utf-8")
    target = find_target("shop.py::price", cwd=tmp_path)
    for name in ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", "conftest.py", "test_more.py", "helper.py"):
        spoil(tmp_path / name)
    assert python_files_of(tmp_path) == ("test_*.py", "*_test.py")
    assert "test_shop.py" in discover(target).files


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"12345")
    assert read_regular(file, 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_regular(file, 4)
