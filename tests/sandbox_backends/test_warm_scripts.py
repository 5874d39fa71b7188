"""Scripts on warm workers: they do what they do in a sandbox of their own."""

from __future__ import annotations

import pytest

from codeens_sandbox_backends.jobs import StdioJob, StdioResult
from tests.sandbox_backends.warm import MARKS, Launches, opened

pytestmark = MARKS


@pytest.fixture
async def launches(monkeypatch: pytest.MonkeyPatch) -> Launches:
    return Launches(monkeypatch)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("print(sum(map(int, input().split())))", "3\n"),
        ("import sys\nsys.stdin.read()\nsys.stdin.seek(0)\nprint(input(), sys.argv, __name__)", None),
        ("import atexit\natexit.register(print, 'bye')\nclass A:\n def __del__(self): print('gone')\na = A()", None),
        ("f = open(1, 'w', closefd=False)\nf.write('unfinished')", "unfinished"),
        ("import threading\nthreading.Timer(0.01, print, ('late',)).start()", "late\n"),
        ("import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)", "out\n"),
        ("raise ValueError('no')", ""),
        ("import os\nos._exit(0)", ""),
    ],
)
async def test_a_script_does_the_same_warm_and_alone(launches: Launches, source: str, said: str | None) -> None:
    results: list[StdioResult] = []
    for warm in (True, False):
        async with opened(warm=warm) as sandbox:
            launches.cold.clear()
            results.append(await sandbox.run(StdioJob(source=source, stdins=("1 2\n", "é 4"), argv=("x",))))
            assert ("stdio" in launches.cold) is not warm
    warm_runs, cold_runs = ([(run.stdout, run.stderr, run.ending) for run in result.runs] for result in results)
    assert warm_runs[0] == cold_runs[0]
    assert said is None or warm_runs[0][0] == said


@pytest.mark.parametrize(
    "source",
    [
        "open('/tmp/x', 'w').write('done')\nprint(open('/tmp/x').read())",
        "import subprocess\nprint(subprocess.check_output(['/bin/echo', 'done'], text=True))",
        "open('/tmp/absent')",
    ],
)
async def test_a_script_that_needs_more_is_run_again_alone(launches: Launches, source: str) -> None:
    async with opened() as sandbox:
        launches.cold.clear()
        (run,) = (await sandbox.run(StdioJob(source=source, stdins=("",)))).runs
    assert launches.cold == ["stdio"]
    assert run.stdout.strip() == "done" or "FileNotFoundError" in run.stderr
