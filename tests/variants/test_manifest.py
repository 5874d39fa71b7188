"""Reading variants from files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codeens_variants.manifest import ManifestError, load_manifest
from codeens_variants.registry import find_variants

GOOD = 'name = "mine"\ndescription = "d"\nprompt = "{task} {function}"\n'


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_five_built_in_variants_are_found_and_enabled() -> None:
    found = find_variants(user_dir=None, workspace_dir=None)
    assert set(found) >= {"baseline", "no_external_libs", "memory_efficient", "performance", "super_readable"}
    assert all(item.variant.enabled for item in found.values() if item.origin == "built-in")


def test_a_manifest_may_be_json(tmp_path: Path) -> None:
    document = {"name": "mine", "description": "d", "prompt": "{function}", "rewrites": ["memoise"]}
    assert load_manifest(_write(tmp_path / "m.json", json.dumps(document))).rewrites == ("memoise",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "temprature = 0.5\n", r"m.toml:4: unknown key 'temprature'. Did you mean 'temperature'\?"),
        (GOOD + "temperature = 'hot'\n", r"m.toml:4: .*float.*temperature"),
        (GOOD + "temperature = 3\n", r"m.toml:4: temperature must be from 0 to 2"),
        (GOOD + "max_tokens = 0\n", r"m.toml:4: max_tokens must be more than 0"),
        (GOOD + "goal = 'sped'\n", r"m.toml:4: .*goal"),
        ('name = "mine"\nprompt = "{function}"\n', "description"),
        ('name = "Mine!"\ndescription = "d"\nprompt = "{function}"\n', r"m.toml:1: name 'Mine!'"),
        ('name = "m"\ndescription = "d"\nprompt = "no code"\n', r"m.toml:3: prompt never shows the function"),
        ('name = "m"\ndescription = "d"\nprompt = "{funktion}"\n', r"m.toml:3: .*Did you mean \{function\}"),
        ('name = "m"\ndescription = "d"\nprompt = "{function} {"\n', r"m.toml:3: .*stray brace"),
        ('name = "m\n', r"m.toml:1: broken TOML"),
    ],
)
def test_a_broken_manifest_is_refused_with_file_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        load_manifest(_write(tmp_path / "m.toml", text))


def test_later_sources_override_earlier_ones(tmp_path: Path) -> None:
    user, workspace = tmp_path / "user", tmp_path / "workspace"
    user.mkdir()
    workspace.mkdir()
    _write(user / "a.toml", GOOD)
    _write(user / "b.toml", GOOD.replace("mine", "baseline"))
    _write(workspace / "a.toml", GOOD.replace('"d"', '"e"'))
    found = find_variants(user_dir=user, workspace_dir=workspace)
    assert (found["mine"].origin, found["mine"].variant.description) == ("workspace", "e")
    assert found["baseline"].origin == "user"


def test_two_manifests_of_one_folder_cannot_share_a_name(tmp_path: Path) -> None:
    _write(tmp_path / "a.toml", GOOD)
    _write(tmp_path / "b.toml", GOOD)
    with pytest.raises(ManifestError, match=r"b.toml: the name 'mine' is taken by a.toml"):
        find_variants(user_dir=tmp_path, workspace_dir=None)


def test_an_installed_distribution_brings_its_own(tmp_path: Path) -> None:
    info = tmp_path / "teamvariants-1.0.dist-info"
    info.mkdir()
    _write(info / "METADATA", "Metadata-Version: 2.1\nName: teamvariants\nVersion: 1.0\n")
    _write(info / "entry_points.txt", "[codeens.variants]\nteam = teamvariants:FOLDER\n")
    _write(tmp_path / "teamvariants.py", "from pathlib import Path\nFOLDER = Path(__file__).parent / 'manifests'\n")
    (tmp_path / "manifests").mkdir()
    _write(tmp_path / "manifests" / "m.toml", GOOD)
    program = (
        "from codeens_variants.registry import find_variants as f;"
        "print(f(user_dir=None, workspace_dir=None)['mine'].origin)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    printed = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert printed.stdout == "teamvariants\n"
