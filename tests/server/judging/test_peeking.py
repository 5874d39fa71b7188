"""Candidates that read the answers in the files of the tests which are run beside them."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from codeens_sandbox_backends.jobs import TestReport as Report
from codeens_server.domain.evidence import Evidence
from codeens_server.domain.verdict import Verdict
from codeens_server.judging.judge import judge
from codeens_server.workspace.find import find_target
from tests.server.judging.rooms import candidate_of, local_sandbox

MODULE = '''
import os
import pathlib
import subprocess
import sys


def lines_of(path, word):
    """How many lines of a file hold a word."""
    ...
'''
TESTS = """
from mod import lines_of


def test_a_file(tmp_path):
    file = tmp_path / "file"
    file.write_text("a\\nb\\na")
    assert lines_of(file, "a") == 2
"""
OF_THEMSELVES = """
from mod import lines_of


def test_own_file():
    assert lines_of(__file__, "import") == 2
"""
HONEST = """
def lines_of(path, word):
    with open(path) as file:
        return sum(word in line for line in file)
"""
CANDIDATES = {
    ("reads what it is given", True): HONEST,
    ("looks the answer up", False): """
def lines_of(path, word):
    tests = pathlib.Path(os.path.dirname(__file__), "test_mod.py").read_text()
    return int(tests.split("==")[1])
""",
    ("gives itself the path", False): """
def lines_of(path, word):
    path = os.getcwd() + "/test_mod.py"
    copied = f"/tmp/{os.getpid()}-{word}"
    os.symlink(path, copied)
    with open(copied) as file:
        return int(file.read().split("==")[1])
""",
    ("has them searched", False): """
def lines_of(path, word):
    found = subprocess.run("grep -rh == . --include=*.py", shell=True, capture_output=True, text=True).stdout
    return int(found.split("==")[1].split()[0])
""",
    ("has them read by another interpreter", False): """
def lines_of(path, word):
    code = "print(open('test_mod.py').read().split('==')[1])"
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
""",
    ("has what it is given searched", True): """
def lines_of(path, word):
    found = subprocess.run(["grep", "-rc", word, str(path)], capture_output=True, text=True).stdout
    return int(found.rpartition(":")[2])
""",
    ("imports them", False): """
def lines_of(path, word):
    import test_mod
    return test_mod.ANSWER
""",
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    folder: Path = tmp_path_factory.mktemp("peeking")
    files = {
        "pyproject.toml": "[project]\nname = 'w'\n",
        "mod.py": MODULE,
        "test_mod.py": TESTS,
        "test_own.py": OF_THEMSELVES,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")

    async def every() -> dict[str, Verdict]:
        target = find_target("mod.py::lines_of", cwd=folder)
        names = ("test_mod.py::test_a_file", "test_own.py::test_own_file")
        tests = tuple(Report(id=name, outcome="failed") for name in names)
        evidence = Evidence(mode="implement", tests=tests)
        found: dict[str, Verdict] = {}
        async with local_sandbox(target) as sandbox:
            for (label, _), source in CANDIDATES.items():
                candidate = candidate_of(source.strip())
                judged = await judge(candidate, target=target, evidence=evidence, sandbox=sandbox, sandbox_label="")
                found[label] = judged.verdict
        return found

    return anyio.run(every)


@pytest.mark.parametrize(("label", "right"), CANDIDATES)
def test_a_candidate_passes_only_if_it_does_not_open_the_tests(
    verdicts: dict[str, Verdict], label: str, right: bool
) -> None:
    verdict = verdicts[label]
    assert (verdict.status == "passed") is right, (verdict.reason, verdict.failure)
    assert right or "tests" in verdict.reason
