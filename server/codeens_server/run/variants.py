"""Where variants are looked for, and which of them are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from codeens_server.config.loading import FILE_NAME, load_settings
from codeens_server.config.settings import Settings
from codeens_server.config.user_file import set_disabled_variants
from codeens_server.errors import Hint, InputError, unknown
from codeens_server.files import settings_folder
from codeens_variants.manifest import Variant
from codeens_variants.registry import FoundVariant, find_variants

WORKSPACE_FOLDER = Path(".codeens", "variants")
USER_FOLDER = "variants"


def found_variants(workspace: Path, *, trusted: bool) -> dict[str, FoundVariant]:
    """Return all variants by name: those of the workspace only when it is trusted.

    Raises:
        ManifestError: a manifest is broken.
    """
    theirs = workspace / WORKSPACE_FOLDER if trusted else None
    return find_variants(user_dir=settings_folder() / USER_FOLDER, workspace_dir=theirs)


def is_used(variant: Variant, settings: Settings) -> bool:
    """Return whether a variant is used where none is named."""
    if settings.variants:
        return variant.name in settings.variants
    return variant.enabled and variant.name not in settings.disabled_variants


def switch_variant(name: str, *, disabled: bool) -> Path:
    """Say in the user's own settings whether a variant is used; what a workspace says stands before them.

    Returns:
        The user's file.

    Raises:
        ConfigError: the file cannot be read or written.
    """
    folder = settings_folder()
    own = load_settings(flags={}, workspace=None, environ={}, user_dir=folder, trusted=False).settings
    names = [other for other in own.disabled_variants if other != name] + ([name] if disabled else [])
    set_disabled_variants(folder / FILE_NAME, names)
    return folder / FILE_NAME


def chosen_variants(names: Sequence[str], settings: Settings, variants: Mapping[str, Variant]) -> tuple[Variant, ...]:
    """Return the variants named, else those that the settings name, else all that are enabled.

    Raises:
        InputError: one does not exist, or all are disabled.
    """
    wanted = names or settings.variants
    for name in wanted:
        if name not in variants:
            raise InputError(
                unknown("variant", name, list(variants)), code="no_such_variant", hint=Hint("option", "variants")
            )
    if wanted:
        return tuple(variants[name] for name in dict.fromkeys(wanted))
    disabled = set(settings.disabled_variants)
    chosen = tuple(item for item in variants.values() if item.enabled and item.name not in disabled)
    if not chosen:
        message = "every variant is disabled."
        raise InputError(message, code="no_variant", hint=Hint("variants"))
    return chosen
