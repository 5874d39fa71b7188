"""Whatever is asked of the API, by its description or against it, is answered as described and never with a 5xx."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import Any, cast

import anyio.from_thread
import anyio.to_thread
import httpx
import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from codeens_server.doctor import checks

pytestmark = pytest.mark.anyio
EXAMPLES = 4
"""Of each operation, by its description and against it: the same in every run."""


@pytest.mark.scene
async def test_every_operation_answers_as_it_is_described(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    schemathesis: Any = pytest.importorskip("schemathesis")
    modes: Any = pytest.importorskip("schemathesis.generation").GenerationMode
    general: Any = pytest.importorskip("schemathesis.checks")
    of_openapi: Any = pytest.importorskip("schemathesis.specs.openapi.checks")
    judged = [
        general.not_a_server_error,
        of_openapi.response_schema_conformance,
        of_openapi.status_code_conformance,
    ]
    monkeypatch.setattr(checks, "backend_names", list[str])
    described: Any = schemathesis.openapi.from_dict((await client.get("/api/openapi.json")).json())
    asked: set[str] = set()
    refused: list[str] = []

    def ask(case: Any) -> None:
        made = requests.Request(**case.as_transport_kwargs(base_url=str(client.base_url))).prepare()
        headers = {name: value for name, value in made.headers.items() if name.lower() != "host"}
        body = made.body.encode() if isinstance(made.body, str) else made.body
        assert made.method is not None
        assert made.url is not None
        request = client.build_request(made.method, made.url, headers=cast("Any", headers), content=cast("Any", body))
        answer = anyio.from_thread.run(client.send, request)
        asked.add(case.operation.label)
        try:
            case.validate_response(answer, checks=judged)
        except Exception as error:  # noqa: BLE001  # all operations are told at once
            refused.append(f"{case.operation.label}: {error}")

    def ask_all() -> None:
        bounded = settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.filter_too_much,
                HealthCheck.data_too_large,
                HealthCheck.large_base_example,
            ],
        )
        for found in described.get_all_operations():
            for mode in (modes.POSITIVE, modes.NEGATIVE):
                strategy = found.ok().as_strategy(generation_mode=mode)
                # Of what takes nothing there is nothing that could be wrong.
                with suppress(Unsatisfiable) if mode is modes.NEGATIVE else nullcontext():
                    bounded(given(case=strategy)(ask))()

    await anyio.to_thread.run_sync(ask_all)

    assert refused == []
    assert len(asked) == sum(len(methods) for methods in described.raw_schema["paths"].values())
