"""The database: one engine, short transactions in worker threads, one writer at a time beside a few readers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
from sqlalchemy import URL, Engine, create_engine, event, inspect, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from codeens_server.errors import ConfigError, Hint, RunError
from codeens_server.files import private_folder
from codeens_server.store.tables import SCHEMA, Base, SchemaVersion

T = TypeVar("T")

_BUSY_MS = 30_000
_TRIES = 10
_READERS = 4


class Database:
    """Runs work against the database, writes in the order they were asked for. Safe to use from any task of a loop.

    It is opened, and made where it is not there, by the first piece of work: a request that is refused leaves nothing.
    """

    def __init__(self, url: str | None, *, folder: Path) -> None:
        """Name the database.

        Args:
            url: an SQLAlchemy URL; None: `codeens.db`, SQLite, in `folder`.

        Raises:
            ConfigError: the URL is wrong.
        """
        self._url = None if url is None else _parsed(url)
        self._folder = folder
        self._engine: Engine | None = None
        self._opening = threading.Lock()
        self._reads = anyio.CapacityLimiter(_READERS)
        self._writes = anyio.CapacityLimiter(1)

    async def read(self, work: Callable[[Session], T]) -> T:
        """Do work in one transaction and hand back its result.

        Raises:
            ConfigError: the database's driver is not installed.
            RunError: the database cannot be opened, is of another version of codeens, or is locked for long.
        """
        return await anyio.to_thread.run_sync(self._transaction, work, limiter=self._reads)

    async def write(self, work: Callable[[Session], object]) -> None:
        """Do work in one transaction, committed when this returns, also when the caller is cancelled meanwhile.

        Raises:
            ConfigError: see `read`.
            RunError: see `read`; also: the disk is full.
        """
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._transaction, work, limiter=self._writes)

    def close(self) -> None:
        """Close all connections."""
        if self._engine is not None:
            self._engine.dispose()

    def _transaction(self, work: Callable[[Session], T]) -> T:
        with self._opening:
            if self._engine is None:
                self._engine = _opened(_sqlite_url(self._folder) if self._url is None else self._url)
            engine = self._engine
        try:
            try:
                return _attempt(engine, work)
            except IntegrityError:
                # Another process wrote the row between our look and our insert; the second look sees it.
                return _attempt(engine, work)
        except DBAPIError as error:
            message = f"the database of runs cannot be used: {error.orig}."
            raise RunError(message) from error


def _attempt(engine: Engine, work: Callable[[Session], T]) -> T:
    with Session(engine, expire_on_commit=False) as session, session.begin():
        return work(session)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        message = "database_url is not an SQLAlchemy URL; write it as sqlite:////path/file.db."
        raise ConfigError(message) from None


def _opened(address: URL) -> Engine:
    shown = address.render_as_string(hide_password=True)
    try:
        engine = create_engine(address)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        message = f"the driver of database_url {shown!r} is not installed: {error}."
        raise ConfigError(message) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    try:
        _make_tables(engine)
    except DBAPIError as error:
        message = f"the database {shown} cannot be opened: {error.orig}."
        raise RunError(message) from error
    return engine


def _sqlite_url(folder: Path) -> URL:
    try:
        path = private_folder(folder) / "codeens.db"
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        message = f"the results folder {folder} cannot be written: {error.strerror}. Choose another."
        raise RunError(message, hint=Hint("option", "results")) from error
    return URL.create("sqlite", database=str(path))


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """The one place with SQL of SQLite: readers beside a writer, patience between processes, keys held to."""
    cursor = connection.cursor()
    for setting in (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _make_tables(engine: Engine) -> None:
    for tries_left in range(_TRIES - 1, -1, -1):
        try:
            _make_missing_tables(engine)
        except (OperationalError, IntegrityError):
            # Another process made one between our look and our statement; the next look sees it.
            if not tries_left:
                raise
        else:
            return


def _make_missing_tables(engine: Engine) -> None:
    if inspect(engine).has_table(SchemaVersion.__tablename__):
        _check_version(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        if session.get(SchemaVersion, 1) is None:
            session.add(SchemaVersion(id=1, version=SCHEMA))


def _check_version(engine: Engine) -> None:
    """Refuse what another version made, before anything is written into it.

    Raises:
        RunError: with the way out.
    """
    with Session(engine) as session:
        found = session.get(SchemaVersion, 1)
    if found is not None and found.version != SCHEMA:
        message = (
            f"the database of runs has schema {found.version}, and this codeens uses {SCHEMA}: it was made by another "
            "version, and is left as it is. Choose another results folder, or use the codeens that made it."
        )
        raise RunError(message, code="other_schema", hint=Hint("option", "results"))
