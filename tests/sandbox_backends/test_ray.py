"""The backend `ray`, on a cluster of this machine; what all backends must hold is in test_selfcheck.py."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import cast

import anyio
import pytest

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.executor import Executor, open_executor
from codeens_sandbox_backends.jobs import CallsJob
from codeens_sandbox_backends.local.bwrap import namespace_fix
from codeens_sandbox_backends.programs import CallInput, ModuleSource, Program, Returned
from codeens_sandbox_backends.ray.backend import RayBackend
from codeens_sandbox_backends.ray.cluster import WAITS
from codeens_sandbox_backends.ray.connection import ADDRESS_SETTING, HERE
from codeens_sandbox_backends.ray.sandbox import RaySandbox
from tests.clusters import LocalCluster, actors, below, is_alive

pytestmark = [pytest.mark.anyio, pytest.mark.scene, pytest.mark.timeout(300)]

NAP = "import time\ndef f(n):\n    time.sleep(0.4)\n    return n + 1\n"
REFUSING = "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"


@pytest.fixture
def open_folder() -> Generator[Path]:
    """One that others can read: as root, bubblewrap is started by nobody, who finds the next one where the first is in
    a folder that is closed to him. Those of `tmp_path` are closed by each pytest that begins on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def job(source: str, *arguments: object, exclusive: bool = False, path: tuple[str, ...] = ()) -> CallsJob:
    program = Program(
        module="m", qualname="f", modules=(ModuleSource(name="m", source=source),), sys_path=tuple(map(str, path))
    )
    return CallsJob(program=program, inputs=(CallInput(args=arguments),), exclusive=exclusive)


@asynccontextmanager
async def opened(
    readable: tuple[str, ...] = (), hidden: tuple[str, ...] = ()
) -> AsyncGenerator[tuple[Executor, RaySandbox]]:
    wanted = SandboxSpec(python=sys.executable, readable=readable, hidden=hidden)
    async with open_executor(RayBackend(), wanted, 4) as executor:
        sandbox = cast("RaySandbox", executor._sandbox)  # pyright: ignore[reportPrivateUsage]
        await all_answered(sandbox)
        yield executor, sandbox


async def all_answered(sandbox: RaySandbox) -> None:
    """Wait for all nodes, which on a busy machine takes longer than the first ones wait for the others."""
    await sandbox.cluster.opened()
    while any(state.why == WAITS for state in sandbox.cluster.states):
        await sandbox.cluster.opened()


async def answers(executor: Executor, *jobs: CallsJob) -> list[object]:
    found: dict[int, object] = {}

    async def run(number: int) -> None:
        outcome = (await executor.run(jobs[number])).outcomes[0]
        found[number] = outcome.value if isinstance(outcome, Returned) else outcome

    async with anyio.create_task_group() as group:
        for number in range(len(jobs)):
            group.start_soon(run, number)
    return [found[number] for number in range(len(jobs))]


async def test_files_travel_with_the_job_once_to_a_node_and_hidden_ones_stay_hidden(
    ray_cluster: LocalCluster, tmp_path: Path
) -> None:
    (tmp_path / "helper.py").write_text("def g(n):\n    return n * 10\n", encoding="utf-8")
    for name in ("answers", "notes"):
        (tmp_path / f"{name}.py").write_text("right = 7\n", encoding="utf-8")
    source = "import helper\nimport importlib.util as u\ndef f(n):\n    return [helper.g(n), bool(u.find_spec('{}'))]\n"
    asked = [job(source.format(name), 4, path=(str(tmp_path),)) for name in ("answers", "notes") * 3]
    async with opened(readable=(str(tmp_path),), hidden=(str(tmp_path / "answers.py"),)) as (executor, _):
        shutil.rmtree(tmp_path)
        assert await answers(executor, *asked) == [["list", 40, False], ["list", 40, True]] * 3
        assert all(state.done for state in executor.nodes)
        assert len(executor.nodes) == 2
        sent = [folder for actor in actors() for folder in actor.folders]
    assert len(sent) == len(set(sent)) == 2


async def test_jobs_that_measure_time_share_one_node_and_the_others_go_to_all(ray_cluster: LocalCluster) -> None:
    async with opened() as (executor, sandbox):
        assert await answers(executor, *[job(NAP, n) for n in range(4)]) == [1, 2, 3, 4]
        before = [state.done for state in sandbox.cluster.states]
        await answers(executor, *[job(NAP, n, exclusive=True) for n in range(3)])
        more = [state.done - done for state, done in zip(sandbox.cluster.states, before, strict=True)]
    assert min(before) == 2
    assert sorted(more) == [0, 3]


async def test_work_of_a_killed_actor_is_done_elsewhere_and_its_node_gets_another(ray_cluster: LocalCluster) -> None:
    processes: list[int] = []
    async with opened() as (executor, sandbox), anyio.create_task_group() as group:

        async def kill() -> None:
            while sum(state.at_work for state in sandbox.cluster.states) < 4:
                await anyio.lowlevel.checkpoint()
            at_work = next(actor.pid for actor in actors() if below(actor.pid))
            processes.extend(below(at_work))
            os.kill(at_work, signal.SIGKILL)

        await answers(executor, job(NAP, 0))
        group.start_soon(kill)
        assert await answers(executor, *[job(NAP, n) for n in range(4)]) == [1, 2, 3, 4]
        died = [state for state in sandbox.cluster.states if "died" in state.why]
        await all_answered(sandbox)
        assert (len(died), len(sandbox.cluster.working)) == (1, 2)
        assert processes
        with anyio.fail_after(100):
            while any(map(is_alive, processes)):
                await anyio.lowlevel.checkpoint()


async def test_a_node_that_cannot_isolate_or_has_another_version_takes_no_work_and_says_why(
    ray_cluster: LocalCluster, tmp_path: Path, open_folder: Path
) -> None:
    (open_folder / "bwrap").write_text(REFUSING, encoding="utf-8")
    (open_folder / "bwrap").chmod(0o755)
    other = tmp_path / "codeens-9.9.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: codeens\nVersion: 9.9\n", encoding="utf-8")
    nodes = [
        ray_cluster.add({"PATH": f"{open_folder}:{os.environ['PATH']}"}),
        ray_cluster.add({"PYTHONPATH": f"{tmp_path}:{os.environ['PYTHONPATH']}"}),
    ]
    try:
        async with opened() as (executor, sandbox):
            assert await answers(executor, *[job(NAP, n) for n in range(4)]) == [1, 2, 3, 4]
            states = sandbox.cluster.states
            # While the cluster is open: else all nodes would try the isolation anew, within 20 seconds.
            readiness = await RayBackend().probe()
    finally:
        for node in nodes:
            ray_cluster.remove(node)
    assert sorted((state.done > 0, bool(state.why)) for state in states) == [(False, True)] * 2 + [(True, False)] * 2
    refusing, skewed = sorted(state.why for state in states if state.why)
    assert "No permissions to create new namespace" in refusing
    assert refusing.endswith(namespace_fix())
    assert skewed.startswith("it has codeens 9.9, and this machine ")
    assert readiness.usable
    assert "No permissions" in readiness.why


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("", f"no cluster is named. Set {ADDRESS_SETTING} to HOST:PORT"),
        ("ray://head", "'ray://head' is no address of a cluster. Write HOST:PORT"),
        ("127.0.0.1:1", "no cluster answers at 127.0.0.1:1"),
    ],
)
async def test_a_cluster_that_is_not_there_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, address: str, complaint: str
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv(ADDRESS_SETTING, address)
    with pytest.raises(SandboxUnavailable) as refused:
        await RayBackend().open(SandboxSpec(python=sys.executable))
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("here", "error", "complaint"),
    [
        (
            True,
            Exception("The node timed out\nduring startup."),
            "Ray does not start on this machine: The node timed out",
        ),
        (
            False,
            RuntimeError("Version mismatch: Ray 2.9"),
            "refuses this process: Version mismatch: Ray 2.9. Use the ver",
        ),
        (False, ConnectionError("no such session"), "refuses this process: no such session. Start Ray there"),
    ],
)
async def test_a_ray_that_does_not_let_this_process_in_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, here: bool, error: Exception, complaint: str
) -> None:
    def refuse(**_: object) -> None:
        raise error

    with socket.create_server(("127.0.0.1", 0)) as head:
        monkeypatch.setenv(ADDRESS_SETTING, HERE if here else f"127.0.0.1:{head.getsockname()[1]}")
        monkeypatch.setattr(import_module("ray"), "init", refuse)
        with pytest.raises(SandboxUnavailable) as refused:
            await RayBackend().open(SandboxSpec(python=sys.executable))
    assert complaint in str(refused.value)
