"""Routes, of the API and of pages, about the configuration: ensemble, variants, settings, health."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from msgspec import Struct

from codeens_server.dashboard.ensemble import Chosen, EnsembleDesk, EnsembleState, KeptDefault, Place
from codeens_server.dashboard.health import Configured, checks, configured
from codeens_server.dashboard.manifests import (
    GivenFile,
    InstalledVariant,
    Preview,
    Removed,
    Saved,
    Switch,
    Switched,
    VariantDesk,
    VariantSource,
)
from codeens_server.dashboard.rendering import shown
from codeens_server.dashboard.wire import RefusedRequest, answer, as_file, lists, read_body, says, takes
from codeens_server.doctor.models import DoctorCheck

_MOST_BYTES = 8 << 20


class Manifests(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Manifests to keep, as they were previewed."""

    files: tuple[GivenFile, ...]


DOCUMENTS: tuple[type[Struct], ...] = (
    EnsembleState,
    Chosen,
    KeptDefault,
    InstalledVariant,
    VariantSource,
    Preview,
    Manifests,
    Saved,
    Switch,
    Switched,
    Removed,
    Configured,
    DoctorCheck,
)
"""What the OpenAPI document describes of these routes."""


def make_configuration_api(ensemble: EnsembleDesk, variants: VariantDesk) -> APIRouter:
    """Return the routes."""
    api = APIRouter(
        prefix="/api",
        responses=says({400: RefusedRequest, 401: RefusedRequest, 404: RefusedRequest, 422: RefusedRequest}),
    )

    _add_ensemble(api, ensemble)
    _add_variants(api, variants)

    @api.get("/settings", responses=says({200: Configured}))
    async def show_settings() -> Response:
        """Say what is configured and from where, without secrets."""
        return answer(await configured(ensemble.session))

    @api.get("/checks", responses=lists(DoctorCheck))
    async def show_checks() -> Response:
        """Say what works on this machine."""
        return answer(await checks(ensemble.session))

    return api


def _add_ensemble(api: APIRouter, ensemble: EnsembleDesk) -> None:
    @api.get("/ensemble", responses=says({200: EnsembleState}))
    async def show_ensemble(everywhere: bool = False) -> Response:
        """Say who wins on the code of this workspace, or on all, and who is asked by default."""
        return answer(await ensemble.look(everywhere=everywhere))

    @api.put("/ensemble", responses=says({200: KeptDefault}), openapi_extra=takes(Chosen))
    async def choose_ensemble(request: Request) -> Response:
        """Make one model with one variant what is asked when nobody is named."""
        return answer(await ensemble.choose(await read_body(request, Chosen)))

    @api.delete("/ensemble", responses=says({200: KeptDefault}))
    async def undo_ensemble(place: Place = "user") -> Response:
        """Take that back: what the settings of this place said before is said again."""
        return answer(await ensemble.undo(place))


def _add_variants(api: APIRouter, variants: VariantDesk) -> None:
    @api.get("/variants", responses=lists(InstalledVariant))
    async def list_variants() -> Response:
        """List the variants, and what came of them."""
        return answer(await variants.installed())

    @api.post("/variants/preview", responses=lists(Preview), openapi_extra=takes(VariantSource))
    async def preview_variants(request: Request) -> Response:
        """Say what manifests would do; nothing is kept."""
        return answer(await variants.preview(await read_body(request, VariantSource, most=_MOST_BYTES)))

    @api.post("/variants", responses=says({200: Saved}), openapi_extra=takes(Manifests))
    async def add_variants(request: Request) -> Response:
        """Keep manifests among the user's variants."""
        return answer(await variants.save((await read_body(request, Manifests, most=_MOST_BYTES)).files))

    @api.get("/variants/{name}/manifest", responses={200: {"content": {"text/plain": {}}}})
    async def share_variant(name: str) -> Response:
        """Return a variant's manifest as a file."""
        file, text = await variants.manifest(name)
        return as_file(text, "text/plain", file)

    @api.put("/variants/{name}", responses=says({200: Switched}), openapi_extra=takes(Switch))
    async def switch_variant(name: str, request: Request) -> Response:
        """Use a variant when none is named, or do not."""
        return answer(await variants.switch(name, used=(await read_body(request, Switch)).used))

    @api.delete("/variants/{name}", responses=says({200: Removed}))
    async def remove_variant(name: str) -> Response:
        """Remove a variant of the user's own."""
        return answer(await variants.remove(name))


def make_configuration_pages(ensemble: EnsembleDesk, variants: VariantDesk) -> APIRouter:
    """Return the routes of the pages."""
    pages = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

    @pages.get("/ensemble")
    async def show_ensemble(of: Literal["here", "all"] = "here") -> HTMLResponse:
        return shown("ensemble.html", ensemble=await ensemble.look(everywhere=of == "all"), of=of)

    @pages.get("/variants")
    async def list_variants() -> HTMLResponse:
        return shown("variants.html", variants=await variants.installed())

    @pages.get("/settings")
    async def show_settings() -> HTMLResponse:
        return shown("settings.html", configured=await configured(ensemble.session))

    @pages.get("/settings/checks")
    async def show_checks() -> HTMLResponse:
        return shown("checks.html", checks=await checks(ensemble.session))

    return pages
