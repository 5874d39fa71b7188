"""What runs used is kept with their events: questions to models, and sandboxes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from codeens import Session
from codeens_server.config.settings import Settings
from codeens_server.run.events import CandidateGenerated, GenerationFailed, InputsAsked
from codeens_server.run.sandboxes import SandboxUse
from codeens_server.store.opening import open_store
from codeens_server.store.runs import RunStore
from codeens_server.store.used import ModelUse
from tests.server import facts

pytestmark = pytest.mark.anyio
_RUN = "20260101-aaaaaa"
_BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def test_calls_of_models_are_kept_with_their_latency_and_go_where_their_run_goes(
    store: RunStore, tmp_path: Path
) -> None:
    state = await facts.keep(store, facts.found(facts.target_in(tmp_path), _RUN))
    asked = replace(facts.candidate("c4"), tokens_in=30, tokens_out=12, latency_s=2.0)
    kept_before = replace(asked, id="c5", cost_usd=0.0, latency_s=None)
    await facts.add(
        store,
        state,
        *(CandidateGenerated(candidate=candidate) for candidate in (asked, kept_before)),
        GenerationFailed(call="c6", model="maker/small", variant="memory", why="no answer within 60 s", latency_s=60.0),
        InputsAsked(model="maker/small", count=3, cost_usd=None, tokens=5, latency_s=1.0),
        GenerationFailed(call="c7", model="maker/none", variant="memory", why="no key"),
    )
    found = await store.used.latest()

    with open_store(Settings(results=str(tmp_path / "other"))) as other:
        await other.transfer.take_in(await store.transfer.export(_RUN))
        taken = await other.used.latest()
        soon = datetime.now(UTC) + timedelta(days=1)
        removable = await other.transfer.removable(soon)
        await other.transfer.remove(replace(removable, runs=(_RUN,)), soon)
        left = await other.used.latest()

    assert [(call.variant, call.latency_s, call.tokens, call.failure) for call in sorted(found.calls, key=str)] == [
        ("", 1.0, 5, ""),
        ("memory", 60.0, 0, "no answer within 60 s"),
        ("performance", 2.0, 42, ""),
    ]
    assert found.models == (
        ModelUse(
            model="maker/small",
            calls=3,
            failed=1,
            median_s=2.0,
            p95_s=60.0,
            tokens=47,
            cost_usd=0.002,
            cost_known=False,
        ),
    )
    assert taken.models == found.models
    assert (left.models, left.calls) == ((), ())


async def test_a_sandbox_is_kept_as_it_was_at_the_last_event_and_when_it_was_closed(
    store: RunStore, tmp_path: Path
) -> None:
    use = SandboxUse(python="/usr/bin/python3", label=facts.LABEL, opened=_BEGAN, closed=None, jobs=1, busy_s=0.25)
    state = await facts.keep(store, facts.found(facts.target_in(tmp_path), _RUN))
    await store.append(state, sandboxes=[use])
    (while_open,) = (await store.used.latest()).sandboxes
    await store.append(state, sandboxes=[replace(use, closed=_BEGAN + timedelta(seconds=9), jobs=4, busy_s=12.5)])
    (closed,) = (await store.used.latest()).sandboxes

    assert (while_open.opened, while_open.closed, while_open.open_s, while_open.jobs) == (_BEGAN, None, None, 1)
    assert (closed.label, closed.open_s, closed.jobs, closed.busy_s) == (facts.LABEL, 9.0, 4, 12.5)


async def test_a_sandbox_that_is_lent_to_what_is_no_run_is_kept_after_each_call_and_when_it_is_closed(
    tmp_path: Path,
) -> None:
    settings = Settings(results=str(tmp_path / "results"))
    async with Session(tmp_path, settings=settings, environ={}) as session:
        await session.run_code("print(1)")
        store = await session.opened_store()
        before = (await store.used.latest()).sandboxes
        await session.run_code("print(1)")
        (lent,) = (await store.used.latest()).sandboxes
    with open_store(settings) as again:
        (closed,) = (await again.used.latest()).sandboxes
    assert before == ()  # nothing is opened for it
    assert (lent.run_id, lent.jobs, lent.closed) == ("", 2, None)
    assert lent.busy_s > 0
    assert closed.closed is not None
    assert (closed.opened, closed.jobs, closed.label) == (lent.opened, 2, lent.label)
