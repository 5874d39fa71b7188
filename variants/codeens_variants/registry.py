"""Finds variants: the built-in ones, those of installed distributions, the user's own, and the workspace's."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from msgspec import Struct

from codeens_variants.manifest import ManifestError, Variant, load_manifest

BUILTIN = Path(__file__).parent / "builtin"
SUFFIXES = (".toml", ".json")
GROUP = "codeens.variants"
"""Entry points of this group name a folder, or a callable without arguments that returns folders or files."""


class FoundVariant(Struct, frozen=True, kw_only=True):
    """A variant, and where it is from."""

    variant: Variant
    origin: str
    """`built-in`, `user`, `workspace`, or the name of the installed distribution."""
    path: Path


def find_variants(*, user_dir: Path | None, workspace_dir: Path | None) -> dict[str, FoundVariant]:
    """Find all variants. A later source replaces a variant of the same name: built-in, installed, user, workspace.

    Args:
        user_dir: the user's own folder of manifests.
        workspace_dir: the workspace's; to be given only for a trusted workspace.

    Returns:
        The variants by name.

    Raises:
        ManifestError: a manifest is broken, or two of one source have the same name.
    """
    found = _variants_in([BUILTIN], "built-in")
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        found |= _variants_in(_paths_of(entry), entry.dist.name if entry.dist else entry.name)
    for folder, origin in ((user_dir, "user"), (workspace_dir, "workspace")):
        if folder is not None and folder.is_dir():
            found |= _variants_in([folder], origin)
    return found


def validate_file(path: Path) -> Variant:
    """Return the variant of one manifest.

    Raises:
        ManifestError: what is wrong with it.
    """
    if path.suffix not in SUFFIXES:
        raise ManifestError(path, f"a manifest's name ends in {' or '.join(SUFFIXES)}.")
    return load_manifest(path)


def _variants_in(paths: Iterable[Path], origin: str) -> dict[str, FoundVariant]:
    found: dict[str, FoundVariant] = {}
    for path in paths:
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES) if path.is_dir() else [path]
        for file in files:
            variant = validate_file(file)
            if variant.name in found:
                other = found[variant.name].path
                raise ManifestError(file, f"the name {variant.name!r} is taken by {other.name}.")
            found[variant.name] = FoundVariant(variant=variant, origin=origin, path=file)
    return found


def _paths_of(entry: EntryPoint) -> list[Path]:
    try:
        loaded: object = entry.load()
        if callable(loaded):
            loaded = loaded()
        several = [loaded] if isinstance(loaded, str | Path) else list(cast("Iterable[object]", loaded))
        return [Path(str(item)) for item in several]
    except Exception as error:
        # The code of another distribution may fail in any way; it must be told as its fault.
        why = (
            f"the entry point {entry.name!r} of {GROUP} cannot be loaded: {error}. Mend or uninstall its distribution."
        )
        raise ManifestError(Path(entry.value), why) from error
