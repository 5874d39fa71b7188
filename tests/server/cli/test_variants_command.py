from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomli

from tests.server.cli.conftest import Codeens

_OWN = 'name = "mine"\ndescription = "My way."\nprompt = "Do {task}: {function}"\n'


@pytest.fixture
def user_file(home: Path) -> Path:
    path = home / "config" / "codeens" / "codeens.toml"
    path.parent.mkdir(parents=True)
    return path


def _used(codeens: Codeens) -> dict[str, bool]:
    return {row["name"]: row["used"] for row in json.loads(codeens("variants", "list", "--json").stdout)}


def test_the_built_in_variants_are_listed_and_used(codeens: Codeens) -> None:
    used = _used(codeens)
    assert {"baseline", "performance", "memory_efficient", "super_readable", "no_external_libs"} <= set(used)
    assert all(used.values())
    assert "performance" in codeens("variants", "list").stdout


def test_a_variant_is_shown_with_its_prompt(codeens: Codeens) -> None:
    assert "{function}" in codeens("variants", "show", "performance").stdout
    assert json.loads(codeens("variants", "show", "performance", "--json").stdout)["goal"] == "speed"


def test_an_unknown_variant_is_answered_with_the_nearest(codeens: Codeens) -> None:
    for action in ("show", "enable", "disable"):
        result = codeens("variants", action, "perfromance")
        assert result.exit_code == 2
        assert "Did you mean 'performance'?" in result.stderr


def test_disable_and_enable_keep_everything_else_in_the_users_file(codeens: Codeens, user_file: Path) -> None:
    text = '# mine\r\ngoal = "speed"  # fast\r\n\r\n[limits]\r\nwall_s = 3\r\n'
    user_file.write_bytes(text.encode())
    assert codeens("variants", "disable", "performance").exit_code == 0
    assert codeens("variants", "disable", "baseline").exit_code == 0
    used = _used(codeens)
    assert [name for name, is_used in used.items() if not is_used] == ["baseline", "performance"]
    assert codeens("variants", "enable", "performance").exit_code == 0
    assert not _used(codeens)["baseline"]
    changed = user_file.read_bytes().decode()
    assert changed.replace('disabled_variants = ["baseline"]\r\n', "") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[limits]\nwall_s = 1",
        'goal = "speed"',
        'disabled_variants = [\n  "baseline", # slow\n]\n[limits]\nwall_s = 1\n',
        "# only a comment",
        "python = '''\n[not a table]\n'''\n",
        '[[models]]\nname = "a"\n',
    ],
)
def test_any_layout_of_the_users_file_is_kept_valid(text: str, codeens: Codeens, user_file: Path) -> None:
    user_file.write_text(text, encoding="utf-8")
    before = tomli.loads(text)
    assert codeens("variants", "disable", "performance").exit_code == 0
    names = [*before.get("disabled_variants", []), "performance"]
    assert tomli.loads(user_file.read_text(encoding="utf-8")) == {**before, "disabled_variants": names}


def test_a_linked_settings_file_stays_a_link(codeens: Codeens, user_file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("", encoding="utf-8")
    user_file.symlink_to(real)
    assert codeens("variants", "disable", "performance").exit_code == 0
    assert user_file.is_symlink()
    assert "performance" in real.read_text(encoding="utf-8")


def test_a_list_that_goes_before_the_users_is_told(codeens: Codeens, here: Path, home: Path) -> None:
    (here / "codeens.toml").write_text("disabled_variants = []\n", encoding="utf-8")
    assert "says otherwise" in codeens("variants", "disable", "performance").stderr


def test_own_variants_are_found_in_the_users_folder_and_in_a_trusted_workspace(
    codeens: Codeens, here: Path, user_file: Path
) -> None:
    own = user_file.parent / "variants"
    theirs = here / ".codeens" / "variants"
    for folder, name in ((own, "mine"), (theirs, "theirs")):
        folder.mkdir(parents=True)
        (folder / f"{name}.toml").write_text(_OWN.replace("mine", name), encoding="utf-8")
    assert "mine" in _used(codeens)
    assert "theirs" not in _used(codeens)
    assert "theirs" in codeens("variants", "list", "--trust-workspace").stdout


def test_a_variant_that_its_manifest_disables_is_not_enabled_by_the_list(codeens: Codeens, user_file: Path) -> None:
    folder = user_file.parent / "variants"
    folder.mkdir()
    (folder / "mine.toml").write_text(_OWN + "enabled = false\n", encoding="utf-8")
    result = codeens("variants", "enable", "mine")
    assert result.exit_code == 2
    assert "enabled = false" in result.stderr


def test_validate_tells_all_problems_of_all_files(codeens: Codeens, here: Path) -> None:
    (here / "good.toml").write_text(_OWN, encoding="utf-8")
    (here / "bad.toml").write_text(_OWN + "temprature = 1\n", encoding="utf-8")
    result = codeens("variants", "validate", "good.toml", "bad.toml", "none.toml")
    assert result.exit_code == 2
    assert "variant mine is valid" in result.stdout
    assert "temperature" in result.stderr
    assert "none.toml" in result.stderr
    assert codeens("variants", "validate", "good.toml").exit_code == 0


def test_a_users_file_that_is_not_toml_is_left_alone(codeens: Codeens, user_file: Path) -> None:
    user_file.write_text("goal = ", encoding="utf-8")
    result = codeens("variants", "disable", "performance")
    assert result.exit_code == 2
    assert "codeens.toml" in result.stderr
    assert user_file.read_text(encoding="utf-8") == "goal = "
