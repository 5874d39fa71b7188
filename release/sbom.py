"""What the packages are made of, as CycloneDX documents beside them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from release.carried import CLIENT
from release.files import Release
from release.lock import REPOSITORY
from release.tools import run


def describe_python(venv: Path, release: Release) -> dict[str, Any]:
    """Write what an environment of the wheel holds, with licences and what needs what; gives the document."""
    target = _beside(release, "python")
    program = str(Path(sys.executable).with_name("cyclonedx-py"))
    options = ["--output-reproducible", "--validate", "--of", "JSON", "-o", str(target)]
    project = str(REPOSITORY / "pyproject.toml")
    run([program, "environment", "--pyproject", project, *options, str(venv)], cwd=REPOSITORY)
    return json.loads(target.read_text(encoding="utf-8"))


def describe_extension(npm: str, release: Release) -> None:
    """Write what is bundled into the extension, by its lock."""
    options = ["--sbom-format", "cyclonedx", "--omit", "dev", "--package-lock-only"]
    _beside(release, "vscode").write_text(run([npm, "sbom", *options], cwd=CLIENT), encoding="utf-8")


def _beside(release: Release, what: str) -> Path:
    return release.wheel.with_name(f"codeens-{release.version}-{what}.cdx.json")
