"""Where the command line looks for variants."""

from __future__ import annotations

from pathlib import Path

from codeens_server.cli.setup import is_trusted
from codeens_server.config import user_folder
from codeens_variants.registry import FoundVariant, find_variants

WORKSPACE_FOLDER = Path(".codeens", "variants")
USER_FOLDER = "variants"


def found_variants(workspace: Path, *, trust: bool) -> dict[str, FoundVariant]:
    """All variants by name: those of the workspace only when it is trusted.

    Raises:
        ManifestError: a manifest is broken.
    """
    theirs = workspace / WORKSPACE_FOLDER if is_trusted(flag=trust) else None
    return find_variants(user_dir=user_folder() / USER_FOLDER, workspace_dir=theirs)
