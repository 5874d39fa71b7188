"""What every command needs before it can begin: the settings."""

from __future__ import annotations

import os
from pathlib import Path

import click

from codeens_server.config.loading import TRUST_VARIABLE, load_settings, user_folder
from codeens_server.config.settings import Settings
from codeens_server.text import visible
from codeens_server.workspace.find import workspace_root


def settings_for(workspace: Path | None = None, *, trust: bool = False, **flags: object) -> Settings:
    """The settings for a workspace, by default the one around the current folder. What is ignored is told on stderr.

    Raises:
        ConfigError: a source of settings is broken.
    """
    loaded = load_settings(
        flags=flags,
        workspace=workspace or workspace_here(),
        environ=os.environ,
        user_dir=user_folder(),
        trusted=is_trusted(flag=trust),
    )
    for sentence in loaded.ignored:
        click.echo(f"warning: {visible(sentence)}", err=True)
    return loaded.settings


def is_trusted(*, flag: bool) -> bool:
    """Whether the user trusts the workspace: by the flag, or by the environment."""
    return flag or os.environ.get(TRUST_VARIABLE) == "1"


def workspace_here() -> Path:
    """The workspace around the current folder."""
    return workspace_root(Path.cwd() / "here.py")
