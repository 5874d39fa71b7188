"""What is missing is named with a command that works in the environment that runs codeens."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys

import pytest

from codeens_sandbox_backends import extras


def test_the_command_is_one_that_its_installer_takes() -> None:
    command = shlex.split(extras.installing_extra("docker"))

    tried = subprocess.run(
        [*command, "--offline", "--dry-run"], capture_output=True, text=True, timeout=60, check=False
    )

    assert tried.returncode == 0, tried.stderr
    assert sys.executable in command


@pytest.mark.parametrize(
    ("extra", "wanted"),
    [("sandlock", "sandlock<0.10,>=0.9"), ("data", "pyarrow>=18"), ("postgres", "psycopg[binary]>=3.2")],
)
def test_an_extra_is_named_by_its_packages_because_no_index_has_codeens(extra: str, wanted: str) -> None:
    command = shlex.split(extras.installing_extra(extra))

    assert wanted in command
    assert not any(part.startswith("codeens") for part in command)


def test_pip_is_named_only_where_the_environment_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/bin/python")

    def find(name: str, *, uv: str | None, pip: bool) -> str:
        monkeypatch.setattr(shutil, "which", lambda _name: uv)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        monkeypatch.setattr(extras, "find_spec", lambda _name: object() if pip else None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        return extras.installing(name)

    assert find("boto3", uv=None, pip=True) == "/nowhere/bin/python -m pip install boto3"
    assert find("boto3", uv="/bin/uv", pip=False) == "/bin/uv pip install -p /nowhere/bin/python boto3"
    assert find("boto3", uv=None, pip=False) == "uv pip install -p /nowhere/bin/python boto3"
