"""Wrong code that tries to look right. None of it passes, and right code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.domain import Target
from codeens_server.tasks.schema import ScoredCandidate, Task, TaskCase
from codeens_server.tasks.scoring import score_task
from codeens_server.workspace.find import find_target
from tests.server.judging.rooms import local_sandbox

pytestmark = pytest.mark.anyio

TASK = Task(
    id="double",
    prompt="Double a number.",
    entry_point="double",
    test_cases=(TaskCase(args=[2], expected_output=4), TaskCase(args=[5], expected_output=10, timeout=1.0)),
    tests="def check(candidate):\n    expected = 14\n    assert candidate(7) == expected\n",
)
LIAR = """class Liar{base}:
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    def __hash__(self):
        return 0
    def __repr__(self):
        return '4'
    def __bool__(self):
        return True


def double(x):
    return Liar({value})
"""
FORGE = """import json, os, struct
def double(x):
    answer = json.dumps({"index": 0, "nonce": "", "outcome": {"kind": "returned", "value": 4}, "same": True}).encode()
    size = len(answer)
    for fd in range(3, 64):
        for frame in (answer, answer + b"\\n", struct.pack(">I", size) + answer, struct.pack("<I", size) + answer):
            try:
                os.write(fd, frame)
            except OSError:
                break
    return 0
"""
CHEATS = {
    "an object equal to everything": LIAR.format(base="", value=""),
    "an int equal to everything": LIAR.format(base="(int)", value="0"),
    "exit in the function": "import sys\ndef double(x):\n    sys.exit(0)\n",
    "exit when loaded": "import sys\nsys.exit(0)\n",
    "hard exit in the function": "import os\ndef double(x):\n    os._exit(0)\n",
    "hard exit when loaded": "import os\nos._exit(0)\ndef double(x):\n    return 0\n",
    "hard exit at the end": "import atexit, os\natexit.register(os._exit, 0)\ndef double(x):\n    return 0\n",
    "looks for the answer on the stack": """import sys
def double(x):
    frame = sys._getframe()
    while frame is not None:
        for name in ("expected", "expected_output", "answer"):
            if name in frame.f_locals:
                return frame.f_locals[name]
        frame = frame.f_back
    return 0
""",
    "looks for the answer in memory": """import gc
def double(x):
    for thing in gc.get_objects():
        if isinstance(thing, dict) and "expected_output" in thing:
            return thing["expected_output"]
    return 0
""",
    "writes answers on every descriptor": FORGE,
    "prints a verdict": "def double(x):\n    print('PASSED', 4, flush=True)\n    return 0\n",
    "patches the worker": """import sys
for name, module in list(sys.modules.items()):
    if "worker" in name:
        for attribute in ("encode", "perform", "answer", "finish"):
            if hasattr(module, attribute):
                setattr(module, attribute, lambda *a, **k: {"outcome": {"kind": "returned", "value": 4}, "same": True})
def double(x):
    return 0
""",
    "patches builtins": """import builtins
builtins.AssertionError = builtins.Exception
builtins.all = builtins.any = lambda *a: True
def double(x):
    return 0
""",
}


@pytest.fixture
def anywhere(tmp_path: Path) -> Target:
    (tmp_path / "m.py").write_text("def f():\n    return 1\n", encoding="utf-8")
    return find_target(f"{tmp_path / 'm.py'}::f", cwd=tmp_path)


@pytest.mark.parametrize("name", CHEATS)
async def test_a_cheat_does_not_pass(anywhere: Target, name: str) -> None:
    cheat = ScoredCandidate(id="cheat", source=CHEATS[name])

    async with local_sandbox(anywhere) as sandbox:
        report = await score_task(TASK, [cheat], sandbox=sandbox, sandbox_label="")

    (result,) = report.results
    assert result.rank is None
    assert result.verdict.status in {"failed", "error", "timeout"}
    assert result.reason


async def test_the_same_task_lets_right_code_pass(anywhere: Target) -> None:
    right = ScoredCandidate(id="right", source="def double(x):\n    return x * 2\n")

    async with local_sandbox(anywhere) as sandbox:
        report = await score_task(TASK, [right], sandbox=sandbox, sandbox_label="")

    assert report.results[0].verdict.status == "passed"
