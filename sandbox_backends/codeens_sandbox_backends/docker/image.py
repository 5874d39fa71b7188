"""The image that containers start from: nothing but links, since everything else is shown from this machine.

It is made here, from a few bytes: no registry is asked.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable

from codeens_sandbox_backends.docker.engine import Engine

_PREFIX = "localhost/codeens-empty-"
"""No registry's host stands in front, or podman would look there."""
_TAG = "latest"
"""Podman 4 gives this one, whatever is asked for."""
_DIGEST_LENGTH = 16


def ensure_image(engine: Engine, links: Iterable[tuple[str, str]]) -> str:
    """Name of an image that holds these symbolic links (place, what it points to); made when it is not there."""
    archive = _archive(links)
    repository = _PREFIX + hashlib.sha256(archive).hexdigest()[:_DIGEST_LENGTH]
    name = f"{repository}:{_TAG}"
    if not engine.has_image(name):
        engine.import_image(archive, repository, _TAG)
    return name


def _archive(links: Iterable[tuple[str, str]]) -> bytes:
    """The same bytes for the same links. Folders on the way to a link are made by who unpacks it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        mount_point = tarfile.TarInfo("codeens")
        mount_point.type, mount_point.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(mount_point)
        for place, target in sorted(links):
            link = tarfile.TarInfo(place.lstrip("/"))
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    return buffer.getvalue()
