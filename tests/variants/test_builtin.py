"""The variants that are shipped, and those that other distributions bring."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from codeens_variants import registry
from codeens_variants.manifest import ManifestError
from codeens_variants.registry import find_variants, validate_file

GOOD = 'name = "mine"\ndescription = "d"\nprompt = "{function}"\n'


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_each_built_in_variant_has_a_goal_of_its_own_and_rewrites() -> None:
    found = find_variants(user_dir=None, workspace_dir=None)
    built_in = [item.variant for item in found.values() if item.origin == "built-in"]
    assert {variant.goal for variant in built_in} == {"balanced", "correctness", "memory", "speed", "readability"}
    assert all(variant.rewrites for variant in built_in)
    assert len({variant.description for variant in built_in}) == len(built_in)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + 'rewrites = ["memoize"]\n', r":4: rewrites: no rewrite is called 'memoize'. Did you mean 'memoise'\?"),
        (GOOD.replace("{function}", "{function!r}"), r"refers to \{functionr\}"),
        (GOOD.replace("{function}", "{function} {goal.x}"), r"Did you mean \{goal\}\?"),
        (GOOD + "temperature = nan\n", "temperature must be from 0 to 2"),
    ],
)
def test_a_manifest_cannot_name_what_is_not_there(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        validate_file(_write(tmp_path / "m.toml", text))


def test_only_toml_and_json_files_are_manifests(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"ends in \.toml or \.json"):
        validate_file(_write(tmp_path / "m.yaml", GOOD))
    _write(tmp_path / "README.md", "not a manifest")
    assert "mine" not in find_variants(user_dir=tmp_path, workspace_dir=None)


def test_an_entry_point_may_be_a_callable_that_returns_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _write(tmp_path / "mine.toml", GOOD)
    _write(tmp_path / "brings_variants.py", f"def found():\n    return [{str(file)!r}]\n")
    _declare(monkeypatch, tmp_path, "brings_variants:found")
    assert find_variants(user_dir=None, workspace_dir=None)["mine"].path == file


def test_a_broken_distribution_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path / "breaks_variants.py", "raise RuntimeError('no licence')\n")
    _declare(monkeypatch, tmp_path, "breaks_variants:FOLDER")
    with pytest.raises(ManifestError, match=r"breaks_variants:FOLDER.*no licence"):
        find_variants(user_dir=None, workspace_dir=None)


def _declare(monkeypatch: pytest.MonkeyPatch, folder: Path, value: str) -> None:
    def installed(*, group: str) -> list[EntryPoint]:
        return [EntryPoint(name="team", value=value, group=group)]

    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.setattr(registry, "entry_points", installed)
