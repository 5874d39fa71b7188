"""What is run, and where its time goes, as files say it."""

from __future__ import annotations

import cProfile
from pathlib import Path
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from codeens import Session
from codeens_server.config.settings import Settings
from codeens_server.domain.document import RunDocument
from codeens_server.domain.target import Target
from codeens_server.errors import InputError, RunError
from codeens_server.programs.command import ProgramCommand, command_for, read_command
from codeens_server.programs.optimizing import RankedFunction, optimized, rank
from codeens_server.programs.profiling import Profile, SlowFunction, read_profile
from codeens_server.store.opening import open_store
from tests.server import facts

OTHER = "def other(items):\n    return len(items)\n"


def test_scripts_modules_and_tests_are_read_from_a_command_line(tmp_path: Path) -> None:
    for name in ("bench.py", "test_a.py"):
        (tmp_path / name).touch()

    script, module, by_name, of_pytest = (
        read_command(command, tmp_path)
        for command in ("python bench.py 'a b'", "python3 -m app --fast", "test_a.py::test_x", "pytest . -k x")
    )

    assert script == ProgramCommand("script", str(tmp_path / "bench.py"), ("a b",))
    assert module == ProgramCommand("module", "app", ("--fast",))
    assert by_name == ProgramCommand("pytest", f"{tmp_path}/test_a.py::test_x")
    assert of_pytest == ProgramCommand("pytest", str(tmp_path), ("-k", "x"))


def test_a_file_is_run_itself_and_where_it_only_defines_things_by_the_tests_that_name_it(tmp_path: Path) -> None:
    defines = "import os\nLIMIT = os.getpid()\n\ndef f():\n    print(1)\n"
    files = {
        "my app.py": f"{defines}\nif __name__ == '__main__':\n    f()\n",
        "loop.py": "try:\n    import fast\nexcept ImportError:\n    fast = None\nelse:\n    fast.run()\n",
        "shop.py": defines,
        "lonely.py": defines,
        "test_shop.py": "from shop import f\n\ndef test_f():\n    f()\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    found = {name: command_for(name, tmp_path) for name in files if name != "lonely.py"}

    assert found == {
        "my app.py": "'my app.py'",
        "loop.py": "loop.py",
        "shop.py": "pytest test_shop.py",
        "test_shop.py": "test_shop.py",
    }
    assert command_for("test_shop.py::test_f", tmp_path) == "test_shop.py::test_f"
    with pytest.raises(InputError, match=r"lonely.py only defines things"):
        command_for("lonely.py", tmp_path)


@pytest.mark.parametrize(
    ("command", "why"), [("none.py", "no file 'none.py'"), ("pytest", "nothing"), ("a 'b", "no co")]
)
def test_what_cannot_be_run_is_refused_with_what_to_write(tmp_path: Path, command: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_command(command, tmp_path)


def test_files_of_cprofile_and_of_py_spy_name_the_functions_of_the_workspace(tmp_path: Path) -> None:
    path = facts.workspace(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    watched = cProfile.Profile()
    with watched:
        names["total"](range(20_000))
    watched.dump_stats(tmp_path / "of.prof")
    stacks = "<module> (sums.py:1);total (sums.py:6);sqrt (/usr/lib/python3/math.py:9) 3\n<module> (sums.py:1) 1\n"
    (tmp_path / "of.raw").write_text(stacks, encoding="utf-8")
    (tmp_path / "broken").write_bytes(b"\xff\x00")

    (counted,) = read_profile(tmp_path / "of.prof", tmp_path).functions
    (seen,) = read_profile(tmp_path / "of.raw", tmp_path).functions

    assert (counted.path, counted.line, counted.name) == (str(path), 4, "total")
    assert counted.own_share > 0.5
    assert seen == SlowFunction(path=str(path), line=6, name="total", share=0.75, own_share=0.75)
    for name in ("broken", "none"):
        with pytest.raises(InputError, match="no profile"):
            read_profile(tmp_path / name, tmp_path)


def test_functions_are_ranked_by_share_and_by_what_earlier_runs_of_them_found(tmp_path: Path) -> None:
    target = facts.target_in(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    path = Path(target.path)
    path.write_text(f"{path.read_text(encoding='utf-8')}\n\n{OTHER}", encoding="utf-8")
    slow = [
        SlowFunction(path=str(path), line=line, name=name, share=share, own_share=share)
        for line, name, share in ((6, "total", 0.4), (12, "other", 0.3), (1, "<module>", 0.2), (6, "total", 0.01))
    ]
    settings = Settings(results=str(tmp_path / "results"))

    async def ranked() -> list[tuple[str, float, float]]:
        async with Session(tmp_path, settings=settings, environ={}) as session:
            found = await rank(session, tmp_path, Profile(samples=100, functions=tuple(slow)))
        return [(one.target.qualname, one.share, round(one.chance, 2)) for one in found]

    async def lose() -> None:
        document = facts.finished("20260101-aaaaaa", target)
        lost = facts.RunFinished(run=replace(document.run, best="original"))
        with open_store(settings) as store:
            await facts.keep(store, [*facts.found(target), lost])

    assert anyio.run(ranked) == [("total", 0.4, 0.5), ("other", 0.3, 0.5)]
    anyio.run(lose)
    assert anyio.run(ranked) == [("other", 0.3, 0.33), ("total", 0.4, 0.17)]


def test_a_function_that_cannot_be_tried_is_told_and_one_that_is_cancelled_ends_it_all(tmp_path: Path) -> None:
    target = facts.target_in(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    ranked = [RankedFunction(target=target, share=0.3, chance=0.5)] * 3
    document = facts.run_document("20260101-aaaaaa", target)
    cancelled = replace(document, summary=replace(document.summary, stopped="cancelled"))
    tried: list[float | None] = []

    async def run(_: Target, left: float | None, calls: tuple[str, ...]) -> RunDocument:
        del calls
        tried.append(left)
        if len(tried) == 1:
            message = "its tests hang."
            raise RunError(message)
        return cancelled

    async def found() -> list[tuple[str, str]]:
        async with Session(tmp_path, settings=Settings(results=str(tmp_path / "results")), environ={}) as session:
            told = optimized(session, tmp_path, ranked, None, budget_usd=1.0, run=run)
            return [(one.run_id, one.headline) async for one, _ in told]

    assert anyio.run(found) == [("", "no run: its tests hang."), (document.run_id, document.headline)]
    assert tried == [1.0, 1.0]
