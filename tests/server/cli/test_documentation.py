from __future__ import annotations

from pathlib import Path

import click
import pytest

from codeens._scripts.codeens import LazyCommand, main

_TEXT = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(main.commands))
def test_every_command_and_option_is_documented(name: str) -> None:
    command = main.commands[name]
    assert isinstance(command, LazyCommand)
    loaded = command.load()
    assert f"codeens {name}" in _TEXT
    parts = list(loaded.commands.items()) if isinstance(loaded, click.Group) else [("", loaded)]
    for part, command_or_later in parts:
        below = command_or_later.load() if isinstance(command_or_later, LazyCommand) else command_or_later
        assert f"codeens {name} {part}".rstrip() in _TEXT
        options = [option for item in below.params for option in item.opts if option.startswith("--")]
        assert [option for option in options if option not in _TEXT] == []
