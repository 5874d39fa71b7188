"""The Dockerfile, built of a release's context by a real engine, runs an ensemble."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from release.files import build

from tests.e2e.program import SHOP, TARGET
from tests.quick import QUICK
from tests.release.base_image import TRUSTED, base_archive, why_no_base
from tests.sandbox_backends.daemon import started_daemon, why_no_daemon

WITHIN_S = 400
UNCONFINED = [f"--security-opt={name}=unconfined" for name in ("seccomp", "apparmor", "systempaths")]

pytestmark = [
    pytest.mark.scene,
    pytest.mark.timeout(WITHIN_S + 50),
    pytest.mark.skipif(bool(why_no_daemon()), reason=why_no_daemon() or "-"),
    pytest.mark.skipif(bool(why_no_base()), reason=why_no_base() or "-"),
    pytest.mark.skipif(shutil.which("docker") is None, reason="the docker command is not installed"),
]


def test_the_image_that_a_release_builds_runs_an_ensemble_in_its_sandbox(tmp_path: Path) -> None:
    context = build(tmp_path, npm=None).context
    workspace = tmp_path / "workspace"
    shutil.copytree(SHOP, workspace)
    with started_daemon() as daemon:
        daemon.client.import_image_from_data(base_archive(), repository="base", tag="1", changes=[TRUSTED])

        def docker(*arguments: str, stdin: int = subprocess.DEVNULL) -> str:
            environ = {**os.environ, "DOCKER_HOST": daemon.host, "DOCKER_BUILDKIT": "0"}
            command = ["docker", *arguments]
            done = subprocess.run(command, env=environ, stdin=stdin, capture_output=True, text=True, timeout=WITHIN_S)
            assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            return done.stdout

        with context.open("rb") as archive:
            options = ["--network", "host", "--build-arg", "BASE=base:1"]
            docker("build", "-q", "-t", "codeens", *options, "-", stdin=archive.fileno())
        settings = [option for name, value in QUICK.items() for option in ("-e", f"{name}={value}")]
        mounted = ["-v", f"{workspace}:/workspace", "--network", "none"]
        said = docker("run", "--rm", *UNCONFINED, *mounted, *settings, "codeens", "run", TARGET)

    assert re.search(r"^1=? +offline · .* passed: 4/4 tests and", said, re.MULTILINE), said
    assert "sandbox: local: bubblewrap" in said
