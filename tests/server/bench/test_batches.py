"""What a driver of a cluster holds: nodes are played by a sandbox that answers at once."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import anyio
import pytest

from codeens_sandbox_backends.ray.sandbox import RaySandbox
from codeens_server.bench.cluster.batches import MOST_OF_A_CORE, Batches
from codeens_server.bench.samples import Sample
from codeens_server.bench.score import Results, SampleResult, add_verdicts

pytestmark = pytest.mark.anyio
CORES = (4, 2)
ITEMS = 20_000


class Program:
    """What is sent, counted as long as anybody holds it."""

    alive: ClassVar[weakref.WeakSet[Program]] = weakref.WeakSet()

    def __init__(self, number: int) -> None:
        self.number = number
        self.alive.add(self)


class Nodes:
    """In the place of a sandbox on nodes."""

    def __init__(self) -> None:
        self.cluster = SimpleNamespace(working=[SimpleNamespace(cpus=cores) for cores in CORES], cpus=sum(CORES))
        self.under_way = self.most_under_way = self.most_alive = self.longest = 0

    async def work(self, work: Any, given: Sequence[Program], *, shared: Any = None) -> list[int]:
        del work, shared
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.most_alive = max(self.most_alive, len(Program.alive))
        self.longest = max(self.longest, len(given))
        await anyio.lowlevel.checkpoint()
        self.under_way -= 1
        return [one.number for one in given]


async def test_a_driver_of_20000_programs_holds_no_more_than_its_nodes_can_take() -> None:
    nodes, results = Nodes(), Results(None, resume=False)

    async def judged(number: int, sent: Batches) -> SampleResult:
        found: int = await sent.result(Program(number))
        return SampleResult(task_id="t", sample=found, passed=True, status="passed")

    def samples() -> Iterator[Sample]:
        for number in range(ITEMS):
            yield Sample(task_id="t", source="", number=number)

    most = 2 * MOST_OF_A_CORE * sum(CORES)
    async with anyio.create_task_group() as group:
        sent = Batches(cast("RaySandbox", nodes), cast("Any", None), None, group)
        assert sent.most == most
        await add_verdicts(samples(), results, lambda sample: judged(sample.number, sent), most)
    gc.collect()
    assert sorted(results.by_sample) == list(range(ITEMS))
    assert most // 2 < nodes.most_alive <= most
    assert nodes.most_under_way <= 2 * len(CORES)
    assert nodes.longest <= MOST_OF_A_CORE * sum(CORES) / len(CORES)
    assert not Program.alive
