"""A Ray cluster of several nodes on this machine, whose ports are those of the loopback interface alone."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from codeens_sandbox_backends.ray.connection import ADDRESS_SETTING, leave
from tests.sandbox_backends.machine import why_not

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # A node that is killed is missed after seconds, not after half a minute.
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "2000",
}
_NODE = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 80 << 20, "include_dashboard": False}


def why_no_cluster() -> str:
    """Why no cluster can be started here; empty when one can."""
    return why_not("local") or ("" if importlib.util.find_spec("ray") else "Ray is not installed")


def _started(start: Callable[[], Any]) -> Any:
    """Start a node, again where it is late: Ray waits 30 seconds, and raises nothing more special."""
    for _ in range(2):
        try:
            return start()
        except Exception as error:
            if "timed out during startup" not in str(error):
                raise
    return start()


class LocalCluster:
    """Nodes with a core each; further ones come and go."""

    def __init__(self, nodes: int) -> None:
        make = import_module("ray.cluster_utils").Cluster
        self._cluster: Any = _started(lambda: make(initialize_head=True, head_node_args=_NODE))
        self.address: str = self._cluster.address
        for _ in range(nodes - 1):
            self.add()

    def add(self, environ: dict[str, str] | None = None, **options: Any) -> Any:
        """Start a node, with more variables in its environment."""
        return _started(lambda: self._cluster.add_node(**_NODE, **options, env_vars=environ or {}))

    def remove(self, node: Any) -> None:
        """End a node."""
        self._cluster.remove_node(node)

    def kill(self, node: Any) -> None:
        """End a node as if its machine were gone."""
        node.kill_raylet(check_alive=False)

    def close(self) -> None:
        """End all nodes."""
        leave()
        self._cluster.shutdown()


@contextmanager
def started_cluster(nodes: int = 2) -> Generator[LocalCluster]:
    """Start a cluster; processes started in the block find it."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", quick_imports(Path(folder)), prepend=os.pathsep)
        cluster = LocalCluster(nodes)
        patch.setenv(ADDRESS_SETTING, cluster.address)
        try:
            yield cluster
        finally:
            cluster.close()


def quick_imports(folder: Path) -> str:
    """Have `import ray` take 0.8 s of a processor instead of 3.2: jsonschema can do without the grammar of addresses.

    A node is started by half a dozen processes that import Ray. It ends when its agents are not there after 15 seconds,
    and a process for work is given up after a minute, so that beside other workers of pytest none began.
    """
    (folder / "rfc3987_syntax.py").write_text("raise ImportError('its grammar takes seconds')\n", encoding="utf-8")
    return str(folder)


def below(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have."""
    try:
        lists = [file.read_text(encoding="ascii").split() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    children = [int(child) for own in lists for child in own]
    return [*children, *(grandchild for child in children for grandchild in below(child))]


def is_alive(pid: int) -> bool:
    """Return whether there is such a process, other than one that nobody has seen off."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Actor(NamedTuple):
    """What runs on a node for a driver of this machine."""

    pid: int
    folders: tuple[str, ...]
    """Where what was sent to it lies."""


def actors() -> list[Actor]:
    """Return the actors of all nodes."""
    found: list[Actor] = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and b"ray::SandboxNode" in (entry / "cmdline").read_bytes():
                found.append(Actor(int(entry.name), _folders_of(int(entry.name))))
        except OSError:
            continue
    return sorted(found)


def _folders_of(pid: int) -> tuple[str, ...]:
    """Each actor's folder is named after its process."""
    return tuple(map(str, Path(tempfile.gettempdir()).glob(f"codeens-ray-{pid}-*/*")))
