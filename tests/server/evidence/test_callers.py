"""Calls of a function that the workspace's other files make."""

from __future__ import annotations

from pathlib import Path

from codeens_sandbox_backends.programs import CallInput
from codeens_server.evidence.callers import find_callers
from codeens_server.evidence.strategies.draw import draw
from codeens_server.evidence.strategies.inputs import plan_inputs
from codeens_server.workspace.find import find_target

SOURCE = "def f(codes, width):\n    return sorted(codes)[:width]\n\n\nFIRST = f('own', 1)\n"


def workspace(folder: Path, **files: str) -> Path:
    (folder / "pyproject.toml").touch()
    (folder / "mod.py").write_text(SOURCE)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_calls_with_literals_are_read_from_files_that_import_the_function(tmp_path: Path) -> None:
    target = find_target(
        "mod.py::f",
        cwd=workspace(
            tmp_path,
            app="from mod import f\n\nprint(f('ab', width=2), f(open('x').read(), 3))\n",
            other="import mod\n\nmod.f('cd', 4)\n",
            unrelated="def f(a, b):\n    return a\n\nf('no', 9)\n",
            test_mod="from mod import f\n\ndef test_f():\n    assert f('recorded as it runs', 1)\n",
        ),
    )
    found = find_callers(target, SOURCE)
    assert [(site.input, site.where) for site in found.calls] == [
        (CallInput(args=("own", 1)), "mod.py:5"),
        (CallInput(args=("ab",), kwargs={"width": 2}), "app.py:3"),
        (CallInput(args=("cd", 4)), "other.py:3"),
    ]
    assert len(found.texts) == 2


def test_types_are_told_by_the_parameters_of_callers_in_other_files(tmp_path: Path) -> None:
    folder = workspace(tmp_path, app="from mod import f\n\ndef show(given: bytes, n: int):\n    return f(given, n)\n")
    target = find_target("mod.py::f", cwd=folder)
    bare = "def f(codes, width):\n    return sorted(codes)[:width]\n"
    plan = plan_inputs(target, [], bare, find_callers(target, bare).texts)
    assert plan.strategy is not None
    assert {call.args[0][0] for call in draw(plan.strategy, 30, seed="s") if isinstance(call.args[0], list)} == {
        "bytes"
    }


def test_a_workspace_of_odd_files_is_read_within_bounds(tmp_path: Path) -> None:
    folder = workspace(tmp_path, broken="from mod import f\nf(1, 2\n")
    (folder / "large.py").write_text("from mod import f\n" + "f('x', 1)\n" * 200_000)
    assert [site.where for site in find_callers(find_target("mod.py::f", cwd=folder), SOURCE).calls] == ["mod.py:5"]
