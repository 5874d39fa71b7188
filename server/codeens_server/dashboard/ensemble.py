"""Who wins on somebody's own code, and who is asked when nobody is named."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Literal, TypeAlias

import anyio.to_thread
from msgspec import Struct

from codeens import Session
from codeens_server.config.loading import Loaded
from codeens_server.config.settings import Settings
from codeens_server.config.user_file import set_ensemble
from codeens_server.domain.terms import OFFLINE
from codeens_server.errors import InputError
from codeens_server.generation.models.resolve import resolve_models
from codeens_server.store.statistics import SystemLine

Place: TypeAlias = Literal["user", "workspace"]


class SystemStanding(Struct, frozen=True, kw_only=True):
    """How a model with a variant stands."""

    line: SystemLine
    is_default: bool
    """It is what is asked when nobody is named."""
    why_not: str = ""
    """Why it cannot be made that; empty: it can."""


class EnsembleState(Struct, frozen=True, kw_only=True):
    """Who is asked when nobody is named, and how all stand."""

    default_models: tuple[str, ...]
    variants: tuple[str, ...]
    origins: tuple[str, ...]
    """Where that is said; empty: nowhere."""
    root: str
    """The workspace."""
    standings: tuple[SystemStanding, ...]
    """Those first of which most can be said: by the lower end of the interval."""
    clear: bool = False
    """Whether the first one's interval lies above all others'."""


class Chosen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to ask when nobody is named."""

    model: str
    variant: str
    place: Place = "user"
    """Whose settings say so."""


class KeptDefault(Struct, frozen=True, kw_only=True):
    """What the settings say now."""

    path: str
    """The file that was written."""
    default_models: tuple[str, ...]
    variants: tuple[str, ...]
    overruled_by: str = ""
    """The source that says otherwise and stands before the file; empty: none does."""


class EnsembleDesk:
    """Looks at standings, and changes the default; what a file said before is remembered while the server runs."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._before: dict[Place, tuple[tuple[str, ...], tuple[str, ...]]] = {}

    async def look(self, *, everywhere: bool = False) -> EnsembleState:
        """Return how all stand.

        Args:
            everywhere: on all code of the store, not of this workspace alone.

        Raises:
            CodeensError: settings or store cannot be read.
        """
        root = str(self.session.root)
        store = await self.session.opened_store()
        lines = await store.statistics.systems("" if everywhere else root)
        return await anyio.to_thread.run_sync(self._ensemble, lines, root)

    async def choose(self, chosen: Chosen) -> KeptDefault:
        """Make a model with a variant the default.

        Raises:
            InputError: it cannot be asked.
            ConfigError: the settings cannot be read or written.
        """

        def write() -> KeptDefault:
            unasked = self._not_asked(chosen.model, self.session.settings())
            if why := unasked or _not_installed(chosen.variant, self.session.variants()):
                message = f"{chosen.model} with {chosen.variant} cannot be the default: {why}."
                raise InputError(message, code="no_default")
            self.session.forget()
            loaded = self.session.loaded()
            if chosen.place not in self._before:
                self._before[chosen.place] = self._said_in(loaded, chosen.place)
            return self._write(chosen.place, (chosen.model,), (chosen.variant,))

        return await anyio.to_thread.run_sync(write)

    async def undo(self, place: Place) -> KeptDefault:
        """Say again what was said before the default was chosen here; nothing, where that is not known.

        Raises:
            ConfigError: the settings cannot be read or written.
        """

        def write() -> KeptDefault:
            models, variants = self._before.get(place, ((), ()))
            kept = self._write(place, models, variants)
            self._before.pop(place, None)
            return kept

        return await anyio.to_thread.run_sync(write)

    def _write(self, place: Place, models: tuple[str, ...], variants: tuple[str, ...]) -> KeptDefault:
        path = set_ensemble(self.session.root if place == "workspace" else None, models, variants)
        self.session.forget()
        loaded = self.session.loaded()
        wanted = {"default_models": models, "variants": variants}
        others = [
            loaded.origins.get(key, "") for key, names in wanted.items() if getattr(loaded.settings, key) != names
        ]
        overruled = next((origin for origin in others if origin != str(path)), "")
        return KeptDefault(path=str(path), default_models=models, variants=variants, overruled_by=overruled)

    def _said_in(self, loaded: Loaded, place: Place) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what the file of a place says itself; what another source says is not to be written into it."""
        root = self.session.root

        def own(key: str) -> bool:
            origin = loaded.origins.get(key, "")
            return origin.endswith(".toml") and (Path(origin).parent == root) == (place == "workspace")

        settings = loaded.settings
        return (
            settings.default_models if own("default_models") else (),
            settings.variants if own("variants") else (),
        )

    def _ensemble(self, lines: list[SystemLine], root: str) -> EnsembleState:
        loaded = self.session.loaded()
        settings = loaded.settings
        installed = self.session.variants()
        ordered = sorted(lines, key=lambda line: (-line.won.low, line.model, line.variant))
        whom = {model: self._not_asked(model, settings) for model in dict.fromkeys(line.model for line in lines)}
        standings = [
            SystemStanding(
                line=line,
                is_default=(settings.default_models, settings.variants) == ((line.model,), (line.variant,)),
                why_not=whom[line.model] or _not_installed(line.variant, installed),
            )
            for line in ordered
        ]
        names = ("default_models", "variants")
        origins = dict.fromkeys(loaded.origins[name] for name in names if name in loaded.origins)
        others = [line.won.high for line in ordered[1:]]
        return EnsembleState(
            default_models=settings.default_models,
            variants=settings.variants,
            origins=tuple(origins),
            root=root,
            standings=tuple(standings),
            clear=bool(others) and ordered[0].won.low > max(others),
        )

    def _not_asked(self, model: str, settings: Settings) -> str:
        """Return why a model cannot be asked; empty: it can."""
        if model == OFFLINE:
            return "made beside any model"
        try:
            resolve_models((model,), settings, self.session.environ)
        except InputError as error:
            return str(error).rstrip(".")
        return ""


def _not_installed(variant: str, installed: Container[str]) -> str:
    return "" if variant in installed else f"the variant {variant} is not installed"
