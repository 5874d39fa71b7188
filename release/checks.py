"""Tries the files of a release where nothing else of codeens is: another home, another environment, no variables."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files as resources
from pathlib import Path
from typing import Any, NoReturn
from zipfile import ZipFile

import anyio
import jsonschema
from mcp import Client, StdioServerParameters
from msgspec import Struct

from release.bundle import host_command
from release.carried import build_wheel
from release.files import Release
from release.lock import NEWEST, OLDEST, REPOSITORY, entries
from release.sbom import describe_python
from release.tools import Failed, run

_STARTED_WITHIN_S = 110
_KEPT = re.compile(r"LANG|PATH|(UV|SSL)_.*|.*_proxy", re.IGNORECASE)
_FASTER = {"CODEENS_EFFORT": "quick", "CODEENS_MAX_MUTANTS": "0"}
_MACHINES = (
    (OLDEST, "x86_64-unknown-linux-gnu"),
    (NEWEST, "aarch64-unknown-linux-gnu"),
    (NEWEST, "aarch64-apple-darwin"),
)


class Place(Struct, frozen=True):
    """A folder that is thrown away, with an environment that has this release's wheel alone."""

    folder: Path
    environ: Mapping[str, str]
    release: Release

    @property
    def venv(self) -> Path:
        """The environment."""
        return self.folder / "venv"

    def uv(self, *arguments: str) -> str:
        """Have uv do something."""
        return run([str(Path(sys.executable).with_name("uv")), *arguments], cwd=self.folder, env=self.environ)


Check = Callable[[Place], str]
"""Gives what it found; raises Failed."""


def checks() -> Sequence[tuple[str, Check]]:
    """All of them, in an order in which later ones may use the environment of the first."""
    return (
        ("wheel", wheel),
        ("sdist", sdist),
        ("lock", lock),
        ("bundle", bundle),
        ("server.json", registry),
        ("extension", extension),
        ("container", container),
        ("SBOM", sbom),
    )


@contextmanager
def place(release: Release) -> Generator[Place]:
    """Make one."""
    with tempfile.TemporaryDirectory(prefix="codeens-release-") as name:
        folder = Path(name)
        environ = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
        (folder / "home").mkdir()
        cache = run([str(Path(sys.executable).with_name("uv")), "cache", "dir"], cwd=folder).strip()
        yield Place(folder, {**environ, "HOME": str(folder / "home"), "UV_CACHE_DIR": cache}, release)


def wheel(there: Place) -> str:
    """Install it as the extension does, with hashes, and run the main job without a network or a key."""
    release = there.release
    there.uv("venv", "-q", "-p", sys.executable, str(there.venv))
    locked = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
    there.uv("pip", "install", "-q", "-p", str(there.venv), *locked, "-r", str(release.lock))
    there.uv("pip", "install", "-q", "-p", str(there.venv), "--no-deps", "--no-index", str(release.wheel))
    there.uv("pip", "check", "-q", "-p", str(there.venv))
    shop = there.folder / "shop"
    shutil.copytree(REPOSITORY / "examples" / "shop", shop)
    program = str(there.venv / "bin" / "codeens")
    said = run([program, "run", "orders.py::repeat_customers"], cwd=shop, env={**there.environ, **_FASTER})
    # How fast it is, is not asked: a busy machine may not be able to tell.
    first = re.search(r"^1=? +(offline · .*? passed: \d+/\d+ tests and \d+ inputs equal)", said, re.MULTILINE)
    return re.sub(r" {2,}", " ", first[1]) if first else _failed(f"no version passed:\n{said}")


def sdist(there: Place) -> str:
    """Build a wheel of it, which must be the wheel that was tried."""
    with tarfile.open(there.release.sdist) as archive:
        archive.extractall(there.folder / "sdist", filter="data")
    (source,) = (there.folder / "sdist").iterdir()
    (built := there.folder / "built").mkdir()
    if build_wheel(built, source).read_bytes() != there.release.wheel.read_bytes():
        raise Failed("the wheel that the sdist builds is another one")
    return "builds the same wheel, byte for byte"


def lock(there: Place) -> str:
    """See that each entry has a wheel for the ends of what is supported: nothing of it is ever built."""
    for python, machine in _MACHINES:
        where = ("--python-version", python, "--python-platform", machine, "--target", str(there.folder / "nowhere"))
        how = ("--dry-run", "--require-hashes", "--no-deps", "--only-binary", ":all:")
        there.uv("pip", "install", "-q", "-p", str(there.venv), *how, *where, "-r", str(there.release.lock))
    count = len(entries(there.release.lock.read_text(encoding="utf-8")))
    return f"{count} pinned, with wheels for {', '.join(' on '.join(each) for each in _MACHINES)}"


def bundle(there: Place) -> str:
    """Start its server as its manifest says, over stdio."""
    folder = there.folder / "bundle"
    with ZipFile(there.release.bundle) as archive:
        archive.extractall(folder)
    command = host_command(folder, [there.folder / "home", there.folder / "shop"])
    environ = {
        **there.environ,
        **(command.env or {}),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{there.environ['PATH']}",
        "UV_PYTHON": sys.executable,
    }
    return anyio.run(_asked, command.model_copy(update={"env": environ, "cwd": there.folder / "home"}))


async def _asked(command: StdioServerParameters) -> str:
    with anyio.fail_after(_STARTED_WITHIN_S):
        async with Client(command) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            target = f"{command.args[-1]}/orders.py::repeat_customers"
            answer = await client.call_tool("generate_variants", {"target": target, "prompts_only": True})
    return f"{len(tools)} tools, and prompts for a function" if not answer.is_error else _failed(f"refused: {answer}")


def registry(there: Place) -> str:
    """Hold it to the registry's schema, which the distribution skillsaw carries."""
    entry = json.loads(there.release.registry.read_text(encoding="utf-8"))
    try:
        jsonschema.validate(entry, schema_of_registry(entry["$schema"]))
    except jsonschema.ValidationError as error:
        raise Failed(f"it is not as the registry's schema demands: {error.message}") from error
    return f"{entry['name']} {entry['version']}, by {entry['$schema']}"


def schema_of_registry(address: str) -> dict[str, Any]:
    """Give the schema that has this address, without asking the address."""
    version = "v" + re.sub(r"\D+", "_", address).strip("_")
    path = resources("skillsaw.schemas.mcp_registry") / version / "server.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    return schema if schema["$id"] == address else _failed(f"{path} is of {schema['$id']}")


def extension(there: Place) -> str:
    """Look into it: the server's wheel and locks are there, and neither sources nor what built it."""
    packed = there.release.extension
    if packed is None:
        return "skipped: the extension because npm is not installed"
    with ZipFile(packed) as archive:
        names = archive.namelist()
        carried = f"extension/dist/server/{there.release.wheel.name}"
        same = carried in names and archive.read(carried) == there.release.wheel.read_bytes()
        locked = archive.read("extension/dist/server/requirements.lock").decode() == there.release.lock.read_text()
    strange = [name for name in names if re.search(r"\.(ts|map|mjs)$|node_modules|/test/", name)]
    if not same or not locked or strange:
        raise Failed(f"{packed.name}: the wheel is the same: {same}, the lock: {locked}; and there are {strange}")
    return f"carries {there.release.wheel.name} and its lock; {packed.stat().st_size // 1024} KiB"


def container(there: Place) -> str:
    """See that what the Dockerfile copies and names is in the context; the engine itself is a test's."""
    with tarfile.open(there.release.context) as archive:
        names = set(archive.getnames())
    wanted = {"Dockerfile", "pyproject.toml", "README.md", "LICENSE", "requirements.lock", "requirements-uv.lock"}
    if missing := wanted - names:
        raise Failed(f"the context has no {', '.join(sorted(missing))}")
    return f"a context of {len(names)} files"


def sbom(there: Place) -> str:
    """Describe what stands in the environment of the wheel: nothing but what the lock has."""
    release = there.release
    document = describe_python(there.venv, release)
    found = {(each["name"].lower().replace("_", "-"), each["version"]) for each in document["components"]}
    locked = {(each.name, each.version) for each in entries(release.lock.read_text(encoding="utf-8"))}
    if strange := found - locked:
        raise Failed(f"the environment has what the lock has not: {sorted(strange)}")
    return f"CycloneDX {document['specVersion']}, {len(found)} components"


def _failed(why: str) -> NoReturn:
    raise Failed(why)
