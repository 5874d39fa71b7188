"""`codeens run` without a target asks for one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from codeens import Session
from codeens._scripts.codeens import main
from codeens_server.cli.picker import picked


def answering(*answers: str) -> Callable[..., str]:
    waiting = iter(answers)

    def answer(*asked: object, **shown: object) -> str:
        return next(waiting)

    return answer


def test_a_function_models_and_variants_are_picked_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text("def f(): ...\n\n\nclass C:\n    def g(self): ...\n", encoding="utf-8")
    (tmp_path / "torn.py").write_text("def (", encoding="utf-8")
    models = [{"name": name, "model": f"openai/{name}", "api_base": "http://127.0.0.1:9/v1"} for name in ("m", "n")]
    settings = {"models": models, "variants": ["baseline", "performance"]}
    session = Session(tmp_path, settings=settings, environ={})
    monkeypatch.setattr(click, "prompt", answering("2", "2", "all"))
    target, options = picked(session, {})
    assert target == "a.py::C.g"
    assert options == {"models": ("n",), "variants": ("baseline", "performance")}
    monkeypatch.setattr(click, "prompt", answering("humaneval/3"))
    assert picked(session, {"models": ("m",), "variants": ("baseline",)})[0] == "humaneval/3"


def test_a_target_is_still_demanded_where_nobody_can_be_asked() -> None:
    done = CliRunner().invoke(main, ["run"])
    assert (done.exit_code, "name a function" in done.stderr) == (2, True)
