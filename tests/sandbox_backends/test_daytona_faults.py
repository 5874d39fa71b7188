"""Whatever goes wrong with the service: a clear error or another try, never the code's failure, and nothing left."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.errors import SandboxBroken, SandboxError, SandboxUnavailable
from codeens_sandbox_backends.registry import get_backend
from tests.sandbox_backends.daytona_fake.faults import CALLS, KEY, TERMINAL, UPLOAD, Fault, Kind
from tests.sandbox_backends.tools import answer

if TYPE_CHECKING:
    from tests.sandbox_backends.daytona_fake.service import Service

pytestmark = pytest.mark.anyio
_SOURCE = "def f(n):\n    return n * n\n"
_CREATE, _DELETE = "POST /sandbox", "DELETE /sandbox/{sandboxIdOrName}"
_LOOK = "GET /sandbox/{sandboxIdOrName}"
_PASSING: dict[str, tuple[Kind, int, str]] = {
    "408": ("status", 408, ""),
    "429": ("status", 429, "0"),
    "500": ("status", 500, ""),
    "502": ("status", 502, ""),
    "503": ("status", 503, ""),
    "dropped before": ("dropped before", 0, ""),
    "dropped after": ("dropped after", 0, ""),
}
"""What may be over at the next try."""
_FOREVER = 200


@asynccontextmanager
async def opened() -> AsyncGenerator[Sandbox]:
    sandbox = await get_backend("daytona").open(SandboxSpec(python=sys.executable))
    try:
        yield sandbox
    finally:
        await sandbox.aclose()


async def nine() -> None:
    """Open, run one job, close; the job's answer must be right."""
    async with opened() as sandbox:
        assert await answer(sandbox, _SOURCE, 3) == 9


async def failure() -> SandboxError:
    """Of opening or of the job; the message must be one sentence or two, and without the key."""
    with pytest.raises(SandboxError) as caught:
        await nine()
    message = str(caught.value)
    assert KEY not in message
    assert "\n" not in message
    assert 20 < len(message) < 700
    return caught.value


def prepared(daytona: Service, at: str) -> None:
    """Have the service be asked that at all."""
    if at == _LOOK:
        daytona.faults.add(Fault(at=_CREATE, kind="slow start"))


@pytest.mark.parametrize("fault", _PASSING)
async def test_what_passes_is_tried_again_at_every_call(daytona: Service, fault: str) -> None:
    kind, status, retry_after = _PASSING[fault]
    for at in CALLS:
        prepared(daytona, at)
        daytona.faults.add(Fault(at=at, kind=kind, status=status, retry_after=retry_after))
    await nine()
    assert daytona.faults.left == 0


@pytest.mark.parametrize(
    ("at", "fault"),
    [
        *(
            (call, fault)
            for call in (_CREATE, UPLOAD, TERMINAL)
            for fault in ("500", "dropped before", "dropped after")
        ),
        *((call, "502") for call in ("GET /sandbox", _LOOK)),
    ],
)
async def test_what_does_not_pass_is_told_as_the_services_failure(daytona: Service, at: str, fault: str) -> None:
    prepared(daytona, at)
    kind, status, _ = _PASSING[fault]
    daytona.faults.add(Fault(at=at, kind=kind, status=status), times=_FOREVER)
    if at == _LOOK:
        daytona.faults.add(Fault(at=_CREATE, kind="slow start"), times=_FOREVER)
    error = await failure()
    assert isinstance(error, SandboxBroken)
    assert "the service daytona did not" in str(error)
    daytona.faults.clear()


@pytest.mark.parametrize("at", [call for call in CALLS if call != _DELETE])
async def test_a_key_that_is_refused_later_is_told_with_the_fix(daytona: Service, at: str) -> None:
    prepared(daytona, at)
    daytona.faults.add(Fault(at=at, kind="status", status=401))
    error = await failure()
    assert isinstance(error, SandboxUnavailable)
    assert "DAYTONA_API_KEY" in error.fix


async def test_a_snapshot_that_is_not_there_is_told_with_the_fix(daytona: Service) -> None:
    daytona.faults.add(Fault(at=_CREATE, kind="status", status=404))
    error = await failure()
    assert isinstance(error, SandboxUnavailable)
    assert "CODEENS_DAYTONA_SNAPSHOT" in error.fix


@pytest.mark.parametrize("at", [UPLOAD, TERMINAL])
async def test_a_sandbox_that_is_gone_too_early_is_the_services_failure(daytona: Service, at: str) -> None:
    daytona.faults.add(Fault(at=at, kind="status", status=404))
    assert "404" in str(await failure())


@pytest.mark.parametrize("status", [401, 404])
async def test_a_sandbox_that_the_service_does_not_delete_ends_by_itself(daytona: Service, status: int) -> None:
    daytona.faults.add(Fault(at=_DELETE, kind="status", status=status), times=_FOREVER)
    await nine()
    assert daytona.sandboxes != []
    assert all(made.ttl_minutes and made.auto_stop_interval and made.auto_delete_interval == 0 for made in daytona.made)
    for left in daytona.sandboxes:
        daytona.remove(left)


async def test_a_service_that_asks_for_a_long_pause_is_not_waited_for(daytona: Service) -> None:
    daytona.faults.add(Fault(at=_CREATE, kind="status", status=429, retry_after="3600"))
    error = await failure()
    assert isinstance(error, SandboxBroken)
    assert "429" in str(error)


async def test_a_slow_start_is_waited_for(daytona: Service) -> None:
    daytona.faults.add(Fault(at=_CREATE, kind="slow start"), times=2)
    await nine()


async def test_a_sandbox_that_does_not_start_is_told_in_the_services_words(daytona: Service) -> None:
    daytona.faults.add(Fault(at=_CREATE, kind="error state"))
    assert "no runner could start it" in str(await failure())


@pytest.mark.parametrize("kind", ["truncated", "killed"])
@pytest.mark.parametrize("after", ["", "terminal-is-raw\n", "codeens-relay ", " data "])
async def test_a_stream_that_ends_early_is_tried_again(daytona: Service, kind: Kind, after: str) -> None:
    async with opened() as sandbox:
        daytona.faults.add(Fault(at=TERMINAL, kind=kind, after=after))
        for number in (2, 3):
            assert await answer(sandbox, _SOURCE, number) == number * number
    assert daytona.faults.left == 0


@pytest.mark.parametrize("kind", ["truncated", "killed"])
async def test_streams_that_all_end_early_are_the_services_failure(daytona: Service, kind: Kind) -> None:
    daytona.faults.add(Fault(at=TERMINAL, kind=kind, after=" data "), times=_FOREVER)
    assert isinstance(await failure(), SandboxBroken)
