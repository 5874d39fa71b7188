"""The fake speaks as the vendor's documents and models say; where these differ, that is listed here."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.registry import get_backend

if TYPE_CHECKING:
    from tests.sandbox_backends.e2b_fake.api import FakeE2B

_FILE = "e2b-openapi.yml"
OF_THE_DAEMON = {"upload", "start", "send"}
"""Calls of the daemon inside a sandbox: its protocol is in the SDK (`e2b.envd`), and the fake serves that."""
DRIFT = {("post", "/v2/sandboxes")}
"""Routes that the SDK uses and the document does not have yet."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    folder = os.environ.get("CODEENS_E2B_SPECS")
    if not folder:
        pytest.skip("not run: CODEENS_E2B_SPECS does not name a folder with the vendor's documents")
    found: dict[str, Any] = yaml.safe_load(Path(folder, _FILE).read_text(encoding="utf-8"))
    return found


def test_every_route_that_is_used_is_documented_or_known_to_be_newer(document: dict[str, Any]) -> None:
    from tests.sandbox_backends.e2b_fake.api import ROUTES  # takes a second

    documented = {(method, path) for path, methods in document["paths"].items() for method in methods}
    used = {(method.lower(), path) for call, (method, path) in ROUTES.items() if call not in OF_THE_DAEMON}
    assert used - documented == DRIFT


def fields_of(document: dict[str, Any], name: str) -> tuple[set[str], set[str]]:
    """Known and required ones."""
    schema = document["components"]["schemas"][name]
    parts = [schema, *(_resolved(document, part) for part in schema.get("allOf", ()))]
    known = {field for part in parts for field in part.get("properties", {})}
    return known, {field for part in parts for field in part.get("required", ())}


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    name = part.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else part
    return found


@pytest.mark.anyio
async def test_what_is_sent_and_answered_has_the_documented_fields(e2b: FakeE2B, document: dict[str, Any]) -> None:
    sandbox = await get_backend("e2b").open(SandboxSpec(python=sys.executable))
    one = next(iter(e2b.sandboxes.values()))
    answers = {"Sandbox": one.as_made().to_dict(), "ListedSandbox": one.as_listed().to_dict()}
    await sandbox.aclose()
    for name, body in {"NewSandbox": e2b.made[0].to_dict(), **answers}.items():
        known, required = fields_of(document, name)
        assert required <= set(body), name
        assert set(body) <= known, name


@pytest.mark.anyio
async def test_the_vendors_own_models_know_all_that_is_sent_and_answered(e2b: FakeE2B) -> None:
    from e2b.api.client.models import ListedSandbox, NewSandboxV2, Sandbox

    sandbox = await get_backend("e2b").open(SandboxSpec(python=sys.executable))
    one = next(iter(e2b.sandboxes.values()))
    made, listed, wanted = one.as_made(), one.as_listed(), one.wanted
    await sandbox.aclose()
    for model, body in ((Sandbox, made), (ListedSandbox, listed), (NewSandboxV2, wanted)):
        again = model.from_dict(body.to_dict())
        assert body.to_dict().items() <= again.to_dict().items()
        assert again.additional_properties == {}
