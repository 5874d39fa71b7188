"""A real PostgreSQL for tests: a server of its own in a temporary folder, reached by a socket there."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy

_SERVER = ("-F", "-c", "listen_addresses=", "-c", "max_connections=40")
"""Without waiting for the disk: what is tested is that processes are killed, not machines."""


def _programs() -> Path | None:
    """Return the folder of the newest server's programs; None where there is none."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return folders[-1] if folders else None


def why_not() -> str:
    """Say why no server can be started; empty when one can."""
    if _programs() is None:
        return "PostgreSQL is not installed"
    return "" if os.geteuid() or _owner() else "PostgreSQL does not run as root, and there is no user postgres"


def _owner() -> pwd.struct_passwd | None:
    """Return who runs the server where that cannot be this user."""
    try:
        return pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    except KeyError:
        return None


class Server:
    """A running server."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._count = 0

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        self._count += 1
        name = f"test{self._count}"
        engine = sqlalchemy.create_engine(
            self._url("postgres").replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgresql://codeens@/{database}?host={self._folder}"


@contextmanager
def started() -> Generator[Server]:
    """Start a server; it is ended, and its files are removed, when the block is left."""
    programs, owner = _programs(), _owner()
    assert programs is not None
    with TemporaryDirectory(prefix="codeens-pg-") as folder:
        data = Path(folder) / "data"
        switch: Callable[[], None] | None = None
        if owner is not None:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            switch = partial(_become, owner.pw_uid, owner.pw_gid)

        def call(program: str, *arguments: str) -> None:
            command = [str(programs / program), *arguments]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, preexec_fn=switch)

        call("initdb", "-D", str(data), "-U", "codeens", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        options = " ".join((*_SERVER, "-k", folder))
        call("pg_ctl", "start", "-w", "-D", str(data), "-l", f"{folder}/log", "-o", options)
        try:
            yield Server(folder)
        finally:
            call("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(data))


def _become(user: int, group: int) -> None:
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
