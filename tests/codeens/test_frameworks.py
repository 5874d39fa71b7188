"""Inspect AI and OpenAI Evals drive codeens: their own programs, in environments of their own.

`INSPECT_PYTHON` (with `openai`) and `EVALS_PYTHON` name interpreters that have codeens beside the framework.
"""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import anyio.from_thread
import pytest
import yaml

from codeens._interop.replies import humaneval_tasks, program_in
from codeens_server.errors import InputError
from codeens_server.tasks.schema import Task
from tests.loopback.server import ChatRequest, ModelServer

PROBLEMS = [
    {
        "task_id": f"Small/{number}",
        "prompt": f'def twice{number}(n: int) -> int:\n    """Return 2 * n."""\n',
        "entry_point": f"twice{number}",
        "canonical_solution": "    return 2 * n\n",
        "test": "def check(candidate):\n    assert candidate(3) == 6\n",
    }
    for number in range(2)
]
# Inspect counts tokens by an encoding that it would fetch; LiteLLM brings it.
ENCODINGS = Path(str(distribution("litellm").locate_file("litellm/litellm_core_utils/tokenizers")))
REGISTRY = Path(__file__).parents[2] / "server" / "codeens" / "_interop" / "registry"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "tasks.jsonl"
    file.write_text("\n".join(map(json.dumps, PROBLEMS)), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "reply",
    [
        "Here:\n```python\ndef twice0(n: int) -> int:\n    return n + n\n```\nDone.",
        "    return n + n",
        "def twice0(n):\n    return n + n",
    ],
)
def test_the_program_of_a_reply_is_found_in_any_shape(reply: str) -> None:
    assert "return n + n" in program_in(reply, Task.from_humaneval(PROBLEMS[0]))


def test_a_reply_without_a_program_has_none() -> None:
    assert program_in("I cannot do that.", Task.from_humaneval(PROBLEMS[0])) == ""


def test_tasks_are_read_and_a_missing_file_is_one_clear_error(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [task.id for task in humaneval_tasks(str(data))] == ["Small/0", "Small/1"]
    monkeypatch.delenv("CODEENS_DATA", raising=False)
    with pytest.raises(InputError, match="CODEENS_DATA"):
        humaneval_tasks(None)
    with pytest.raises(InputError, match="cannot be read"):
        humaneval_tasks(str(data.parent / "none.jsonl"))


def test_the_registry_and_the_entry_point_name_what_is_there() -> None:
    project = tomllib.loads((REGISTRY.parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [str(project["entry-points"]["inspect_ai"]["codeens"])]
    named += [
        str(spec["class"])
        for file in REGISTRY.glob("*/*.yaml")
        for spec in yaml.safe_load(file.read_text(encoding="utf-8")).values()
        if "class" in spec
    ]
    assert len(named) == 3
    for value in named:
        module, _, name = value.partition(":")
        source = REGISTRY.parents[2].joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
        assert not name or f"class {name}(" in source


def framework(variable: str) -> str:
    if variable not in os.environ:
        pytest.skip(f"{variable} names no interpreter with the framework")
    return os.environ[variable]


@contextmanager
def answering() -> Generator[str]:
    """A model that answers the first task rightly and the second wrongly."""

    def answer(request: ChatRequest) -> str:
        number, value = ("1", "n * n * n") if "twice1" in request.prompt else ("0", "n + n")
        return f"```python\ndef twice{number}(n: int) -> int:\n    return {value}\n```"

    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(ModelServer(answer=answer)) as server,
    ):
        yield server.url


def environment(tmp_path: Path, url: str) -> dict[str, str]:
    return {
        **os.environ,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": url,
        "OPENAI_API_BASE": url,
        "TIKTOKEN_CACHE_DIR": str(ENCODINGS),
    }


@pytest.mark.scene
@pytest.mark.timeout(400)
def test_inspect_drives_a_model_and_takes_our_verdicts(data: Path, tmp_path: Path) -> None:
    python = framework("INSPECT_PYTHON")
    logs = tmp_path / "logs"
    inspect = [str(Path(python).with_name("inspect"))]
    with answering() as url:
        command = [*inspect, "eval", "codeens/humaneval", "-T", f"data={data}", "--model", "openai/loopback"]
        command += ["-M", "responses_api=false", "--log-dir", str(logs), "--log-format", "json", "--display", "none"]
        env = environment(tmp_path, url)
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=380, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (log,) = logs.glob("*.json")
    found: dict[str, Any] = json.loads(log.read_text(encoding="utf-8"))
    assert found["status"] == "success"
    assert found["eval"]["task"] == "codeens/humaneval"
    assert {sample["id"]: sample["scores"]["verdict"]["value"] for sample in found["samples"]} == {
        "Small/0": "C",
        "Small/1": "I",
    }
    listed = subprocess.run([*inspect, "log", "dump", str(log)], capture_output=True, text=True, timeout=60)
    assert json.loads(listed.stdout)["results"]["scores"][0]["metrics"]["accuracy"]["value"] == 0.5


@pytest.mark.scene
@pytest.mark.timeout(400)
def test_inspect_scores_its_own_mock_model(data: Path, tmp_path: Path) -> None:
    python = framework("INSPECT_PYTHON")
    command = [str(Path(python).with_name("inspect")), "eval", "codeens/humaneval", "-T", f"data={data}"]
    command += ["--model", "mockllm/model", "--log-dir", str(tmp_path / "logs"), "--log-format", "json"]
    env = environment(tmp_path, "http://127.0.0.1:9")
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=380, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (log,) = (tmp_path / "logs").glob("*.json")
    scores = json.loads(log.read_text(encoding="utf-8"))["results"]["scores"]
    assert scores[0]["metrics"]["accuracy"]["value"] == 0.0


@pytest.mark.scene
@pytest.mark.timeout(400)
def test_oaieval_takes_the_ensemble_as_its_model_and_the_judge_as_its_eval(data: Path, tmp_path: Path) -> None:
    python = framework("EVALS_PYTHON")
    record = tmp_path / "record.jsonl"
    config = tmp_path / "config" / "codeens"
    config.mkdir(parents=True)
    with answering() as url:
        settings = f'[[models]]\nname = "openai/loopback"\napi_base = "{url}"\n'
        (config / "codeens.toml").write_text(settings, encoding="utf-8")
        command = [str(Path(python).with_name("oaieval")), "codeens/ensemble", "codeens-humaneval"]
        command += ["--registry_path", str(REGISTRY), "--extra_eval_params", f"data={data}", "--no-cache"]
        env = environment(tmp_path, url) | {"EVALS_SEQUENTIAL": "1"}
        command += ["--record_path", str(record)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=380, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    matches = {line["data"]["expected"]: line["data"]["correct"] for line in lines if line.get("type") == "match"}
    assert matches == {"Small/0": True, "Small/1": False}
    assert next(line["final_report"] for line in lines if "final_report" in line) == {"accuracy": 0.5}
