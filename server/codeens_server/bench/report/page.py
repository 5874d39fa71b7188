"""The report as one HTML file that needs nothing else: charts to point at, and all records to filter.

What models wrote is data in it, never markup, and the page may load nothing. Records stand as columns of numbers, and
of the table only the rows in sight are made, so that a hundred thousand of them open at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from codeens_server.bench.records import Record
from codeens_server.bench.report.model import BenchReport

_TEMPLATE = Path(__file__).with_name("page.html")
_PLACE = "__REPORT__"
_MOST_TEXT = 8_000_000
"""Characters of sources and reasons: the first records have theirs, the page says which have not."""


def as_page(report: BenchReport, records: Iterable[Record]) -> str:
    """Return the page.

    Args:
        report: of these records.
        records: all of them, for the table; each is looked at once.
    """
    data = {"report": msgspec.to_builtins(report), "records": _columns(records)}
    # Inside a script only this could end it.
    text = msgspec.json.encode(data).decode().replace("<", "\\u003c")
    return _TEMPLATE.read_text(encoding="utf-8").replace(_PLACE, text, 1)


def _columns(records: Iterable[Record]) -> dict[str, list[Any]]:
    """Return records as columns; `names` are what the others point into."""
    names: dict[str, int] = {}
    columns: dict[str, list[Any]] = {key: [] for key in ("task", "system", "ending", "sample", "run", "cost", "text")}
    texts: list[tuple[str, str]] = []
    left = _MOST_TEXT
    for record in records:
        source, reason = record.last.source, record.last.reason
        left -= len(source) + len(reason)
        columns["task"].append(names.setdefault(record.task_id, len(names)))
        columns["system"].append(names.setdefault(f"{record.model} · {record.variant}", len(names)))
        columns["ending"].append(names.setdefault(record.ending, len(names)))
        columns["sample"].append(record.sample)
        columns["run"].append(None if record.last.run_s is None else round(record.last.run_s, 5))
        columns["cost"].append(record.cost_usd)
        columns["text"].append(len(texts) if left >= 0 else -1)
        if left >= 0:
            texts.append((source, reason))
    return {**columns, "names": list(names), "texts": list(texts)}
