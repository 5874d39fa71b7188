"""The fake of Daytona answers to what the vendor's own interface is: that of the installed SDK, and the published one.

The published documents are of version 0.190, the last one whose server is public. They are not part of this repository:
`CODEENS_DAYTONA_SPECS` names a folder that holds `daytona-api-0.190.yaml` and `daytona-toolbox-0.190.json`.
"""

from __future__ import annotations

import inspect
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.sandbox_backends.daytona_fake.faults import CALLS, KEY

if TYPE_CHECKING:
    from daytona_api_client_async import CreateSandbox

    from tests.sandbox_backends.daytona_fake.service import Service

NOT_GENERATED = {"GET /process/pty/create-connect"}
"""The SDK makes this one by hand."""
NEWER_ROUTES = {"GET /process/pty/create-connect", "POST /sandbox/{sandboxIdOrName}/ttl/{ttlMinutes}"}
NEWER_IN_REQUEST = {
    *("autoPauseInterval", "kvm", "otelEndpointOverride", "outboundProxyUrl"),
    *("queueTimeout", "secrets", "spot", "ttlMinutes"),
}
GONE_FROM_REQUEST: set[str] = set()
NEWER_IN_ANSWER = {"autoDestroyAt", "kvm", "spot"}
"""Known drift since the published documents. Each must still be one: what they catch up with is taken out here."""


def _generated() -> set[str]:
    """Methods and routes of the SDK's generated clients."""
    from daytona_api_client_async import SandboxApi  # all of the SDK takes seconds
    from daytona_toolbox_api_client_async import FileSystemApi, ProcessApi

    found: set[str] = set()
    for api in (SandboxApi, FileSystemApi, ProcessApi):
        text = inspect.getsource(api)
        found |= {f"{method} {path}" for method, path in re.findall(r"method='(\w+)',\s*resource_path='([^']+)'", text)}
    return found


def _wanted() -> CreateSandbox:
    from daytona_api_client_async import CreateSandbox

    made = CreateSandbox(name="one", labels={"a": "b"}, ttl_minutes=3, auto_stop_interval=2, auto_delete_interval=0)
    made.network_block_all = True
    return made


@pytest.fixture(scope="module")
def published() -> tuple[dict[str, Any], dict[str, Any]]:
    folder = os.environ.get("CODEENS_DAYTONA_SPECS")
    if not folder:
        pytest.skip("CODEENS_DAYTONA_SPECS does not name the folder of the published documents")
    api = yaml.safe_load(Path(folder, "daytona-api-0.190.yaml").read_text(encoding="utf-8"))
    toolbox = json.loads(Path(folder, "daytona-toolbox-0.190.json").read_text(encoding="utf-8"))
    return api, toolbox


def test_every_route_of_the_fake_is_one_of_the_sdks(daytona: Service) -> None:
    routes = {route for route in daytona.routes if "socket.io" not in route and not route.startswith("HEAD ")}
    assert routes - _generated() == NOT_GENERATED
    assert set(CALLS) <= routes


def test_every_answer_is_read_by_the_sdks_own_models_without_a_rest() -> None:
    from daytona_api_client_async import ListSandboxesResponse, Sandbox, SandboxListItem

    from tests.sandbox_backends.daytona_fake.records import Record, page

    record = Record(_wanted(), "http://127.0.0.1:9/toolbox")
    sandbox = Sandbox.from_json(record.told().to_json())
    assert sandbox is not None
    assert (sandbox.additional_properties, sandbox.network_block_all, sandbox.name) == ({}, True, "one")
    listed = ListSandboxesResponse.from_json(page([record] * 3, '{"a": "b"}', None, None).to_json())
    assert listed is not None
    assert listed.next_cursor
    for item in listed.items:
        assert isinstance(item, SandboxListItem)
        assert item.additional_properties == {}


@pytest.mark.anyio
async def test_the_real_sdk_reads_all_pages_and_no_others(daytona: Service) -> None:
    from daytona import AsyncDaytona, DaytonaConfig, ListSandboxesQuery

    planted = {daytona.plant({"team": "one", "n": str(number)}) for number in range(5)}
    other = daytona.plant({"team": "two"})
    client = AsyncDaytona(DaytonaConfig(api_key=KEY, api_url=daytona.url, target="us"))
    try:
        found = {sandbox.id async for sandbox in client.list(ListSandboxesQuery(labels={"team": "one"}))}
    finally:
        await client.close()
    assert found == planted
    for one in (*planted, other):
        daytona.remove(one)


def test_every_route_of_the_fake_is_published_or_known_to_be_newer(
    daytona: Service, published: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    known = {
        f"{method.upper()} {path}" for one in published for path, methods in one["paths"].items() for method in methods
    }
    routes = {route for route in daytona.routes if "socket.io" not in route and not route.startswith("HEAD ")}
    assert routes - known == NEWER_ROUTES


def test_every_field_is_published_or_known_to_be_newer(published: tuple[dict[str, Any], dict[str, Any]]) -> None:
    from daytona_api_client_async import CreateSandbox

    from tests.sandbox_backends.daytona_fake.records import Record

    schemas = published[0]["components"]["schemas"]
    request = {_wire_name(name, CreateSandbox) for name in CreateSandbox.model_fields} - {"additional_properties"}
    assert request - set(schemas["CreateSandbox"]["properties"]) == NEWER_IN_REQUEST
    assert set(schemas["CreateSandbox"]["properties"]) - request == GONE_FROM_REQUEST
    answer = set(Record(_wanted(), "http://127.0.0.1:9/toolbox").told().to_dict())
    assert answer - set(schemas["Sandbox"]["properties"]) == NEWER_IN_ANSWER
    assert set(schemas["Sandbox"]["required"]) <= answer


def _wire_name(name: str, model: type[CreateSandbox]) -> str:
    return model.model_fields[name].serialization_alias or name
