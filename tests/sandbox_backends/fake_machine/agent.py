"""The first process of a fake's machine: writes files and starts programs, as it is told over one socket.

Runs inside, without the rest of the tests: standard library only. Each message is a packet of JSON, with descriptors.

| order                                                       | answer                                               |
|-------------------------------------------------------------|------------------------------------------------------|
| `{"id", "do": "write", "path"}` and a file                  | `{"id", "error"}`, null when it is written           |
| `{"id", "do": "run", "argv", "cwd", "env"}` and three pipes | `{"id", "error"}`; `{"id", "ended"}` at its end      |
| `{"id", "do": "terminal", "argv", "cwd", "env", "size"}`    | the same, the first one with the terminal's master   |
| `{"id", "do": "kill", "of"}`                                | none; ends what was started as `of`, and its children|
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import fcntl
import json
import os
import resource
import selectors
import shutil
import signal
import socket
import struct
import sys
import termios
from pathlib import Path
from typing import Any

_PACKET = 1 << 20
_TASKS = 512
_PR_SET_DUMPABLE = 4
Message = dict[str, Any]


def main(descriptor: int) -> None:
    """Serve until the other end is closed; all processes end with this one."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_NPROC, (_TASKS, _TASKS))
    Agent(socket.socket(fileno=descriptor)).serve()


class Agent:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._running: dict[int, int] = {}
        """Order by process number."""

    def serve(self) -> None:
        woken, waking = socket.socketpair()
        for end in (woken, waking):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, _wake)
        signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if woken in ready:
                    woken.recv(4096)
                self._reap()
                if self._control in ready and not self._take_order():
                    return

    def _take_order(self) -> bool:
        packet, descriptors, _, _ = socket.recv_fds(self._control, _PACKET, 4)
        if not packet:
            return False
        order: Message = json.loads(packet)
        given: list[int] = []
        try:
            given = self._done(order, descriptors)
        except OSError as error:
            self._say({"id": order["id"], "error": str(error)})
        else:
            if order["do"] != "kill":
                self._say({"id": order["id"], "error": None}, given)
        finally:
            for one in (*descriptors, *given):
                os.close(one)
        return True

    def _done(self, order: Message, descriptors: list[int]) -> list[int]:
        """Carry it out; descriptors for the answer."""
        match order["do"]:
            case "write":
                place = Path(order["path"])
                place.parent.mkdir(parents=True, exist_ok=True)
                with os.fdopen(os.dup(descriptors[0]), "rb") as source, place.open("wb") as target:
                    shutil.copyfileobj(source, target)
            case "run":
                self._start(order, descriptors)
            case "terminal":
                master, slave = os.openpty()
                columns, rows = order["size"]
                fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                self._start(order, [slave, slave, slave], terminal=True)
                os.close(slave)
                return [master]
            case _:
                for pid in [pid for pid, started_as in self._running.items() if started_as == order["of"]]:
                    _kill_tree(pid)
        return []

    def _start(self, order: Message, standard: list[int], *, terminal: bool = False) -> None:
        if not Path(order["cwd"]).is_dir():
            raise NotADirectoryError(f"no folder {order['cwd']}")
        pid = os.fork()
        if pid:
            self._running[pid] = order["id"]
            return
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            if terminal:
                fcntl.ioctl(standard[0], termios.TIOCSCTTY, 0)
            for place, descriptor in enumerate(standard):
                os.dup2(descriptor, place)
            os.closerange(3, 256)
            os.chdir(order["cwd"])
            os.execve(order["argv"][0], order["argv"], {**os.environ, **order["env"]})
        finally:
            os._exit(127)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            order = self._running.pop(pid, None)
            if order is not None:
                code = os.waitstatus_to_exitcode(status)
                self._say({"id": order, "ended": 128 - code if code < 0 else code})

    def _say(self, message: Message, descriptors: list[int] | None = None) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        with contextlib.suppress(BrokenPipeError):  # the end is seen by who receives
            self._control.sendmsg([json.dumps(message).encode()], rights)


def _wake(*_: object) -> None:
    """For a signal that only has to interrupt a wait."""


def _kill_tree(pid: int) -> None:
    """Children first, so that none is another one's orphan meanwhile."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            _kill_tree(int(folder.name))
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
