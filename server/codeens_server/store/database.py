"""The database, SQLite or PostgreSQL: one engine, short transactions in worker threads, a few at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from codeens_sandbox_backends.extras import installing_extra
from codeens_server.errors import ConfigError, Hint, RunError
from codeens_server.files import private_folder
from codeens_server.store.schema import bring_up_to_date

T = TypeVar("T")

_FILE = "codeens.db"
_BUSY_MS = 30_000
_TRIES = 10
_READERS = 4
_WRITERS = {"sqlite": 1, "postgresql": 4}
_CONNECT_S = 15
_FORMS = "sqlite:////path/file.db or postgresql://user@host/database"
_POSTGRESQL = ("postgres", "postgresql", "postgresql+psycopg")


class Database:
    """Runs work against the database, writes in the order they were asked for. Safe to use from any task of a loop.

    It is opened, and made where it is not there, by the first piece of work: a request that is refused leaves nothing.
    """

    def __init__(self, url: str | None, *, folder: Path) -> None:
        """Name the database.

        Args:
            url: of SQLite or PostgreSQL, as SQLAlchemy reads it; None: `codeens.db`, SQLite, in `folder`.

        Raises:
            ConfigError: the URL is wrong, or of another kind of database.
        """
        self._url = None if url is None else _parsed(url)
        self._folder = folder
        self._engine: Engine | None = None
        self._opening = threading.Lock()
        self._reads = anyio.CapacityLimiter(_READERS)
        self._writes = anyio.CapacityLimiter(_WRITERS[self._url.get_backend_name() if self._url else "sqlite"])

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

    async def check(self) -> None:
        """Refuse a database that cannot be used; one that is not there yet is not made.

        Raises:
            ConfigError: see `read`.
            RunError: see `read`.
        """
        if self._url is not None or (self._folder / _FILE).exists():
            await self.read(lambda _: None)

    @property
    def address(self) -> str:
        """The database's URL, without its password."""
        return (self._url or _file_url(self._folder)).render_as_string(hide_password=True)

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
        parsed = make_url(url)
    except ArgumentError:
        message = f"database_url is not an SQLAlchemy URL; write it as {_FORMS}."
        raise ConfigError(message) from None
    if parsed.drivername in _POSTGRESQL:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        return parsed
    message = f"runs are kept in SQLite or PostgreSQL, not in {parsed.drivername}; write database_url as {_FORMS}."
    raise ConfigError(message)


def _opened(address: URL) -> Engine:
    shown = address.render_as_string(hide_password=True)
    engine = _sqlite(address) if address.get_backend_name() == "sqlite" else _postgresql(address)
    with ExitStack() as unless_prepared:
        unless_prepared.callback(engine.dispose)
        try:
            _prepare_tables(engine)
        except DBAPIError as error:
            message = f"the database {shown} cannot be opened: {str(error.orig).strip()}."
            raise RunError(message) from error
        unless_prepared.pop_all()
    return engine


def _sqlite(address: URL) -> Engine:
    engine = create_engine(address)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _postgresql(address: URL) -> Engine:
    # A plan that is kept for all searches reads the runs in the order of an index, three times as slow as all at once.
    options = {"connect_timeout": _CONNECT_S, "prepare_threshold": None}
    try:
        return create_engine(address, pool_pre_ping=True, connect_args=options)
    except ModuleNotFoundError as error:
        message = f"database_url is of PostgreSQL, whose driver is not installed: {installing_extra('postgres')}"
        raise ConfigError(message) from error


def _sqlite_url(folder: Path) -> URL:
    try:
        path = private_folder(folder) / _FILE
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        message = f"the results folder {folder} cannot be written: {error.strerror}. Choose another."
        raise RunError(message, hint=Hint("option", "results")) from error
    return _file_url(folder)


def _file_url(folder: Path) -> URL:
    return URL.create("sqlite", database=str(folder / _FILE))


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Have readers beside a writer, patience between processes, and keys held to."""
    cursor = connection.cursor()
    for setting in (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _prepare_tables(engine: Engine) -> None:
    for tries_left in range(_TRIES - 1, -1, -1):
        try:
            bring_up_to_date(engine)
        except OperationalError:
            # SQLite does not wait for another process that changes the kind of its journal.
            if not tries_left or engine.dialect.name != "sqlite":
                raise
        else:
            return
