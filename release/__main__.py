"""`python -m release [FOLDER]`: builds the files of a release, and tries each of them. Publishes nothing."""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from pathlib import Path

from release.checks import checks, place
from release.files import build
from release.sbom import describe_extension
from release.tools import Failed

_BY_DEFAULT = Path("build/release")


def main() -> None:
    """Build, try, and list what there is; ends with 1 when something is not as it must be."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else _BY_DEFAULT).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    npm = shutil.which("npm")
    failed = False
    release = build(folder, npm=npm)
    if npm:
        describe_extension(npm, release)
    with place(release) as there:
        for name, check in checks():
            begin = time.monotonic()
            try:
                said = check(there)
            except Failed as error:
                failed, said = True, f"FAILED: {error}"
            print(f"{name:12} {said}  ({time.monotonic() - begin:.0f} s)", flush=True)
    for path in sorted(folder.iterdir()):
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}")
    if failed:
        sys.exit(1)


main()
