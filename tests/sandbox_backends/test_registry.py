"""Backends are found by name, ours and other distributions'."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from codeens_sandbox_backends.errors import UnknownBackend
from codeens_sandbox_backends.registry import backend_names, get_backend


def test_our_backends_are_registered() -> None:
    assert {"local", "sandlock", "docker", "unsafe"} <= set(backend_names())


def test_a_backend_is_built_under_its_own_name() -> None:
    assert [get_backend(name).name for name in ("local", "docker", "unsafe")] == ["local", "docker", "unsafe"]


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UnknownBackend, match="Did you mean 'local'") as caught:
        get_backend("locl")
    assert caught.value.known == backend_names()


def test_a_name_like_no_other_has_no_nearest_one() -> None:
    with pytest.raises(UnknownBackend) as caught:
        get_backend("zzz")
    assert caught.value.nearest is None


_OTHER = """
import sys
sys.path.insert(0, sys.argv[1])
from codeens_sandbox_backends.registry import backend_names, get_backend
from codeens_sandbox_backends.errors import SandboxUnavailable
print(backend_names())
print("loaded before:", "other_backend" in sys.modules)
print(type(get_backend("other")).__module__)
print("broken loaded:", "broken_backend" in sys.modules)
try:
    get_backend("broken")
except SandboxUnavailable as error:
    print(error)
"""


def test_a_backend_of_another_distribution_is_found_and_loaded_alone(tmp_path: Path) -> None:
    metadata = tmp_path / "other-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(
        "[codeens.sandbox_backends]\nother = other_backend:Other\nbroken = broken_backend:Nothing\n", encoding="utf-8"
    )
    (tmp_path / "other_backend.py").write_text("class Other:\n    name = 'other'\n", encoding="utf-8")
    (tmp_path / "broken_backend.py").write_text("raise RuntimeError('no such luck')\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", _OTHER, str(tmp_path)], capture_output=True, encoding="utf-8", timeout=60
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "'other'" in lines[0]
    assert "'local'" in lines[0]
    assert lines[1:4] == ["loaded before: False", "other_backend", "broken loaded: False"]
    assert "broken_backend:Nothing could not be loaded (RuntimeError: no such luck)" in lines[4]


_EXAMPLE = Path(__file__).parents[2] / "examples" / "sandbox-backend"
_JUDGE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from codeens._scripts.codeens import main
main()
"""
_TASK = {"id": "t", "prompt": "", "entry_point": "f", "tests": "def check(candidate):\n    assert candidate(2) == 4\n"}


def test_a_distribution_of_its_own_brings_a_backend_that_judges(tmp_path: Path) -> None:
    """Built, installed and used as its users would; only the installation goes into a folder apart."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    _run("-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist"), cwd=_EXAMPLE)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "task.json").write_text(json.dumps(_TASK), encoding="utf-8")
    (tmp_path / "right.py").write_text("def f(n):\n    return n * n\n", encoding="utf-8")
    (tmp_path / "wrong.py").write_text("def f(n):\n    return n\n", encoding="utf-8")
    command = ("score", "task.json", "right.py", "wrong.py", "--sandbox", "unshare", "--json")
    said = json.loads(_run("-c", _JUDGE, str(tmp_path / "site"), *command, cwd=tmp_path))
    ranks = {result["candidate"]["id"]: result["rank"] for result in said["results"]}
    assert ranks == {"right.py": 1, "wrong.py": None}
    assert "files are NOT kept apart" in said["results"][0]["verdict"]["sandbox"]


def _run(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, encoding="utf-8", timeout=100, check=False
    )
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout
