from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from codeens import RunKeywords
from codeens._scripts.codeens import LazyCommand, main
from codeens_server.cli.failures import ShownError, shown
from codeens_server.cli.run import run
from codeens_server.errors import Hint, InputError, RunError
from tests.server.cli.conftest import Codeens

_HEAVY = {"litellm", "sqlalchemy", "rich", "msgspec", "libcst", "hypothesis", "anyio", "codeens_server.domain"}
_OF_RUNS = {"hypothesis", "libcst", "litellm", "pytest", "sqlalchemy"}


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    program = (
        "import sys; from codeens._scripts.codeens import main\ntry: main(['--help'])\nfinally: print(*sys.modules)"
    )
    result = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    listed = re.findall(r"^  (\w+)  ", result.stdout, re.MULTILINE)
    assert {"run", "score", "variants", "runs", "doctor"} <= set(listed)
    assert _HEAVY & set(result.stdout.split()) == set()


@pytest.mark.parametrize(
    ("arguments", "code"), [(["run", "nowhere.py::f"], 2), (["sandbox", "list"], 0), (["variants", "list"], 0)]
)
def test_a_command_that_makes_no_run_does_not_import_what_runs_need(
    arguments: list[str], code: int, home: Path, tmp_path: Path
) -> None:
    program = (
        "import sys; from codeens._scripts.codeens import main\n"
        "try: main(sys.argv[1:])\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
    )
    assert done.returncode == code, done.stderr
    assert _OF_RUNS & set(done.stderr.split()) == set()


def test_the_installed_program_says_its_version() -> None:
    program = Path(sys.executable).with_name("codeens")
    result = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"codeens \d+\.\d+\.\d+\n", result.stdout)


def test_a_misspelt_command_is_answered_with_the_nearest(codeens: Codeens) -> None:
    result = codeens("varants")
    assert result.exit_code == 2
    assert "Did you mean 'variants'?" in result.stderr


def test_an_unforeseen_error_is_one_line_and_its_traceback_goes_to_a_private_log_without_keys(
    codeens: Codeens, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKER_API_KEY", "sk-very-secret")

    def broken(self: LazyCommand) -> None:
        raise ZeroDivisionError("with sk-very-secret inside")

    monkeypatch.setattr(LazyCommand, "load", broken)
    result = codeens("doctor")
    log = home / "data" / "codeens" / "codeens.log"
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "error: this is a fault of codeens (ZeroDivisionError: with <MAKER_API_KEY> inside)"
    )
    assert str(log) in result.stderr
    assert len(result.stderr.splitlines()) == 1
    text = log.read_text(encoding="utf-8")
    assert "Traceback" in text
    assert "sk-very-secret" not in text
    assert log.stat().st_mode & 0o077 == 0


def test_too_little_memory_is_no_fault_of_codeens_and_is_told_with_what_to_do(
    codeens: Codeens, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ArrowMemoryError(MemoryError):
        """As a library says it."""

    def broken(self: LazyCommand) -> None:
        raise ArrowMemoryError("malloc of size 35861312 failed")

    monkeypatch.setattr(LazyCommand, "load", broken)
    result = codeens("doctor")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "error: there is not enough memory (ArrowMemoryError: malloc of size 35861312 failed). Raise the limit"
    )
    assert "fault" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("x"), 2),
        (RunError("x"), 1),
        (ExceptionGroup("tasks", [ExceptionGroup("inner", [InputError("x")])]), 2),
    ],
)
def test_an_error_for_people_is_told_as_it_is_wherever_it_was_raised(error: Exception, code: int) -> None:
    telling = shown(error)
    assert isinstance(telling, ShownError)
    assert (telling.message, telling.exit_code) == ("x", code)


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        (Hint("option", "budget_usd"), "x. The option is --budget-usd."),
        (Hint("option", "max_inputs"), "x. The setting is max_inputs."),
        (Hint("model"), "--model openai/NAME"),
        (Hint("runs"), "`codeens runs list`"),
        (Hint("runs", "20260101-abcdef"), "codeens run --resume 20260101-abcdef"),
        (Hint("variants"), "`codeens variants enable NAME`"),
        (Hint("fix", "Mend it."), "x. Mend it."),
    ],
)
def test_what_can_be_done_about_an_error_is_said_in_the_words_of_the_command_line(hint: Hint, said: str) -> None:
    assert said in shown(InputError("x.", hint=hint)).message


@pytest.mark.parametrize("name", sorted(RunKeywords.__annotations__))
def test_an_error_about_an_option_names_a_flag_that_there_is(name: str) -> None:
    message = shown(InputError("x.", hint=Hint("option", name))).message
    flags = {parameter.name: parameter.opts[0] for parameter in run.params}
    assert message == (f"x. The option is {flags[name]}." if name in flags else f"x. The setting is {name}.")


def test_broken_settings_stop_every_command_with_file_line_and_key(codeens: Codeens, here: Path) -> None:
    (here / "codeens.toml").write_text('goal = "sped"\n', encoding="utf-8")
    for command in (("runs", "list"), ("variants", "list"), ("doctor",)):
        result = CliRunner().invoke(main, list(command))
        assert result.exit_code == 2
        assert "codeens.toml, line 1, goal" in result.stderr


def test_what_is_ignored_of_an_untrusted_workspace_is_told(
    codeens: Codeens, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "codeens.toml").write_text('scorers = ["theirs"]\n', encoding="utf-8")
    assert "scorers is ignored" in codeens("runs", "list").stderr
    monkeypatch.setenv("CODEENS_TRUST_WORKSPACE", "1")
    assert "ignored" not in codeens("runs", "list").stderr
