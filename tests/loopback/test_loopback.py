"""The loopback server as a program, with answers that real models gave."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.loopback.recorded import data_folder

ROOT = Path(__file__).parents[2]
DATA = data_folder()
PROMPT = "Complete this.\n\ndef truncate_number(number: float) -> float:\n    ..."

pytestmark = pytest.mark.skipif(
    not (DATA / "candidates").is_dir(), reason=f"no recorded answers at {DATA}: set CODEENS_DATA"
)


@contextmanager
def _program(*options: str) -> Generator[httpx.Client]:
    """The program, and a client of it."""
    command = [sys.executable, "-m", "tests.loopback", "--data", str(DATA), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            with httpx.Client(base_url=url, trust_env=False, timeout=100) as client:
                yield client
        finally:
            process.kill()


def _ask(client: httpx.Client, **more: object) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": PROMPT}]} | more
    return client.post("/chat/completions", json=body)


def test_it_answers_with_recorded_replies_in_turn() -> None:
    with _program("--label", "pass", "--model", "m") as client:
        assert [entry["id"] for entry in client.get("/models").json()["data"]] == ["m"]
        replies = [_ask(client).json()["choices"][0]["message"]["content"] for _ in range(4)]
        several = _ask(client, n=3).json()
        streamed = _ask(client, stream=True, stream_options={"include_usage": True}).text
    assert len(set(replies)) > 1
    assert all("return" in reply for reply in replies)
    assert len(several["choices"]) == 3
    assert several["usage"]["completion_tokens"] > 0
    assert streamed.endswith("data: [DONE]\n\n")
    assert '"usage"' in streamed


def test_a_fault_happens_as_often_as_asked() -> None:
    with _program("--fault", "429", "--times", "2") as client:
        assert [_ask(client).status_code for _ in range(3)] == [429, 429, 200]
