"""Files that a node does not have: packed here, sent once to each node, and shown at their own place inside."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

from msgspec import Struct

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.host.layout import SYSTEM, is_below, outermost
from codeens_sandbox_backends.remote.bundle import Archive, files_below
from codeens_sandbox_backends.remote.packages import installations_of

_TOP = "files"


class Parcel(Struct, frozen=True, kw_only=True):
    """What a sandbox's code may read, but for the system and the interpreter, which a node has itself."""

    digest: str
    """SHA-256 (hex) of the archive, which is the same for the same files."""
    archive: bytes
    """A tar archive, compressed with gzip."""
    places: tuple[tuple[str, str], ...]
    """Absolute paths inside, and the real path that each shows."""


def parcel_of(spec: SandboxSpec, backend: str) -> Parcel:
    """Return the files of a specification. Slow: for a worker thread.

    Raises:
        SandboxUnavailable: they are too many, or too large.
    """
    there = [*map(os.path.realpath, SYSTEM), *installations_of(spec.python)]
    wanted = [path for path in spec.readable if Path(path).exists() and not is_below(os.path.realpath(path), there)]
    archive = Archive(backend)
    for path in outermost(map(os.path.realpath, wanted)):
        for file in files_below(path):
            archive.add(file, f"{_TOP}{file}")
    data = archive.finished()
    places = {path: os.path.realpath(path) for given in wanted for path in (given, os.path.realpath(given))}
    return Parcel(digest=hashlib.sha256(data).hexdigest(), archive=data, places=tuple(sorted(places.items())))


def unpack(parcel: Parcel, folder: Path, python: str) -> tuple[tuple[str, str], ...]:
    """Unpack a parcel below a folder that is the node's own, where it is not there yet.

    Args:
        parcel: the files.
        folder: has one folder for each digest.
        python: the node's interpreter; where its installation is to be shown below the files, a place is made.

    Returns:
        Paths inside, and where on this node what they show lies.
    """
    own = folder / parcel.digest
    if not own.exists():
        with tarfile.open(fileobj=io.BytesIO(parcel.archive)) as archive:
            archive.extractall(own, filter="tar")
    placed = tuple((place, f"{own}/{_TOP}{real}") for place, real in parcel.places)
    for place, source in placed:
        for installation in installations_of(python):
            if is_below(installation, [place]):
                Path(source + installation.removeprefix(place)).mkdir(parents=True, exist_ok=True)
    return placed
