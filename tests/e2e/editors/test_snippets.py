"""Every block of settings in docs/editors.md can be read by what it is for, also where the editor itself is not run."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.e2e.editors.snippets import Snippet, snippets

pytestmark = pytest.mark.scene

SNIPPETS = snippets()


def program(name: str) -> str:
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("read", SNIPPETS, ids=[f"{each.heading}-{each.language}" for each in SNIPPETS])
def test_a_block_of_settings_can_be_read(read: Snippet, tmp_path: Path) -> None:
    path = tmp_path / "settings"
    path.write_text(read.text, encoding="utf-8")
    assert "codeens-server" in read.text
    match read.language:
        case "json":
            assert json.loads(read.text)
        case "toml":
            assert tomllib.loads(read.text)
        case "lua":
            check = (
                f"lua local read, why = loadfile({json.dumps(str(path))}) if not read then print(why) vim.cmd('cq') end"
            )
            run(program("nvim"), "--headless", "-u", "NONE", "-c", check, "-c", "qa")
        case "elisp":
            balanced = f"(with-temp-buffer (insert-file-contents {json.dumps(str(path))}) (check-parens))"
            run(program("emacs"), "--batch", "-Q", "--eval", balanced)
        case "vim":
            # That it works is shown where it is run.
            assert read.text.count("\n\\") > 3
        case other:
            pytest.fail(f"no parser for {other}")


def test_no_block_takes_the_users_own_servers_away() -> None:
    texts = {each.heading: each.text for each in reversed(SNIPPETS)}

    assert {"ruff", "pylsp", "codeens"} <= set(tomllib.loads(texts["Helix"])["language"][0]["language-servers"])
    assert all(f"'{name}'" in texts["Vim with ALE"] for name in ("flake8", "mypy", "pylint", "pyright", "ruff"))
    assert '"ruff" "server" "--" "codeens-server"' in texts["Emacs"]
