"""Data sets by name, ours and those of other distributions, through one entry-point group."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from codeens_server.bench.datasets.base import Dataset
from codeens_server.errors import Hint, InputError, RunError, unknown

GROUP = "codeens.datasets"


def dataset_names() -> list[str]:
    """Return the names of all registered data sets, sorted, without loading any."""
    return sorted(_entries())


def get_dataset(name: str) -> Dataset:
    """Load the data set of that name, and no other.

    Raises:
        InputError: nothing is registered under it; the message names the nearest name.
        RunError: it is registered and cannot be loaded.
    """
    entries = _entries()
    if not entries:
        message = "no data set is registered: this installation of codeens is older than its code."
        raise RunError(message, code="stale_installation", hint=Hint("fix", "Install codeens again."))
    entry = entries.get(name)
    if entry is None:
        raise InputError(unknown("data set", name, dataset_names()), code="no_such_data_set")
    try:
        found: Dataset = entry.load()
    except Exception as error:
        message = f"the data set {name} ({entry.value}) cannot be loaded: {type(error).__name__}: {error}."
        raise RunError(message) from error
    return found


def _entries() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, entry)
    return found
