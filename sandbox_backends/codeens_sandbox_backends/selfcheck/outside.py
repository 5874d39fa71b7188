"""What lies outside of a sandbox for code inside to go for, and how to see whether it got there."""

from __future__ import annotations

import os
import secrets
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from codeens_sandbox_backends.selfcheck.segment import Segment

VARIABLE = "CODEENS_SELFCHECK_SECRET"
_WAITING = "import sys; sys.stdin.read()"
_END_S = 10.0


def new_secret() -> str:
    """Return a text that nobody can guess; attempts look for texts of this form."""
    return f"codeens-{secrets.token_hex(16)}"


class OutsideWorld:
    """Files, sockets, a process, a terminal and a variable with a secret each. Use as a context manager.

    The variable is set in this process's own environment meanwhile.
    """

    def __init__(self) -> None:
        self._held = ExitStack()
        self.secret = new_secret()
        """In the file, the variable, the process and the shared memory."""
        self.marker = f"marker-{secrets.token_hex(8)}"
        """Name of files, and argument of processes, that must not be there."""

    def __enter__(self) -> OutsideWorld:
        with ExitStack() as held:
            self._set_up(held)
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def _set_up(self, held: ExitStack) -> None:
        self.home = _folder(held, _writable_home())
        self.secret_file = self.home / "secret"
        self.secret_file.write_text(self.secret, encoding="utf-8")
        self.kept_file = self.home / "pinned"
        self.kept_file.write_text("pinned", encoding="utf-8")
        self.workspace = _folder(held, None)
        self.workspace.chmod(0o755)  # some backends run code as another user
        self._fill_workspace()
        self._before = _state(self.home), _state(self.workspace)
        self.tcp = held.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.udp = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.udp.bind(("127.0.0.1", 0))
        self.unix = held.enter_context(socket.socket(socket.AF_UNIX))
        self.unix_path = str(_folder(held, None) / "socket")
        _listen(self.unix, self.unix_path)
        self.abstract = held.enter_context(socket.socket(socket.AF_UNIX))
        self.abstract_name = f"@{self.marker}"
        _listen(self.abstract, f"\0{self.marker}")
        self.terminal, slave = os.openpty()
        held.callback(os.close, self.terminal)
        held.callback(os.close, slave)
        self.terminal_name = os.ttyname(slave)
        self.segment = held.enter_context(Segment(self.secret))
        os.environ[VARIABLE] = self.secret
        held.callback(os.environ.pop, VARIABLE, None)
        self.bystander = self._start_bystander(held)

    def _fill_workspace(self) -> None:
        (self.workspace / "kept.txt").write_text("pinned", encoding="utf-8")
        (self.workspace / "way-out").symlink_to(self.secret_file)
        (self.workspace / "way-round").symlink_to(f"../../../../../..{self.secret_file}")

    def _start_bystander(self, held: ExitStack) -> subprocess.Popen[bytes]:
        """Start a process of this user with the secret in its arguments, environment, memory and an open file."""
        with self.secret_file.open("rb") as opened:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _WAITING, self.secret],
                stdin=subprocess.PIPE,
                stdout=opened,
                env={VARIABLE: self.secret},
                start_new_session=True,
            )
        held.callback(_end, process)
        return process

    # What happened meanwhile, each as a sentence, empty when nothing did -------------------------------------------

    def changed_files(self) -> str:
        """Of the home folder's and the workspace's files, also their modes, owners and times."""
        for folder, before in zip((self.home, self.workspace), self._before, strict=True):
            now = _state(folder)
            if now != before:
                return f"files of {folder} are not as they were: {sorted(set(now) ^ set(before))}"
        return ""

    def created_files(self, places: list[str]) -> str:
        """Files called by the marker in these folders; they are removed."""
        found = [place for place in dict.fromkeys(map(os.path.realpath, places)) if _removed(Path(place, self.marker))]
        return f"a file appeared in {', '.join(found)}" if found else ""

    def visited(self, listener: socket.socket) -> str:
        """Return whether anything came to a socket."""
        return "something came to the socket outside" if select.select([listener], [], [], 0)[0] else ""

    def typed(self) -> str:
        """Return whether anything was written to the terminal."""
        return "something was written to the terminal" if select.select([self.terminal], [], [], 0)[0] else ""

    def bystander_ended(self) -> str:
        """Return whether the process outside was ended, stopped or slowed."""
        if self.bystander.poll() is not None:
            return f"the process outside was ended ({self.bystander.returncode})"
        if os.getpriority(os.PRIO_PROCESS, self.bystander.pid) != os.getpriority(os.PRIO_PROCESS, 0):
            return "the process outside was given another priority"
        return ""

    def told(self, text: str) -> str:
        """Return whether a text holds the secret."""
        return "it knows the secret" if self.secret in text else ""


def _removed(file: Path) -> bool:
    """Remove a file; whether it was there. In a folder that we cannot enter nobody can have made one."""
    try:
        file.unlink()
    except OSError:
        return False
    return True


def remove_left(name: str) -> None:
    """Remove a file of that name from the folders that all may write to."""
    for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run"):  # noqa: S108  # where code inside may have put it
        with suppress(OSError):
            Path(folder, name).unlink()


def started_at(pid: int) -> str:
    """When a process was started, in the kernel's ticks: with its number it is unique. Empty without /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except OSError:
        return ""


def processes_with(marker: str) -> list[int]:
    """Return the processes of this machine that have the marker among their arguments."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def _folder(held: ExitStack, parent: Path | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=".codeens-selfcheck-", dir=parent)).resolve()
    held.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _writable_home() -> Path | None:
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home if os.access(home, os.W_OK) else None


def _listen(listener: socket.socket, address: str) -> None:
    listener.bind(address)
    listener.listen()


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        process.kill()
    process.communicate(timeout=_END_S)


def _state(folder: Path) -> list[tuple[str, ...]]:
    """Return everything below a folder: name, mode, owner, time of change, content."""
    found: list[tuple[str, ...]] = []
    for path in sorted([folder, *folder.rglob("*")]):
        known = path.lstat()
        content = path.read_bytes().hex() if path.is_file() and not path.is_symlink() else ""
        facts = (known.st_mode, known.st_uid, known.st_gid, known.st_mtime_ns, known.st_nlink)
        found.append((str(path), *map(str, facts), content))
    return found
