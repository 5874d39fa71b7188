"""A runner of composite actions, as far as ours needs one, and the part of GitHub's API that takes comments."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")


class GitHub:
    """Comments of one pull request."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.tokens: set[str] = set()
        self.status = 200
        """What every request is answered with; other than 200: nothing is done."""
        self.url = ""

    def answer(self, method: str, path: str, token: str, document: dict[str, str]) -> Any:
        """Do what is asked."""
        self.requests.append(f"{method} {path.partition('?')[0]}")
        self.tokens.add(token)
        if self.status != 200:
            return {"message": "Resource not accessible by integration"}
        if method == "POST":
            self.comments.append({"id": 100 + len(self.comments), **document})
        elif method == "PATCH":
            own = next(one for one in self.comments if path.endswith(f"/comments/{one['id']}"))
            own.update(document)
        return self.comments


@contextmanager
def served() -> Generator[GitHub]:
    """Serve the API on the loopback address."""
    github = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            given = github.answer(self.command, self.path, self.headers["Authorization"], json.loads(text or "{}"))
            self.send_response(github.status)
            self.end_headers()
            self.wfile.write(json.dumps(given).encode())

        do_POST = do_PATCH = do_GET  # noqa: N815  names of the base class

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        github.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield github
        finally:
            server.shutdown()
            thread.join()


class Ended(NamedTuple):
    """How a job ended."""

    code: int
    output: str
    ran: list[str]
    """Names of the steps."""


class Job(NamedTuple):
    """A job of a workflow that uses an action."""

    action: Path
    """Its folder."""
    repository: Path
    folder: Path
    """For what the runner keeps."""
    api: str
    event: Mapping[str, Any]

    def run(self, **inputs: str) -> Ended:
        """Run the steps of the action, until one fails."""
        described = yaml.safe_load((self.action / "action.yml").read_text(encoding="utf-8"))
        assert described["runs"]["using"] == "composite"
        github = {"action_path": str(self.action), "token": "none", "event": self.event}
        known: dict[str, Any] = {"github": github, "steps": {}}
        given = {name: _filled(about["default"], known) for name, about in described["inputs"].items()}
        known["inputs"] = {**given, **{name.replace("_", "-"): value for name, value in inputs.items()}}
        ran: list[str] = []
        said = ""
        for step in described["runs"]["steps"]:
            if not _holds(step.get("if", ""), known):
                continue
            ran.append(step["name"])
            done, outputs = self._step(step, known)
            said += done.stdout
            known["steps"][step.get("id", "")] = {"outputs": outputs}
            if done.returncode:
                return Ended(done.returncode, said, ran)
        return Ended(0, said, ran)

    def _step(
        self, step: Mapping[str, Any], known: Mapping[str, Any]
    ) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
        assert step["shell"] == "bash"
        outputs = self.folder / "outputs"
        outputs.write_text("", encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_API_URL": self.api,
            "GITHUB_REPOSITORY": "a/b",
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            **{name: _filled(text, known) for name, text in step["env"].items()},
        }
        # What is filled into a script would be read by its shell.
        assert "${{" not in step["run"]
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.repository,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=150,
        )
        lines = outputs.read_text(encoding="utf-8").splitlines()
        return done, dict(line.split("=", 1) for line in lines)


def _filled(text: str, known: Mapping[str, Any]) -> str:
    return _EXPRESSION.sub(lambda found: _value(found[1], known), text)


def _holds(condition: str, known: Mapping[str, Any]) -> bool:
    parts = [part.strip() for part in condition.split("&&") if part.strip()]
    assert all(part.endswith(" != ''") for part in parts)
    return all(_value(part.removesuffix(" != ''"), known) != "" for part in parts)


def _value(name: str, known: Mapping[str, Any]) -> str:
    """Return a value of a context; of an event what it does not have is empty."""
    found: Any = known
    for part in name.split("."):
        found = found.get(part, {}) if name.startswith("github.event") else found[part]
    return str(found or "")
