"""The pages of ensemble, variants, settings and health."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from codeens_server.dashboard.ensemble import EnsembleDesk
from codeens_server.dashboard.health import checks, configured
from codeens_server.dashboard.manifests import VariantDesk
from codeens_server.dashboard.rendering import shown


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
