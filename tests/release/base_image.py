"""An image for a Dockerfile to begin with, made of Debian packages that this machine has: none is pulled."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

_PACKAGES = "bubblewrap coreutils dash libc6 libgcc-s1 libstdc++6 passwd python3-minimal python3-pip"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
TRUSTED = f"ENV SSL_CERT_FILE={_CERTIFICATES}"
"""Has what is run in it trust whom this machine trusts, for indexes that not everybody knows."""

_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
_FILES = {
    "usr/bin/apt-get": "#!/bin/sh\n# What it would install is in the image.\n",
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
}
_NOT_IN_IMAGES = ("/usr/share/", "/__pycache__/", "EXTERNALLY-MANAGED")


def why_no_base() -> str:
    """Why none can be made here; empty when one can."""
    missing = [name for name in _packages() if not _files_of(name)]
    return f"no Debian package {', '.join(missing)} is installed" if missing else ""


def base_archive() -> bytes:
    """Give a tar archive for `docker import`: a shell, Python with pip, certificates, and what apt would bring."""
    files = {path for package in _packages() for path in _files_of(package)}
    files |= _libraries(files) | {Path(_CERTIFICATES)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for place, target in _LINKS.items():
            link = tarfile.TarInfo(place)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        tar.addfile(_named("tmp", tarfile.DIRTYPE, 0o1777))
        # /lib is a link in Debian, and must be one in the image.
        for path in sorted({path.parent.resolve() / path.name for path in files}):
            tar.add(path)
        for place, text in _FILES.items():
            entry = _named(place, tarfile.REGTYPE, 0o755)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _packages() -> list[str]:
    python = Path("/usr/bin/python3").resolve().name
    return [*_PACKAGES.split(), f"{python}-minimal", f"lib{python}-minimal", f"lib{python}-stdlib"]


def _files_of(package: str) -> set[Path]:
    dpkg = shutil.which("dpkg-query")
    listed = subprocess.run([dpkg, "-L", package], capture_output=True, text=True).stdout if dpkg else ""
    paths = {Path(line) for line in listed.splitlines() if not any(part in line for part in _NOT_IN_IMAGES)}
    return {path for path in paths if path.parent != Path("/") and (path.is_file() or path.is_symlink())}


def _libraries(files: set[Path]) -> set[Path]:
    linked = [path for path in files if ".so" in path.name or path.parent.name in ("bin", "sbin")]
    listed = subprocess.run(["ldd", *map(str, linked)], capture_output=True, text=True).stdout
    found = {Path(word) for word in listed.split() if word.startswith("/") and Path(word).is_file()}
    return found | {path.resolve() for path in found}


def _named(place: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(place)
    entry.type, entry.mode = kind, mode
    return entry
