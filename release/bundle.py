"""The MCP bundle: manifest, entry point, this version of codeens as a wheel, and the versions of what it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from mcp import StdioServerParameters

from release.lock import NEWEST, OLDEST, REPOSITORY, server_entries

SOURCE = REPOSITORY / "mcp_tools" / "bundle"
# The host has uv make the environment; a lock of uv's would name the index of who built it.
_PROJECT = """\
[project]
name = "codeens-bundle"
version = "{version}"
requires-python = ">={oldest},<={newest}.999"
dependencies = ["codeens"]

[tool.uv]
no-build = true
constraint-dependencies = {constraints}

[tool.uv.sources]
codeens = {{ path = "{wheel}" }}
"""


def build_bundle(wheel: Path, version: str, packed: Path) -> None:
    """Write a bundle; the same files make the same bytes."""
    manifest = json.loads((SOURCE / "manifest.json").read_text(encoding="utf-8")) | {"version": version}
    constraints = json.dumps([each.requirement for each in server_entries()], indent=4)
    project = _PROJECT.format(oldest=OLDEST, newest=NEWEST, version=version, constraints=constraints, wheel=wheel.name)
    files = {
        "manifest.json": json.dumps(manifest, indent=2).encode(),
        "server.py": (SOURCE / "server.py").read_bytes(),
        "pyproject.toml": project.encode(),
        wheel.name: wheel.read_bytes(),
    }
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = ZipInfo(name)
            info.external_attr = 0o644 << 16
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, content)


def host_command(folder: Path, roots: Sequence[Path]) -> StdioServerParameters:
    """Give what the host of an unpacked bundle runs when its user gave folders, and left all else as it is."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    config = manifest["server"]["mcp_config"]
    defaults = {name: str(option.get("default")) for name, option in manifest["user_config"].items()}
    arguments: list[str] = []
    for argument in config["args"]:
        given = [str(root) for root in roots] if argument == "${user_config.roots}" else [argument]
        arguments += [item.replace("${__dirname}", str(folder)) for item in given]
    environ = {
        name: re.sub(r"\$\{user_config\.(\w+)\}", lambda match: defaults[match[1]], value)
        for name, value in config["env"].items()
    }
    return StdioServerParameters(command=config["command"], args=arguments, env=environ)
