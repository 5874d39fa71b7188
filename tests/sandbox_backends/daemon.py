"""A Docker daemon of the tests' own, with everything it has in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from docker import APIClient

_READY_S = 100.0
_END_S = 100.0
_PROGRAMS = ("dockerd", "containerd", "runc")
GVISORS_NAME = "gvisor-like"
"""A runtime whose program has gVisor's name, and is runc."""


def why_no_daemon() -> str:
    """Why none can be started here; empty when one can."""
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed (apt-get install docker.io)"
    return "" if os.geteuid() == 0 else "only root can start a Docker daemon"


class Daemon:
    """A running daemon, and a client to look at it with."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.host = f"unix://{folder}/docker.sock"
        self._process = process
        self._log = folder / "log"
        deadline = time.monotonic() + _READY_S
        while True:
            try:
                with (folder / "docker.sock").open():
                    pass
            except FileNotFoundError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"dockerd did not start: {self._log.read_text()[-2000:]}") from None
                time.sleep(0.02)
            except OSError:  # a socket cannot be opened, so it is there
                break
        self.client = APIClient(self.host, timeout=_END_S)

    def containers(self) -> list[str]:
        """Ids of all containers, running or not."""
        return [one["Id"] for one in self.client.containers(all=True)]

    def sleeper(self, image: str, labels: dict[str, str]) -> str:
        """Start a container that is not codeens's, and does nothing."""
        mounts = [{"Type": "bind", "Source": "/usr", "Target": "/usr", "ReadOnly": True}]
        config: dict[str, Any] = {
            "Image": image,
            "Entrypoint": ["/usr/bin/sleep", "600"],
            "Labels": labels,
            "HostConfig": {"NetworkMode": "none", "Mounts": mounts},
        }
        made: str = self.client.create_container_from_config(config)["Id"]
        self.client.start(made)
        return made

    def stop(self) -> None:
        """End it and its containers, in order. Safe to call twice."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the daemon alone, at once: containers go on."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        self.client.close()
        if self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(_END_S)


@contextmanager
def started_daemon() -> Generator[Daemon]:
    """Start one, without network and firewall rules. At the end nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="codeens-dockerd-", dir="/tmp"))  # its sockets' paths must be short
    program = folder / "runsc"
    program.write_text('#!/bin/sh\nexec runc "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    command = [
        *("setpriv", "--pdeathsig", "TERM", "dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none"),
        *(f"--data-root={folder}/data", f"--exec-root={folder}/run", f"--pidfile={folder}/pid"),
        *("--host", f"unix://{folder}/docker.sock", "--exec-opt", "native.cgroupdriver=cgroupfs"),
        *("--add-runtime", f"{GVISORS_NAME}={program}", "--shutdown-timeout", "2"),
    ]
    try:
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        with process:
            try:
                daemon = Daemon(folder, process)
                yield daemon
                daemon.stop()
            finally:
                process.terminate()
        _end_rest(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end_rest(folder: Path) -> None:
    """A killed daemon leaves containerd and what that started: all of them name the folder."""
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and f"{folder}/".encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        if line.split()[4].startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", line.split()[4]], check=False)
