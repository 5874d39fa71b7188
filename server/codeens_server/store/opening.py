"""Opens the store that the settings name."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from codeens_server.config.settings import Settings
from codeens_server.files import data_folder

if TYPE_CHECKING:
    from codeens_server.store.runs import RunStore


def results_folder(settings: Settings) -> Path:
    """Where runs and artifacts are kept."""
    return Path(settings.results).expanduser().absolute() if settings.results else data_folder() / "results"


@contextmanager
def open_store(settings: Settings) -> Generator[RunStore]:
    """The store of runs, made at its first use, closed when the block is left.

    Raises:
        ConfigError: `database_url` is wrong.
    """
    from codeens_server.store.artifacts import Artifacts
    from codeens_server.store.database import Database
    from codeens_server.store.runs import RunStore

    folder = results_folder(settings)
    database = Database(settings.database_url, folder=folder)
    try:
        yield RunStore(database, Artifacts(folder))
    finally:
        database.close()
