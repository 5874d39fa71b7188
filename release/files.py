"""The files of a release, built into one folder."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any

from msgspec import Struct

from release.bundle import build_bundle
from release.carried import CLIENT, build_wheel
from release.lock import REPOSITORY, server_lock
from release.tools import run

# The address that the schema of the MCP registry has, as its documents must say it.
_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"


class Release(Struct, frozen=True, kw_only=True):
    """Where each file is."""

    version: str
    wheel: Path
    sdist: Path
    lock: Path
    bundle: Path
    registry: Path
    context: Path
    extension: Path | None
    """None where there is no npm to build it with."""


def build(folder: Path, *, npm: str | None) -> Release:
    """Build all into an empty folder.

    Raises:
        Failed: a tool failed.
        ValueError: the extension has another version.
    """
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version: str = project["version"]
    wheel = build_wheel(folder)
    run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)], cwd=REPOSITORY)
    sdist = folder / f"codeens-{version}.tar.gz"
    lock = folder / f"codeens-{version}-requirements.lock"
    lock.write_text(server_lock(), encoding="utf-8")
    bundle = folder / f"codeens-{version}.mcpb"
    build_bundle(wheel, version, bundle)
    registry = folder / "server.json"
    registry.write_text(json.dumps(registry_entry(project, bundle), indent=2) + "\n", encoding="utf-8")
    context = folder / f"codeens-{version}-container.tar.gz"
    repack(sdist, context)
    extension = build_extension(npm, version, folder / f"codeens-{version}.vsix") if npm else None
    return Release(
        version=version,
        wheel=wheel,
        sdist=sdist,
        lock=lock,
        bundle=bundle,
        registry=registry,
        context=context,
        extension=extension,
    )


def registry_entry(project: dict[str, Any], bundle: Path) -> dict[str, Any]:
    """Describe the bundle to the MCP registry; it holds clients to the hash."""
    repository: str = project["urls"]["Repository"]
    owner, name = repository.split("/")[-2:]
    version: str = project["version"]
    return {
        "$schema": _SCHEMA,
        "name": f"io.github.{owner}/{name}",
        "title": "codeens",
        "description": "Better implementations of Python functions: sandboxed, judged, measured, ranked.",
        "version": version,
        "repository": {"url": repository, "source": "github"},
        "packages": [
            {
                "registryType": "mcpb",
                "identifier": f"{repository}/releases/download/v{version}/{bundle.name}",
                "version": version,
                "fileSha256": hashlib.sha256(bundle.read_bytes()).hexdigest(),
                "transport": {"type": "stdio"},
            }
        ],
    }


def repack(sdist: Path, context: Path) -> None:
    """Make what `docker build -` reads: the source distribution without the folder that all of it is in."""
    with tarfile.open(sdist) as source, tarfile.open(context, "w:gz") as target:
        for member in source:
            content = source.extractfile(member)
            member.name = member.name.partition("/")[2]
            target.addfile(member, content)


def build_extension(npm: str, version: str, packed: Path) -> Path:
    """Have npm install what builds the extension, unless it is there, and pack it."""
    manifest = json.loads((CLIENT / "package.json").read_text(encoding="utf-8"))
    if manifest["version"] != version:
        raise ValueError(f"the extension says {manifest['version']}, and codeens {version}")
    if not (CLIENT / "node_modules").is_dir():
        run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=CLIENT)
    run([npm, "run", "-s", "package"], cwd=CLIENT, env={**os.environ, "PYTHON": sys.executable})
    packed.write_bytes((CLIENT / "dist" / "codeens.vsix").read_bytes())
    return packed
