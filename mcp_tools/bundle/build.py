"""Makes the folder of the MCP bundle: manifest, entry point, and this version of codeens as a wheel.

`python mcp_tools/bundle/build.py FOLDER`, then `npx @anthropic-ai/mcpb pack FOLDER codeens.mcpb`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
_PROJECT = """\
[project]
name = "codeens-bundle"
version = "{version}"
requires-python = ">=3.11"
dependencies = ["codeens"]

[tool.uv.sources]
codeens = {{ path = "{wheel}" }}
"""


def build(folder: Path) -> None:
    """Fill a new folder.

    Raises:
        FileExistsError: there is one.
        CalledProcessError: the wheel cannot be built.
    """
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.absolute())]
    subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    manifest["version"] = version("codeens")
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    shutil.copy(HERE / "server.py", folder)
    project = _PROJECT.format(version=manifest["version"], wheel=wheel.name)
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
