"""The daemon's API, through the `docker` SDK, and what its failures mean."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

from codeens_sandbox_backends.errors import SandboxBroken, SandboxUnavailable
from codeens_sandbox_backends.extras import installing_extra

if TYPE_CHECKING:
    from docker import APIClient

NAME = "docker"
RUNTIME_SETTING = "CODEENS_DOCKER_RUNTIME"
IMAGE_SETTING = "CODEENS_DOCKER_IMAGE"
_USUAL_HOST = "unix:///var/run/docker.sock"
_TIMEOUT_S = 30.0
_LINES_AT_MOST = 50
_WORDS_AT_MOST = 2000
_START = "Start it (systemctl start docker), or set DOCKER_HOST to the unix socket of another one (podman's, for one)"


class ListedContainer(NamedTuple):
    """A container as the daemon lists it."""

    id: str
    labels: Mapping[str, str]
    running: bool


class DockerClient:
    """A connection to the daemon; its methods may be called from several threads at once.

    Each raises `SandboxBroken` when the daemon does not answer, or refuses.
    """

    def __init__(self) -> None:
        """Connect; raises `SandboxUnavailable` when there is no SDK, no daemon, or none that can isolate."""
        self._client = _connect()
        try:
            with _asked("describe itself"):
                facts = self._client.info()
            self.processors: int = facts["NCPU"]
            self.may_stand_still = _may_stand_still(facts["ServerVersion"])
            """Whether it starts nothing any more once two containers have left the same network at the same time."""
            self.runtime = _runtime(facts)
            for bound in ("MemoryLimit", "PidsLimit", "CpuCfsQuota"):
                _require(facts, bound)
        except BaseException:
            self._client.close()
            raise

    @property
    def has_own_kernel(self) -> bool:
        """Whether containers run on a kernel of their own, in user space: gVisor."""
        return self.runtime is not None and self.runtime.program.startswith("runsc")

    def close(self) -> None:
        self._client.close()

    def has_image(self, name: str) -> bool:
        with _asked("list its images"):
            return bool(self._client.images(name, quiet=True))

    def import_image(self, archive: bytes, repository: str, tag: str) -> None:
        """Make an image of a tar archive."""
        with _asked("import an image"):
            answer = self._client.import_image_from_data(archive, repository=repository, tag=tag)
        if "error" in answer:
            raise SandboxBroken(f"Docker could not import an image: {answer}")

    def start(self, config: Mapping[str, Any]) -> str:
        """Create and start a container; `config` is the body of the API's `POST /containers/create`. Tells its id."""
        with _asked("start a container"):
            made: str = self._client.create_container_from_config(config)["Id"]
            try:
                self._client.start(made)
            except BaseException:
                with suppress(SandboxBroken):
                    self.remove(made)
                raise
        return made

    def output(self, container: str) -> str:
        """Return the end of what a container wrote, if its output is kept."""
        with _asked("tell what a container said"):
            said = self._client.logs(container, tail=_LINES_AT_MOST)
        return said.decode("utf-8", "replace").strip()[-_WORDS_AT_MOST:]

    def remove(self, container: str) -> None:
        """Kill and remove a container; nothing when it is gone, or going."""
        from docker.errors import APIError, NotFound

        with _asked("remove a container"):
            try:
                self._client.remove_container(container, force=True)
            except NotFound:
                return
            except APIError as error:
                if "already in progress" not in str(error):
                    raise

    def listed(self, *filters: str) -> list[ListedContainer]:
        """Return all containers, running or not, that have these labels (`name` or `name=value`)."""
        with _asked("list its containers"):
            found = self._client.containers(all=True, filters={"label": list(filters)})
        return [ListedContainer(one["Id"], one["Labels"], one["State"] == "running") for one in found]

    def is_running(self, container: str) -> bool:
        with _asked("list its containers"):
            return bool(self._client.containers(filters={"id": container}))

    def was_out_of_memory(self, container: str, since: float) -> bool:
        """Return whether the kernel killed a process in a container, which may be gone, for its memory bound."""
        filters = {"container": container, "event": "oom"}
        with _asked("tell what happened"):
            events = self._client.events(since=int(since), until=int(time()) + 1, filters=filters, decode=True)
            return any(True for _ in events)


class Runtime(NamedTuple):
    name: str
    program: str
    """File name of what the daemon starts for it."""


def _connect() -> APIClient:
    try:
        from docker import APIClient
        from docker.errors import DockerException
        from docker.utils import kwargs_from_env
    except ImportError:
        raise SandboxUnavailable(NAME, "the Docker SDK is not installed", installing_extra("docker")) from None
    try:
        _try_socket(os.environ.get("DOCKER_HOST") or _USUAL_HOST)
        return APIClient(**kwargs_from_env(), timeout=_TIMEOUT_S)
    except PermissionError as error:
        fix = "Join the group that owns its socket (usermod -aG docker, and log in again)"
        raise SandboxUnavailable(NAME, f"you may not talk to the Docker daemon ({error})", fix) from error
    except (DockerException, OSError) as error:
        raise SandboxUnavailable(NAME, f"no Docker daemon answers ({_short(error)})", _START) from error


def _try_socket(host: str) -> None:
    """Raises `OSError` when nobody listens there: more exact than what the SDK makes of it."""
    if not host.startswith("unix://"):
        raise SandboxUnavailable(
            NAME,
            f"DOCKER_HOST is {host!r}, and only a daemon of this machine can show its files to containers",
            "Set it to the unix socket of such a daemon (unix:///path), or unset it",
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.connect(host.removeprefix("unix://"))


def _runtime(facts: Mapping[str, Any]) -> Runtime | None:
    wanted = os.environ.get(RUNTIME_SETTING)
    if not wanted:
        return None
    known: dict[str, Any] = facts.get("Runtimes") or {}
    if wanted not in known:
        why = f"the daemon knows no runtime {wanted!r} (known: {', '.join(sorted(known))})"
        raise SandboxUnavailable(NAME, why, f"Register it in the daemon's configuration, or change {RUNTIME_SETTING}")
    program: str = known[wanted].get("path") or wanted
    return Runtime(wanted, program.rpartition("/")[2])


def _may_stand_still(version: str) -> bool:
    """Return whether a daemon of that version has the deadlock of moby/moby#42545, mended in 20.10.27 and 23."""
    numbers = [int(number) for number in re.findall(r"\d+", version)[:3]]
    return numbers < [20, 10, 27]


def _require(facts: Mapping[str, Any], bound: str) -> None:
    if not facts.get(bound):
        why = f"the daemon cannot bound what containers use ({bound} is not supported)"
        raise SandboxUnavailable(NAME, why, "Give it control groups with memory, pids and cpu (see: docker info)")


@contextmanager
def _asked(what: str) -> Generator[None]:
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, OSError) as error:
        raise SandboxBroken(f"Docker did not {what}: {_short(error)}") from error


def _short(error: Exception) -> str:
    return str(error)[:_WORDS_AT_MOST]
