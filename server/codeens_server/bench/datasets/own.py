"""Tasks of one's own, in the schema that `codeens score` takes: any file or folder."""

from __future__ import annotations

from codeens_server.bench.datasets.base import Choice, Dataset, Item, Row
from codeens_server.tasks.schema import Task


def item(row: Row, place: str, choice: Choice) -> Item:
    """Return a row as the task that it is; what parquet has no value for counts as not given."""
    del choice
    given = {name: value for name, value in row.items() if value is not None}
    return Item(task=Task.from_dict(given, name=place))


DATASET = Dataset(name="tasks", file=None, item=item)
