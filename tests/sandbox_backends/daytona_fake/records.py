"""What the fake knows of its sandboxes, told with the vendor's own models."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from daytona_api_client_async import CreateSandbox, ListSandboxesResponse, Sandbox, SandboxListItem, SandboxState

from tests.sandbox_backends.fake_machine.machine import Machine

_PAGE = 2
"""Few on a page, so that there are several pages."""
_LEFT_OUT_OF_LISTS = ("env", "kvm", "volumes", "buildInfo", "backupCreatedAt", "linkedSandboxId", "outboundProxyUrl")


class Record:
    """One sandbox."""

    def __init__(self, wanted: CreateSandbox, toolbox_url: str) -> None:
        self.wanted = wanted
        self.id = str(uuid.uuid4())
        self.name = wanted.name or self.id
        self.labels = dict(wanted.labels or {})
        self.machine: Machine | None = None
        self.state = SandboxState.CREATING
        self.error_reason: str | None = None
        self._toolbox_url = toolbox_url
        self._since = datetime.now(UTC)
        self._end: datetime | None = None
        self.ends_in(wanted.ttl_minutes or 0)

    def has(self, labels: Mapping[str, str]) -> bool:
        return labels.items() <= self.labels.items()

    def ends_in(self, minutes: int) -> None:
        """It is to be destroyed then; never when that is 0."""
        self._end = datetime.now(UTC) + timedelta(minutes=minutes) if minutes else None

    def told(self) -> Sandbox:
        """As the service tells it."""
        wanted = self.wanted
        return Sandbox(
            id=self.id,
            organization_id="fake-organization",
            name=self.name,
            snapshot=wanted.snapshot or "fake-default",
            user=wanted.user or "root",
            env=wanted.env or {},
            labels=self.labels,
            public=bool(wanted.public),
            network_block_all=bool(wanted.network_block_all),
            kvm=False,
            target=wanted.target or "us",
            cpu=1,
            gpu=0,
            memory=1,
            disk=3,
            state=self.state,
            error_reason=self.error_reason,
            auto_stop_interval=15 if wanted.auto_stop_interval is None else wanted.auto_stop_interval,
            auto_delete_interval=-1 if wanted.auto_delete_interval is None else wanted.auto_delete_interval,
            auto_destroy_at=self._end.isoformat() if self._end else None,
            created_at=self._since.isoformat(),
            sandbox_class="container",
            toolbox_proxy_url=self._toolbox_url,
        )


def page(records: Iterable[Record], labels: str | None, cursor: str | None, limit: str | None) -> ListSandboxesResponse:
    """The sandboxes that have these labels (a JSON object), from a place on."""
    wanted: dict[str, str] = json.loads(labels or "{}")
    found = [record for record in records if record.has(wanted)]
    start = int(cursor or 0)
    end = start + min(int(limit or _PAGE), _PAGE)
    items = [_item(record) for record in found[start:end]]
    return ListSandboxesResponse(items=items, next_cursor=str(end) if end < len(found) else None)


def _item(record: Record) -> SandboxListItem:
    told = {name: value for name, value in record.told().to_dict().items() if name not in _LEFT_OUT_OF_LISTS}
    item = SandboxListItem.from_dict(told)
    assert item is not None
    return item
