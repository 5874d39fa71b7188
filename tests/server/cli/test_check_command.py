"""`codeens check`: what a change of a repository does to its functions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest

from codeens import Run, Session
from codeens._runs import OnEvent
from codeens_server.changes.checking import CheckDocument
from codeens_server.domain.target import Target
from codeens_server.run.events import Noted
from tests.sandbox_backends.machine import why_not
from tests.server import facts
from tests.server.cli.conftest import Codeens

pytestmark = pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}")
BEFORE = {
    "scales.py": '"""Scales."""\n\nFACTOR = 2\nLIMIT = 1000\n\ndef scale(x: int) -> int:\n    return FACTOR * x\n',
    "shop.py": """\
from scales import scale

LIMIT = 10

def unique(items: list[int]) -> list[int]:
    found = []
    for item in items:
        if item not in found:
            found.append(item)
    return found

def join(parts: list[str]) -> str:
    return ", ".join(parts)

def scaled(x: int) -> int:
    return scale(x) + LIMIT

def named(name: str) -> int:
    "How long."
    return len(name)

def later(name: str) -> int:
    raise NotImplementedError
""",
    "test_shop.py": "def test_nothing():\n    assert True\n",
}
AFTER = {
    "scales.py": "def scale(x: int, by: int) -> int:\n    return by * x\n",
    "shop.py": """\
from scales import scale

LIMIT = 4

def once(items):
    return dict.fromkeys(items)

def unique(items: list[int]) -> list[int]:
    return list(once(items))

def join(parts: list[str]) -> str:
    return ", ".join(parts) or "none"

def scaled(x: int) -> int:
    return scale(x, 2) + LIMIT + 6

def named(name: str) -> int:
    "How long it is."
    return len(name)  # in characters

def later(name: str) -> int:
    return len(name)
""",
    "test_shop.py": "def test_nothing():\n    assert 1 == 1\n",
}


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def repository(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a commit, and a change after it."""
    monkeypatch.setenv("CODEENS_MAX_INPUTS", "12")
    write(here, BEFORE)
    git(here, "init", "--quiet")
    git(here, "add", ".")
    git(here, "commit", "--quiet", "-m", "begin")
    write(here, AFTER)
    return here


@pytest.mark.timeout(300)
def test_each_function_that_changes_is_held_against_what_it_was_with_all_else_as_it_was(
    repository: Path, codeens: Codeens
) -> None:
    done = codeens("check", "--json", "--fail-on", "differs", "--out", "table.md")

    document = msgspec.json.decode(done.stdout, type=CheckDocument)
    found = {one.function: one for one in document.functions}
    assert {name: one.behaviour for name, one in found.items()} == {
        "scales.py::scale": "unknown",
        "shop.py::unique": "same",
        "shop.py::join": "differs",
        "shop.py::scaled": "same",
        "shop.py::later": "unknown",
    }
    assert "demands by" in found["scales.py::scale"].why
    assert "no body" in found["shop.py::later"].why
    assert "inputs equal" in found["shop.py::unique"].evidence
    different = found["shop.py::join"].difference
    assert different is not None
    assert (different.call, different.before, different.now) == ("join([])", "''", "'none'")
    assert (document.added, done.exit_code) == (1, 3)
    table = (repository / "table.md").read_text(encoding="utf-8")
    assert table.startswith("### codeens: 5 functions changed: 2 do what they did, 1 does something else, 2 could not")
    assert "| `join` (shop.py:11) | **differs** on `join([])`: was `''`, is `'none'` | - |" in table


def test_with_improve_changed_and_new_functions_get_a_run_each_within_one_budget(
    repository: Path, codeens: Codeens, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = facts.run_document("20260101-aaaaaa", facts.target_in(repository))
    asked: list[tuple[str, float | None]] = []

    async def run(
        self: Session, target: Target, *, on_event: OnEvent, budget_usd: float | None, **options: object
    ) -> Run:
        del self
        assert options["goal"] == "speed"
        on_event(Noted(kind="plan", message="asking 1 of m: 1 call, at most $0.0010, cap $1.00"))
        asked.append((target.qualname, budget_usd))
        return Run(document)

    monkeypatch.setattr(Session, "run", run)
    more = "def new(x):\n    return x\n\nclass Scales:\n    def weigh(self):\n        return 1\n"
    (repository / "scales.py").write_text(f"{AFTER['scales.py']}\n{more}", encoding="utf-8")

    done = codeens("check", "--improve", "--budget-usd", "0.008", "scales.py")

    assert [name for name, _ in asked] == ["scale", "new"]
    assert [left for _, left in asked] == pytest.approx([0.008, 0.002])
    assert (
        "- `scale` (scales.py) **can be 2.3\N{MULTIPLICATION SIGN} faster** [2.2, 2.5]: "
        "34/34 tests and 120 inputs equal; by maker/small · performance; `codeens runs apply 20260101-aaaaaa`\n"
    ) in done.stdout
    assert "  ```diff\n" in done.stdout
    assert "\n  +    return sum(items)\n" in done.stdout
    assert "- `Scales.weigh` (scales.py): left out: the budget is used up\n" in done.stdout
    assert "asking 1 of m: 1 call, at most $0.0010" in done.stderr
    assert "of --improve" in codeens("check", "--model", "m").stderr
    assert "no model is called 'nosuch'" in codeens("check", "--improve", "--model", "nosuch").stderr


def test_only_the_files_named_are_looked_at_and_no_more_functions_than_asked_for(
    repository: Path, codeens: Codeens
) -> None:
    done = codeens("check", "--json", "--max", "1", "scales.py", "test_shop.py")
    none = codeens("check", "test_shop.py")

    document = msgspec.json.decode(done.stdout, type=CheckDocument)
    assert [one.function for one in document.functions] == ["scales.py::scale"]
    assert (done.exit_code, document.left_out) == (0, ())
    assert none.stdout == "### codeens: no function changes that could be held against what it was\n"


def test_what_the_base_got_after_both_parted_is_no_change_and_a_renamed_file_is_the_old_one(
    repository: Path, codeens: Codeens
) -> None:
    main = git(repository, "branch", "--show-current").strip()
    git(repository, "stash", "--quiet")
    git(repository, "checkout", "--quiet", "-b", "mine")
    git(repository, "mv", "scales.py", "weights.py")
    text = (repository / "weights.py").read_text(encoding="utf-8")
    (repository / "weights.py").write_text(text.replace("x: int", "x: int, by: int"), encoding="utf-8")
    git(repository, "commit", "--quiet", "-am", "mine")
    git(repository, "checkout", "--quiet", main)
    write(repository, AFTER)
    git(repository, "commit", "--quiet", "-am", "theirs")
    git(repository, "checkout", "--quiet", "mine")

    done = codeens("check", "--json", "--base", main)

    document = msgspec.json.decode(done.stdout, type=CheckDocument)
    assert [one.function for one in document.functions] == ["weights.py::scale"]


@pytest.mark.parametrize(
    ("base", "said"),
    [("nowhere", "there is no commit 'nowhere'"), ("--output=x", "there is no commit"), ("apart", "no history")],
)
def test_a_base_that_nothing_can_be_compared_with_is_one_clear_error(
    repository: Path, codeens: Codeens, base: str, said: str
) -> None:
    tree = git(repository, "write-tree").strip()
    git(repository, "branch", "apart", git(repository, "commit-tree", "-m", "apart", tree).strip())

    done = codeens("check", f"--base={base}")

    assert (done.exit_code, said in done.stderr) == (2, True)


def test_a_file_that_is_neither_here_nor_at_the_base_is_one_clear_error_and_one_that_is_gone_is_none(
    repository: Path, codeens: Codeens
) -> None:
    (repository / "scales.py").unlink()

    absent, gone = codeens("check", "scales.py", "shp.py"), codeens("check", "scales.py")

    assert (absent.exit_code, absent.stdout) == (2, "")
    assert "there is no file 'shp.py'" in absent.stderr
    assert (gone.exit_code, gone.stdout.count("no function changes")) == (0, 1)


def test_a_table_that_can_be_written_nowhere_is_refused_before_anything_runs(
    repository: Path, codeens: Codeens
) -> None:
    done = codeens("check", "--out", "nowhere/table.md")

    assert (done.exit_code, "there is no folder" in done.stderr, done.stdout) == (2, True, "")


def test_outside_of_a_repository_it_says_so(here: Path, codeens: Codeens) -> None:
    done = codeens("check")

    assert (done.exit_code, "not a git repository" in done.stderr) == (2, True)
