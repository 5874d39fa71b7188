"""Inputs that people give by a benchmark."""

from __future__ import annotations

import pytest

from codeens_sandbox_backends.programs import CallInput
from codeens_server.errors import EvidenceError
from tests.server.evidence.conftest import Gather

pytestmark = pytest.mark.anyio
MOD = """
    def f(items: list[int], k: int = 1):
        return sorted(items)[:k]
"""
BENCH = """
    import pytest
    from mod import f

    @pytest.mark.benchmark(group="f")
    def test_long(benchmark):
        assert benchmark(f, [5, 4, 3], k=2) == [3, 4]

    def test_rounds(benchmark):
        made = []
        benchmark.pedantic(f, setup=lambda: (([9, 8],), {}), rounds=3, teardown=lambda items: made.append(items))
        assert made == [[9, 8]]

    def make():
        data = [7, 6]
        assert f(data) == [6]
        yield data, 1
        yield {"items": data}
        yield [{"ref": 0}, 1][1:]

    def test_of_something_else():
        pass
"""


async def test_calls_of_a_benchmark_and_what_a_function_makes_are_inputs_to_time_on(evidence_of: Gather) -> None:
    names = ("bench_f.py::test_long", "bench_f.py::test_rounds", "bench_f.py::make")
    evidence = await evidence_of({"mod.py": MOD, "bench_f.py": BENCH}, max_inputs=2, bench=names)
    given = [(case.label, case.input) for case in evidence.cases if case.origin == "benchmark"]
    assert given == [
        (names[0], CallInput(args=(["list", 5, 4, 3],), kwargs={"k": 2})),
        (names[1], CallInput(args=(["list", 9, 8],))),
        (names[2], CallInput(args=(["list", 7, 6], 1))),
        (names[2], CallInput(kwargs={"items": ["list", 7, 6]})),
        (names[2], CallInput(args=(["list", 1],))),
    ]


async def test_a_benchmark_that_does_not_call_the_function_is_refused(evidence_of: Gather) -> None:
    with pytest.raises(EvidenceError, match="test_of_something_else does not call f") as refused:
        await evidence_of({"mod.py": MOD, "bench_f.py": BENCH}, bench=("bench_f.py::test_of_something_else",))
    assert refused.value.code == "benchmark"
