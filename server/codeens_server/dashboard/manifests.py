"""Variants as the dashboard shows them: what is installed, and what a manifest would do, before it is kept."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from string import Formatter
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx
from msgspec import Struct

from codeens import Session
from codeens_server.domain.systems import Share
from codeens_server.errors import InputError
from codeens_server.files import private_folder, read_regular, settings_folder, write_private
from codeens_server.run.variants import USER_FOLDER, is_used, switch_variant
from codeens_server.store.statistics import VariantLine
from codeens_server.text import plural
from codeens_variants.manifest import MOST_BYTES, ManifestError, Variant, variant_of
from codeens_variants.registry import SUFFIXES, FoundVariant

_MOST_FILES = 100
_FETCH_S = 10.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class InstalledVariant(Struct, frozen=True, kw_only=True):
    """A variant that can be used."""

    variant: Variant
    origin: str
    """`built-in`, `user`, `workspace`, or the name of an installed distribution."""
    path: str
    used: bool
    """It is used when none is named."""
    won: Share
    """Of the runs that it took part in."""
    cost_usd: float


class GivenFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A manifest, as it was previewed."""

    name: str
    text: str


class VariantSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where manifests are: exactly one of these."""

    files: tuple[GivenFile, ...] = ()
    """Their texts."""
    pack: bytes = b""
    """A ZIP archive of manifests, in Base64."""
    place: str = ""
    """A file, folder or ZIP archive on this machine, or a URL of a manifest or an archive."""


class Preview(Struct, frozen=True, kw_only=True):
    """A manifest, and what it would do."""

    file: GivenFile
    variant: Variant | None = None
    does: tuple[str, ...] = ()
    """Sentences: what is sent to whom, what is run, what it takes the place of."""
    problem: str = ""
    """Why it is no variant; empty: it is one."""


class Saved(Struct, frozen=True, kw_only=True):
    """What was kept."""

    paths: tuple[str, ...]


class Switch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a variant is to be used when none is named."""

    used: bool


class Switched(Struct, frozen=True, kw_only=True):
    """What the settings say of a variant now."""

    name: str
    used: bool
    path: str
    overruled: bool
    """Other settings, or its manifest, say otherwise and stand before the user's."""


class Removed(Struct, frozen=True, kw_only=True):
    """The file that was removed."""

    path: str


class VariantDesk:
    """Shows, switches, adds and removes variants of the user."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def installed(self) -> list[InstalledVariant]:
        """Return all variants, with what came of them.

        Raises:
            CodeensError, ManifestError: settings, store or a manifest cannot be read.
        """
        lines = await (await self._session.opened_store()).statistics.variants()
        return await anyio.to_thread.run_sync(self._installed, {line.variant: line for line in lines})

    async def manifest(self, name: str) -> tuple[str, str]:
        """Return the name of a variant's file, and its text.

        Raises:
            InputError: there is no such variant, or its file cannot be read.
        """

        def read() -> tuple[str, str]:
            path = self._named(name).path
            return f"{name}{path.suffix}", _text(path.name, _bytes(path))

        return await anyio.to_thread.run_sync(read)

    async def preview(self, source: VariantSource) -> list[Preview]:
        """Say what manifests would do; nothing is kept.

        Raises:
            InputError: they cannot be read or fetched, or there are none.
        """
        if sum(map(bool, (source.files, source.pack, source.place))) != 1:
            message = "name files, a pack or a place: one of them."
            raise InputError(message, code="wrong_request")
        files = list(source.files)
        if source.pack:
            files = _unpacked(source.pack)
        elif source.place.startswith(("http://", "https://")):
            files = _from_data(PurePosixPath(urlsplit(source.place).path).name, await _fetched(source.place))
        elif source.place:
            files = await anyio.to_thread.run_sync(self._read, source.place)
        if not files or len(files) > _MOST_FILES:
            message = f"there are {plural(len(files), 'manifest')}; 1 to {_MOST_FILES} can be added at once."
            raise InputError(message, code="no_manifest")
        return await anyio.to_thread.run_sync(lambda: [self._previewed(file) for file in files])

    async def save(self, files: Sequence[GivenFile]) -> Saved:
        """Keep manifests among the user's variants, all or none of them.

        Raises:
            InputError: one is no variant, or cannot be written; or two have the same name.
        """

        def write() -> Saved:
            variants = [_checked(file) for file in files]
            if len({variant.name for variant in variants}) < len(variants):
                message = "two of the manifests have the same name."
                raise InputError(message, code="no_variant")
            try:
                paths = [self._write(variant, file) for variant, file in zip(variants, files, strict=True)]
            except OSError as error:
                message = f"{error.filename} cannot be written: {error.strerror}."
                raise InputError(message) from None
            self._session.forget()
            return Saved(paths=tuple(map(str, paths)))

        return await anyio.to_thread.run_sync(write)

    async def remove(self, name: str) -> Removed:
        """Remove a variant of the user.

        Raises:
            InputError: there is none of that name, or it is not the user's own.
        """

        def unlink() -> Removed:
            found = self._named(name)
            if found.origin != "user":
                message = f"{name} is from {found.origin}: only your own variants can be removed here. Disable it."
                raise InputError(message, code="not_own")
            found.path.unlink()
            self._session.forget()
            return Removed(path=str(found.path))

        return await anyio.to_thread.run_sync(unlink)

    async def switch(self, name: str, *, used: bool) -> Switched:
        """Say in the user's settings whether a variant is used when none is named.

        Raises:
            InputError: there is none of that name.
            ConfigError: the settings cannot be read or written.
        """

        def write() -> Switched:
            variant = self._named(name).variant
            path = switch_variant(name, disabled=not used)
            self._session.forget()
            now = is_used(variant, self._session.settings())
            return Switched(name=name, used=now, path=str(path), overruled=now is not used)

        return await anyio.to_thread.run_sync(write)

    def _installed(self, lines: dict[str, VariantLine]) -> list[InstalledVariant]:
        settings = self._session.settings()
        nothing = VariantLine(variant="", won=Share.of(0, 0), cost_usd=0.0)
        return [
            InstalledVariant(
                variant=found.variant,
                origin=found.origin,
                path=str(found.path),
                used=is_used(found.variant, settings),
                won=(line := lines.get(name, nothing)).won,
                cost_usd=line.cost_usd,
            )
            for name, found in self._session.variants().items()
        ]

    def _named(self, name: str) -> FoundVariant:
        found = self._session.variants().get(name)
        if found is None:
            message = f"there is no variant {name!r}."
            raise InputError(message, code="no_such_variant")
        return found

    def _read(self, place: str) -> list[GivenFile]:
        path = self._session.workspace / Path(place).expanduser()
        if not path.is_dir():
            return _from_data(path.name, _bytes(path))
        found = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)[: _MOST_FILES + 1]
        return [GivenFile(name=file.name, text=_text(file.name, _bytes(file))) for file in found]

    def _previewed(self, file: GivenFile) -> Preview:
        try:
            variant = _checked(file)
        except InputError as error:
            return Preview(file=file, problem=str(error))
        return Preview(file=file, variant=variant, does=tuple(self._does(variant)))

    def _does(self, variant: Variant) -> Iterator[str]:
        """Yield what comes of using a variant."""
        fields = {field for _, field, _, _ in Formatter().parse(variant.prompt) if field}
        around = " and the code around it" if "context" in fields else ""
        yield f"Models that are asked with it are sent the function{around}, with the prompt below."
        length = f", at most {variant.max_tokens} tokens long" if variant.max_tokens else ""
        yield f"Answers are drawn at temperature {variant.temperature:g}{length}."
        if variant.rewrites:
            yield f"Offline rewrites are made too: {', '.join(variant.rewrites)}."
        yield "It runs no code of its own; what comes of it is judged in the sandbox like all candidates."
        if not variant.enabled:
            yield "It is only used when it is named."
        if (known := self._session.variants().get(variant.name)) is not None:
            yield f"It takes the place of {variant.name} ({known.origin})."

    def _write(self, variant: Variant, file: GivenFile) -> Path:
        folder = private_folder(settings_folder() / USER_FOLDER)
        path = folder / f"{variant.name}{Path(file.name).suffix}"
        write_private(path, file.text)
        known = self._session.variants().get(variant.name)
        # Two files of the same name would be refused whenever variants are read.
        if known is not None and known.origin == "user" and known.path != path:
            known.path.unlink(missing_ok=True)
        return path


def _checked(file: GivenFile) -> Variant:
    path = Path(file.name)
    if path.suffix not in SUFFIXES:
        message = f"{file.name}: a manifest's name ends in {' or '.join(SUFFIXES)}."
        raise InputError(message, code="no_variant")
    try:
        return variant_of(path, file.text)
    except ManifestError as error:
        raise InputError(str(error), code="no_variant") from None


def _from_data(name: str, data: bytes) -> list[GivenFile]:
    if name.endswith(".zip") or data.startswith(b"PK\x03\x04"):
        return _unpacked(data)
    return [GivenFile(name=name, text=_text(name, data))]


def _unpacked(data: bytes) -> list[GivenFile]:
    """Return the manifests in a ZIP archive; nothing of it is written."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if PurePosixPath(entry.filename).suffix in SUFFIXES]
            return [_entry(archive, entry) for entry in entries[: _MOST_FILES + 1]]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        message = f"the pack is no ZIP archive that can be read: {error}."
        raise InputError(message, code="no_manifest") from None


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> GivenFile:
    with archive.open(entry) as file:
        data = file.read(MOST_BYTES + 1)
    name = PurePosixPath(entry.filename).name
    return GivenFile(name=name, text=_text(name, data))


def _bytes(path: Path) -> bytes:
    try:
        return read_regular(path, 4 * MOST_BYTES)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise InputError(message, code="no_manifest") from None


def _text(name: str, data: bytes) -> str:
    if len(data) > MOST_BYTES:
        message = f"{name} is larger than {MOST_BYTES} bytes, which no variant needs to be."
        raise InputError(message, code="no_manifest")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        message = f"{name} is not UTF-8 text."
        raise InputError(message, code="no_manifest") from None


async def _fetched(url: str) -> bytes:
    """Return what is at a URL; it is not followed elsewhere, and unencrypted only on this machine.

    Raises:
        InputError: it cannot be fetched, or is too large.
    """
    try:
        if url.startswith("http://") and urlsplit(url).hostname not in _LOOPBACK:
            message = f"{url} is not encrypted: whoever is between could change the prompt. Name an https address."
            raise InputError(message, code="no_manifest")
        with anyio.fail_after(_FETCH_S):
            async with httpx.AsyncClient(timeout=_FETCH_S) as client, client.stream("GET", url) as answer:
                return await _body(url, answer)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
        message = f"{url} cannot be fetched: {error or type(error).__name__}."
        raise InputError(message, code="no_manifest") from None


async def _body(url: str, answer: httpx.Response) -> bytes:
    if answer.status_code != 200:
        where = answer.headers.get("location", "")
        message = f"{url} answers {answer.status_code}{f', and leads to {where}' if where else ''}."
        raise InputError(message, code="no_manifest")
    data = bytearray()
    async for part in answer.aiter_bytes():
        data += part
        if len(data) > 4 * MOST_BYTES:
            message = f"{url} gives more than {4 * MOST_BYTES} bytes."
            raise InputError(message, code="no_manifest")
    return bytes(data)
