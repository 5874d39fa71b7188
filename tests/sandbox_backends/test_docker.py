"""What is particular to containers: who they belong to, what they show, how they end."""

from __future__ import annotations

import gc
import io
import os
import re
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from docker.errors import NotFound

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.docker.container import OWNER_LABEL
from codeens_sandbox_backends.docker.launcher import JOBS_AT_MOST
from codeens_sandbox_backends.errors import SandboxBroken, SandboxError, SandboxUnavailable
from codeens_sandbox_backends.extras import installing_extra
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.owner import owner
from codeens_sandbox_backends.programs import CallInput, Died, ModuleSource, Program, Raised, Returned
from codeens_sandbox_backends.races import MOST_CANDIDATES, RaceJob
from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.selfcheck.contract import call
from codeens_sandbox_backends.selfcheck.outside import processes_with
from tests.sandbox_backends.daemon import GVISORS_NAME, Daemon, started_daemon, why_no_daemon
from tests.sandbox_backends.tools import answer, until

pytestmark = pytest.mark.anyio

_PATIENT = Limits(wall_s=600, call_s=600, cpu_s=600)
_SLEEP = "import os\ndef f(marker):\n    os.execv('/bin/sleep', [marker, '600'])\n"
_EXISTS = "import os\ndef f(path):\n    return os.path.exists(path)\n"


@asynccontextmanager
async def opened(*readable: Path, python: str = sys.executable) -> AsyncGenerator[Sandbox]:
    spec = SandboxSpec(python=python, readable=tuple(map(str, readable)))
    sandbox = await get_backend("docker").open(spec)
    try:
        yield sandbox
    finally:
        await sandbox.aclose()


async def refusal(*readable: Path, python: str = sys.executable) -> SandboxUnavailable:
    with pytest.raises(SandboxUnavailable) as caught:
        async with opened(*readable, python=python):
            pass
    return caught.value


# What is needed --------------------------------------------------------------------------------------------------


async def test_without_the_sdk_it_is_refused_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    assert (await refusal()).fix == installing_extra("docker")


async def test_without_a_daemon_the_probe_names_the_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    readiness = await get_backend("docker").probe()
    assert not readiness.usable
    assert "no Docker daemon answers" in readiness.why
    assert "systemctl start docker" in readiness.fix


async def test_a_daemon_of_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    assert "daemon of this machine" in (await refusal()).why


@pytest.mark.usefixtures("daemon")
async def test_a_runtime_that_the_daemon_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEENS_DOCKER_RUNTIME", "no-such-runtime")
    why = (await refusal()).why
    assert "no runtime 'no-such-runtime'" in why
    assert GVISORS_NAME in why


@pytest.mark.usefixtures("daemon")
async def test_the_runtime_of_gvisor_is_used_and_raises_the_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEENS_DOCKER_RUNTIME", GVISORS_NAME)
    async with opened() as sandbox:
        assert sandbox.isolation.kernel
        assert "gVisor" in sandbox.isolation.label
        assert await answer(sandbox, "def f():\n    return 1\n") == 1


@pytest.mark.usefixtures("daemon")
async def test_an_interpreter_that_does_not_start_is_told_in_its_own_words(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho the library is missing >&2\nexit 3\n", encoding="utf-8")
    for path in (tmp_path, python):
        path.chmod(0o755)
    assert "the library is missing" in (await refusal(python=str(python))).why


# What is shown ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("daemon")
async def test_a_folder_that_only_its_owner_may_read_is_refused_with_the_fix(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    error = await refusal(private)
    assert str(private) in error.why
    assert "chmod -R o+rX" in error.fix


@pytest.mark.usefixtures("daemon")
async def test_a_folder_is_shown_read_only_under_all_its_names_and_its_neighbours_are_not(tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    shown.mkdir(mode=0o755)
    shown.chmod(0o777)
    (shown / "file").write_text("text", encoding="utf-8")
    (tmp_path / "neighbour").write_text("text", encoding="utf-8")
    (tmp_path / "link").symlink_to("shown")
    source = """
import os
def f(folder):
    try:
        open(folder + "/new", "w").close()
    except OSError as error:
        return [open(folder + "/file").read(), type(error).__name__, os.path.exists(folder + "/../neighbour")]
"""
    async with opened(tmp_path / "link") as sandbox:
        for place in (shown, tmp_path / "link"):
            assert await answer(sandbox, source, str(place)) == ["list", "text", "OSError", False]


@pytest.mark.usefixtures("daemon")
async def test_what_is_mounted_inside_a_shown_folder_is_shown_read_only_too(tmp_path: Path) -> None:
    inner = tmp_path / "shown" / "in ner"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o755)
    source = """
def f(folder):
    open(folder + "/file").close()
    try:
        open(folder + "/new", "w").close()
    except OSError as error:
        return type(error).__name__
"""
    with mounted(inner):
        (inner / "file").touch()
        async with opened(inner.parent) as sandbox:
            assert await answer(sandbox, source, str(inner)) == "OSError"


@contextmanager
def mounted(place: Path) -> Generator[None]:
    """A file system of its own that everybody may write to."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "codeens-test", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.usefixtures("daemon")
async def test_nothing_of_the_machines_network_and_names_is_shown() -> None:
    source = """
import os
def f():
    names = ("resolv.conf", "hosts", "hostname", "passwd", "group", "shadow", "machine-id")
    return [name for name in names if os.access("/etc/" + name, os.R_OK)] + [os.uname().nodename]
"""
    async with opened() as sandbox:
        assert await answer(sandbox, source) == ["list", "sandbox"]


async def test_a_container_is_in_a_network_only_where_the_daemon_does_not_stand_still_for_that(daemon: Daemon) -> None:
    client: Any = daemon.client
    version = [int(number) for number in re.findall(r"\d+", client.version()["Version"])[:3]]
    async with opened():
        (container, *_) = client.containers()
        networks: dict[str, Any] = client.inspect_container(container["Id"])["NetworkSettings"]["Networks"]
    assert sorted(networks) == ([] if version < [20, 10, 27] else ["none"])


async def test_an_image_of_ones_own_takes_the_place_of_the_machines_system(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.base_prefix.startswith("/usr"):
        pytest.skip("the interpreter that runs the tests is of the system itself")
    daemon.client.import_image_from_data(_libraries(), repository="codeens-test", tag="own")
    monkeypatch.setenv("CODEENS_DOCKER_IMAGE", "codeens-test:own")
    async with opened() as sandbox:
        assert await answer(sandbox, _EXISTS, "/of-the-image") is True
        assert await answer(sandbox, _EXISTS, "/usr/share") is False


def _libraries() -> bytes:
    """An archive of what the interpreter is linked with."""
    python = Path(os.path.realpath(sys.executable))
    libraries = {"/of-the-image"}
    programs = [str(python), *map(str, python.parent.parent.glob("lib/python3*/lib-dynload/*.so"))]
    listed = subprocess.run(["ldd", *programs], capture_output=True, encoding="utf-8").stdout
    libraries |= {word for word in listed.split() if word.startswith("/") and Path(word).is_file()}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for library in sorted(libraries):
            found = tarfile.TarInfo(library[1:])
            found.mode = 0o755
            content = Path(library).read_bytes() if Path(library).is_file() else b""
            found.size = len(content)
            tar.addfile(found, io.BytesIO(content))
    return buffer.getvalue()


# What foreign code can do to its container -----------------------------------------------------------------------


@pytest.mark.usefixtures("daemon")
async def test_the_first_process_cannot_be_signalled_or_read() -> None:
    source = """
import os, signal
def f():
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP, signal.SIGCHLD):
        os.kill(1, number)
    reached = []
    for name in ("mem", "environ", "fd/3", "maps"):
        try:
            open(f"/proc/1/{name}", "rb").close()
        except OSError:
            continue
        reached.append(name)
    return reached
"""
    async with opened() as sandbox:
        assert await answer(sandbox, source) == ["list"]


@pytest.mark.usefixtures("daemon")
async def test_memory_that_no_single_process_owns_is_bounded() -> None:
    source = """
def f():
    with open("/dev/shm/fill", "wb") as file:
        while True:
            file.write(bytes(1 << 20))
"""
    limits = Limits(memory_bytes=64 << 20, disk_bytes=512 << 20)
    async with opened() as sandbox:
        outcome = (await call(sandbox, source, limits=limits)).outcomes[0]
    assert isinstance(outcome, Died), outcome
    assert outcome.reason == "memory"


# Whose it is, and its end ----------------------------------------------------------------------------------------


async def test_a_closed_sandbox_leaves_no_container(daemon: Daemon) -> None:
    async with opened() as sandbox:
        assert await answer(sandbox, "def f():\n    return 1\n") == 1
        assert daemon.containers() != []
    assert daemon.containers() == []


async def test_many_jobs_at_once_wait_for_one_another_instead_of_starting_as_many_containers(daemon: Daemon) -> None:
    most = 0
    async with opened() as sandbox, anyio.create_task_group() as tasks:

        async def one(number: int) -> None:
            nonlocal most
            assert await answer(sandbox, "def f(n):\n    return n\n", number) == number
            most = max(most, len(daemon.containers()))

        for number in range(10):
            tasks.start_soon(one, number)
    assert 1 <= most < 10


@pytest.mark.timeout(300)
async def test_a_race_of_as_many_candidates_as_there_may_be_comes_to_its_end(daemon: Daemon) -> None:
    source = "def f(n):\n    return sum(range(n))\n"
    program = Program(module="m", qualname="f", modules=(ModuleSource(name="m", source=source),))
    inputs = (CallInput(args=(20_000,)),)
    job = RaceJob(original=program, candidates=(program,) * MOST_CANDIDATES, inputs=inputs, rounds=1)
    async with opened() as sandbox:
        result = await sandbox.run(job)
    assert result.failures == (None,) * (MOST_CANDIDATES + 1)
    assert result.clock == "wall"
    assert len(result.rounds) == 1


@pytest.fixture
def image(daemon: Daemon) -> str:
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for place in ("lib", "lib64"):
                link = tarfile.TarInfo(place)
                link.type, link.linkname = tarfile.SYMTYPE, f"usr/{place}"
                tar.addfile(link)
        daemon.client.import_image_from_data(buffer.getvalue(), repository="codeens-test", tag="links")
    return "codeens-test:links"


@pytest.fixture
def strangers(daemon: Daemon, image: str) -> Generator[set[str]]:
    """Containers that are not codeens's, or whose owner lives, or may live."""
    boot, namespace, pid, start = owner().split()
    owners = [None, "something else", f"{boot} pid:[1] {pid}0 {start}", f"another-boot {namespace} 1 1", owner()]
    made = {daemon.sleeper(image, {OWNER_LABEL: name} if name else {"codeens-test": ""}) for name in owners}
    yield made
    for container in made:
        daemon.client.remove_container(container, force=True)


def owner_that_ended() -> str:
    script = "from codeens_sandbox_backends.owner import owner; print(owner())"
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True
    ).stdout.strip()


async def test_orphans_are_removed_and_nothing_else_is(daemon: Daemon, image: str, strangers: set[str]) -> None:
    same_number = owner().rsplit(" ", 1)[0] + " 1"
    for name in (owner_that_ended(), same_number):
        daemon.sleeper(image, {OWNER_LABEL: name})
    async with opened():
        pass
    assert set(daemon.containers()) == strangers


async def test_a_container_that_somebody_removes_is_not_the_codes_failure(daemon: Daemon) -> None:
    async with opened() as sandbox:

        def remove_all() -> None:
            for container in daemon.containers():
                with suppress(NotFound):  # it was done with
                    daemon.client.remove_container(container, force=True)

        await _broken_by(sandbox, remove_all)
        assert await answer(sandbox, "def f():\n    return 1\n") == 1


@pytest.mark.scene
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # the SDK's, of a failed connection
@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_a_daemon_that_dies_is_not_the_codes_failure(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = why_no_daemon()
    if reason:
        pytest.skip(reason)
    with started_daemon() as daemon:
        monkeypatch.setenv("DOCKER_HOST", daemon.host)
        async with opened() as sandbox:
            if how == "stop":
                await _broken_by(sandbox, daemon.stop)
            else:
                daemon.kill()
            with pytest.raises(SandboxBroken):
                await _use_up_what_waits(sandbox)
    gc.collect()  # here, where what the SDK leaves is expected


async def _use_up_what_waits(sandbox: Sandbox) -> None:
    """Containers that wait already serve on when the daemon is gone."""
    for _ in range(JOBS_AT_MOST + 1):
        assert await answer(sandbox, "def f():\n    return 1\n") == 1


async def _broken_by(sandbox: Sandbox, event: Callable[[], None]) -> None:
    """Run a job, let that happen in the middle of it, and see that the sandbox is blamed."""
    marker = os.urandom(16).hex()
    caught: list[SandboxError] = []

    async def run() -> None:
        try:
            result = await call(sandbox, _SLEEP, (marker,), limits=_PATIENT)
        except SandboxError as error:
            caught.append(error)
        else:
            pytest.fail(f"the code was blamed: {result.outcomes}")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await until(lambda: processes_with(marker) != [])
        await anyio.to_thread.run_sync(event)
    assert [type(error) for error in caught] == [SandboxBroken]


async def test_cancelling_while_a_container_is_being_started_leaves_none(daemon: Daemon) -> None:
    async with opened() as sandbox:
        with anyio.move_on_after(0):
            await call(sandbox, "def f():\n    return 1\n", limits=Limits(processes=7))
        result = await call(sandbox, "def f():\n    return 1\n")
        assert isinstance(result.outcomes[0], Returned | Raised)
    assert daemon.containers() == []


_TRACES = """
import os, pathlib
def f(name):
    started = pathlib.Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19]
    container = os.readlink("/proc/self/ns/pid") + started
    found = sorted(str(path) for folder in ("/tmp", "/dev/shm") for path in pathlib.Path(folder).iterdir())
    inner = pathlib.Path("/tmp", name, "inner")
    inner.mkdir(parents=True)
    (inner / "file").write_text(name)
    pathlib.Path("/dev/shm", name).write_text(name)
    return container, found
"""
_CLOSES = """
import os
def f(name):
    os.makedirs("/tmp/closed/inner")
    os.chmod("/tmp/closed", 0)
"""


async def answers(sandbox: Sandbox, source: str, names: Sequence[str]) -> list[Any]:
    """What calls with these names say, one job after the other."""
    return [await answer(sandbox, source, name) for name in names]


async def test_a_container_takes_as_many_orders_as_are_asked_for_and_keeps_no_file_between(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEENS_DOCKER_RUNS", "3")
    names = ("one", "two", "three", "four", "five", "six", "seven")
    async with opened() as sandbox:
        values = await answers(sandbox, _TRACES, names)
    orders = Counter(value[1] for value in values)
    assert 1 < max(orders.values()) <= 3
    shown = values[0][2]  # before any was made: what is bound there, where codeens or its interpreter lies in /tmp
    assert not {Path(path).name for path in shown[1:]} & set(names)
    assert [value[2] for value in values] == [shown] * len(names)


async def test_a_container_that_cannot_be_cleared_takes_no_other_order(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEENS_DOCKER_RUNS", "3")
    async with opened() as sandbox:
        assert await answers(sandbox, _CLOSES, ("one", "two")) == [None, None]


async def test_a_number_of_runs_that_is_none_is_refused(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEENS_DOCKER_RUNS", "many")
    assert "CODEENS_DOCKER_RUNS is 'many'" in (await refusal()).why
