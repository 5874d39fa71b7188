"""A release whose files are not as they must be is not let through."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest
from release.checks import Place, container, extension, registry, sdist
from release.files import Release, build
from release.lock import entries, server_lock
from release.tools import Failed

pytestmark = [pytest.mark.scene, pytest.mark.timeout(200)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return build(tmp_path_factory.mktemp("built"), npm=None)


@pytest.fixture
def there(built: Release, tmp_path: Path) -> Place:
    return Place(tmp_path, {}, built)


def exchanged(there: Place, **files: Path) -> Place:
    """The same release with other files in the place of some."""
    return msgspec.structs.replace(there, release=msgspec.structs.replace(there.release, **files))


def test_every_line_of_the_servers_lock_has_a_version_and_hashes() -> None:
    pinned = entries(server_lock())

    assert {"litellm", "sandlock", "pygls"} <= {each.name for each in pinned}
    assert not {"pytest-xdist", "torch", "docker"} & {each.name for each in pinned}
    assert all(each.version and each.hashes for each in pinned)


def test_an_entry_of_the_registry_that_its_schema_does_not_know_is_refused(there: Place) -> None:
    assert registry(there).startswith("io.github.")
    entry = json.loads(there.release.registry.read_text(encoding="utf-8"))
    entry["packages"][0]["fileSha256"] = "none"
    broken = there.folder / "server.json"
    broken.write_text(json.dumps(entry), encoding="utf-8")

    with pytest.raises(Failed, match="'none' does not match"):
        registry(exchanged(there, registry=broken))


def test_a_source_distribution_of_another_version_of_the_code_is_refused(there: Place) -> None:
    wheel = there.folder / there.release.wheel.name
    wheel.write_bytes(there.release.wheel.read_bytes() + b"\0")

    with pytest.raises(Failed, match="is another one"):
        sdist(exchanged(there, wheel=wheel))


def test_an_extension_that_carries_another_lock_is_refused(there: Place) -> None:
    packed = there.folder / "codeens.vsix"
    with ZipFile(packed, "w") as archive:
        archive.writestr(f"extension/dist/server/{there.release.wheel.name}", there.release.wheel.read_bytes())
        archive.writestr("extension/dist/server/requirements.lock", "evil==1\n")

    with pytest.raises(Failed, match="the lock: False"):
        extension(exchanged(there, extension=packed))


def test_a_context_without_what_the_dockerfile_copies_is_refused(there: Place) -> None:
    assert container(there).startswith("a context of")

    empty = there.folder / "context.tar.gz"
    with tarfile.open(empty, "w:gz"):
        pass
    with pytest.raises(Failed, match="has no Dockerfile"):
        container(exchanged(there, context=empty))
