"""The functions of the library: in a script, below a running loop, under trio, and what their results look like."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

import codeens
from codeens_server.run import execution
from tests.codeens.sources import COMPREHENSION, SLOW, WRONG
from tests.sandbox_backends.machine import why_not

pytestmark = pytest.mark.skipif(bool(why_not("local")), reason=why_not("local") or "bubblewrap works")


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"results": str(tmp_path / "results"), "max_inputs": 5, "max_mutants": 2, "effort": "quick"}


def test_a_plain_script_needs_no_loop(workspace: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import codeens\n"
        f"result = codeens.run_code_sync({SLOW!r}, calls=['squares([3])'], settings={{'results': {str(tmp_path)!r}}})\n"
        "print(result.calls[0].shown())\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=workspace)
    assert (done.stdout, done.stderr) == ("[9]\n", "")


@pytest.mark.anyio
async def test_waiting_works_where_a_loop_is_running(settings: dict[str, object]) -> None:
    assert codeens.compare_sync(SLOW, WRONG, settings=settings).call == "squares([2])"


def test_a_run_is_made_under_trio(workspace: Path, settings: dict[str, object]) -> None:
    async def main() -> list[str]:
        async with codeens.stream("tools.py::squares", workspace=workspace, settings=settings) as events:
            return [type(event).__name__ async for event in events]

    names = anyio.run(main, backend="trio")
    assert (names[0], names[-1]) == ("RunStarted", "RunFinished")


def test_models_are_not_asked_under_trio_and_it_is_said_why(workspace: Path, settings: dict[str, object]) -> None:
    async def main() -> None:
        with pytest.raises(codeens.CodeensError) as caught:
            await codeens.run("tools.py::squares", workspace=workspace, settings=settings, models=["openai/any"])
        assert caught.value.code == "needs_asyncio"

    anyio.run(main, backend="trio")


def test_an_error_of_the_work_is_raised_where_it_is_waited_for(settings: dict[str, object]) -> None:
    with pytest.raises(codeens.CodeensError) as caught:
        codeens.run_sync("absent.py::f", settings=settings)
    assert str(caught.value)
    with pytest.raises(codeens.CodeensError) as caught:
        codeens.compare_sync(SLOW, "def squares(a, b): return a", settings=settings)
    assert caught.value.code == "cannot_stand_in"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[codeens.Run, Path]:
    folder = tmp_path_factory.mktemp("judged")
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    (folder / "tools.py").write_text(SLOW, encoding="utf-8")
    given = {"better": COMPREHENSION, "<wrong>": WRONG}
    settings = {"results": str(folder / "results"), "max_inputs": 5, "max_mutants": 2}
    # Its speed is looked at, how that grows is not.
    alone = replace(execution.EFFORTS["normal"], grown=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "EFFORTS", {**execution.EFFORTS, "normal": alone})
        run = codeens.judge_sync("tools.py::squares", given, workspace=folder, settings=settings, goal="readability")
    return run, folder / "tools.py"


def test_a_run_is_shown_as_a_table_with_bars_and_the_change(judged: tuple[codeens.Run, Path]) -> None:
    run, _ = judged
    html: str = vars(type(run))["_repr_html_"](run)
    assert html.count("<tr>") == 4
    assert "<svg" in html
    assert "&lt;wrong&gt;" in html
    assert "<wrong>" not in html
    assert run.headline in str(run)


def test_a_run_becomes_a_data_frame(judged: tuple[codeens.Run, Path]) -> None:
    frame: Any = judged[0].to_dataframe()
    assert type(frame).__name__ == "DataFrame"
    assert dict(zip(frame["id"], frame["status"], strict=True)) == {
        "original": "passed",
        "better": "passed",
        "<wrong>": "failed",
    }
    assert frame.set_index("id")["speed_low"]["better"] > 0


def test_only_what_has_a_rank_is_written_into_the_file(judged: tuple[codeens.Run, Path]) -> None:
    run, path = judged
    assert run.diff("original") == ""
    assert "+    return [number * number for number in numbers]" in run.diff("better")
    for name, code in (("<wrong>", "no_rank"), ("absent", "no_such_candidate")):
        with pytest.raises(codeens.CodeensError) as caught:
            run.apply(name)
        assert caught.value.code == code
    assert path.read_text(encoding="utf-8") == SLOW
    run.apply("better")
    assert "result.append" not in path.read_text(encoding="utf-8")


def test_a_report_is_shown_and_becomes_a_data_frame(settings: dict[str, object]) -> None:
    task = codeens.Task.from_dict(
        {"id": "t<1>", "prompt": "Twice.", "entry_point": "f", "test_cases": [{"args": [2], "expected_output": 4}]}
    )
    report = codeens.judge_sync(task, {"a": "def f(n): return n * 2", "b": "def f(n): return n"}, settings=settings)
    assert list(report.to_dataframe()["status"]) == ["passed", "failed"]
    html: str = vars(type(report))["_repr_html_"](report)
    assert "t&lt;1&gt;: 1 of 2 passed" in html
    assert repr(report) == "<Report on t<1>: 1 of 2 passed>"
