"""The first answer waits for no heavy import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HEAVY = [
    "click",
    "complexipy",
    "httpx",
    "hypothesis",
    "libcst",
    "litellm",
    "numpy",
    "pandas",
    "pytest",
    "radon",
    "rich",
    "sqlalchemy",
    "websockets",
    "yaml",
    "codeens_server.run.engine",
    "codeens_server.store",
]

SESSION = """
import io, json, os, sys, threading
from codeens._scripts import server
there, here = os.pipe()
back, out = os.pipe()
def message(**more):
    body = json.dumps({"jsonrpc": "2.0", **more}).encode()
    return b"Content-Length: %d\\r\\n\\r\\n%b" % (len(body), body)
uri = "untitled:x"
place = {"line": 0, "character": 0}
asked = {"textDocument": {"uri": uri}, "range": {"start": place, "end": place}, "context": {"diagnostics": []}}
os.write(here, message(id=1, method="initialize", params={"processId": None, "rootUri": None, "capabilities": {}}))
os.write(here, message(method="initialized", params={}))
item = {"uri": uri, "languageId": "python", "version": 1, "text": "def f():\\n    return 1\\n"}
os.write(here, message(method="textDocument/didOpen", params={"textDocument": item}))
os.write(here, message(id=2, method="textDocument/codeAction", params=asked))
os.write(here, message(id=3, method="shutdown"))
os.write(here, message(method="exit"))
os.dup2(there, 0)
told = os.dup(1)
os.dup2(out, 1)
try:
    server.main(["--stdio"])
except SystemExit as end:
    code = end.code
answers = os.read(back, 60000).decode()
os.write(told, json.dumps({"code": code, "modules": sorted(sys.modules), "answers": answers}).encode())
"""


def test_no_heavy_module_is_imported_before_the_first_answers(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", SESSION], capture_output=True, text=True, cwd=tmp_path, env={"HOME": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["code"] == 0
    assert "Run ensemble on `f`" in told["answers"]
    assert [name for name in HEAVY if name in told["modules"]] == []


def test_modules_of_the_users_folder_do_not_get_in_the_way(tmp_path: Path) -> None:
    for name in ("asyncio", "json", "server", "pygls", "argparse"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('imported')\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-m", "codeens._scripts.server", "--help"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "--stdio" in done.stdout
