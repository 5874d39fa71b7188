"""Reads a data set: its tasks in order, those that were asked for, and the digest of all of them."""

from __future__ import annotations

import fnmatch
import hashlib
import heapq
import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import Struct

from codeens_sandbox_backends.extras import installing_extra
from codeens_server.bench.datasets.base import Choice, Dataset, Hub, Item
from codeens_server.bench.datasets.registry import dataset_names, get_dataset
from codeens_server.bench.datasets.rows import rows_of
from codeens_server.config.loading import DATA_VARIABLE
from codeens_server.errors import ConfigError, Hint, InputError, RunError, unknown
from codeens_server.tasks.schema import Difficulty
from codeens_server.text import one_line

HUB = "hub"


class Filter(Struct, frozen=True, kw_only=True):
    """Which tasks of a data set are wanted."""

    ids: tuple[str, ...] = ()
    """Whole ids, or their last part: `17` of HumanEval/17. Empty: all."""
    left_out: tuple[str, ...] = ()
    difficulties: tuple[Difficulty, ...] = ()
    sample: int | None = None
    """So many of what is left, by the seed; the same for the same ids in any order."""
    seed: int = 0
    most: int | None = None
    """The first so many of what is left."""


class TaskSet(Struct, frozen=True, kw_only=True):
    """Tasks that were asked for, and where they are from."""

    dataset: str
    digest: str
    """SHA-256 (hex) of all tasks of the data set as it was read, before any were chosen."""
    total: int
    items: tuple[Item, ...]


def load_tasks(
    name: str,
    given: Path | None,
    environ: Mapping[str, str],
    *,
    wanted: Filter | None = None,
    choice: Choice | None = None,
) -> TaskSet:
    """Return the tasks of a data set. Blocks.

    Args:
        name: what it is registered as; or the path of a file or folder of tasks of one's own.
        given: its file or folder; None: in the folder that `CODEENS_DATA` names. `hub`: from Hugging Face.
        environ: where that folder is read from.
        wanted: which tasks.
        choice: which of a row's tests.

    Raises:
        InputError: there is no such data set, file or task; no task is left.
        ConfigError: a row is broken (named by file, record and field), or two have the same id.
    """
    path = Path(name)
    if given is None and name not in dataset_names() and (path.exists() or path.suffix or "/" in name):
        dataset, source = get_dataset("tasks"), path
    else:
        dataset = get_dataset(name)
        source = data_file(dataset, given, environ)
    if choice is not None and choice.tests and not dataset.has_test_kinds:
        message = f"{dataset.name} does not tell public, private and generated tests apart."
        raise InputError(message, hint=Hint("option", "tests"))
    return _chosen(dataset, source, wanted or Filter(), choice or Choice())


def data_file(dataset: Dataset, given: Path | None, environ: Mapping[str, str]) -> Path:
    """Return where the data set's rows are.

    Raises:
        InputError: nobody says where.
        RunError: Hugging Face does not give it.
    """
    if given is not None:
        if str(given) == HUB and dataset.hub is not None and not given.exists():
            return _downloaded(dataset.hub)
        return given
    if dataset.file is None or DATA_VARIABLE not in environ:
        where = f", or the folder of data sets in {DATA_VARIABLE}" if dataset.file else ""
        where += f", or {HUB}, which fetches it from Hugging Face" if dataset.hub else ""
        file = dataset.file.name if dataset.file else f"the file of {dataset.name}"
        message = f"where is {file}? Name it{where}."
        raise InputError(message, code="no_data_set", hint=Hint("option", "data"))
    return Path(environ[DATA_VARIABLE]) / dataset.file


def _chosen(dataset: Dataset, source: Path, wanted: Filter, choice: Choice) -> TaskSet:
    """Read all tasks, and hold those that are wanted."""
    hashing, seen, passed = hashlib.sha256(), set[str](), list[tuple[int, str, Item]]()
    near: dict[str, str] = {}
    for place, item in _items(dataset, source, choice):
        identity = item.task.id
        if identity in seen:
            message = f"{place}: the id {identity!r} is there twice."
            raise ConfigError(message, code="duplicate_id")
        seen.add(identity)
        near[identity] = identity
        hashing.update(digest_of(item).encode())
        if not _matches(item, wanted):
            continue
        if wanted.sample is None:
            if wanted.most is None or len(passed) < wanted.most:
                passed.append((0, identity, item))
            continue
        # The smallest of keys that are drawn by seed and id: the same whatever the order, and nothing else is held.
        entry = (-_key(wanted.seed, identity), identity, item)
        (heapq.heappush if len(passed) < wanted.sample else heapq.heappushpop)(passed, entry)
    _refuse_strangers(wanted, seen)
    found = [entry[2] for entry in (sorted(passed, key=_by_key) if wanted.sample is not None else passed)]
    found = found[: wanted.most]
    if not found:
        message = f"no task of {dataset.name} is left ({len(seen)} were read)."
        raise InputError(message, code="no_task")
    return TaskSet(dataset=dataset.name, digest=hashing.hexdigest(), total=len(seen), items=tuple(found))


def _by_key(entry: tuple[int, str, Item]) -> tuple[int, str]:
    return -entry[0], entry[1]


def _items(dataset: Dataset, source: Path, choice: Choice) -> Iterator[tuple[str, Item]]:
    for place, row in rows_of(source):
        item = dataset.item(row, place, choice)
        if item is not None:
            yield place, item


def _matches(item: Item, wanted: Filter) -> bool:
    names = {item.task.id, item.task.id.rpartition("/")[2]}
    if wanted.ids and names.isdisjoint(wanted.ids):
        return False
    if not names.isdisjoint(wanted.left_out):
        return False
    return not wanted.difficulties or item.task.difficulty in wanted.difficulties


def _refuse_strangers(wanted: Filter, seen: set[str]) -> None:
    known = seen | {identity.rpartition("/")[2] for identity in seen}
    for name in (*wanted.ids, *wanted.left_out):
        if name not in known:
            raise InputError(unknown("task", name, sorted(seen)[:200]), code="no_such_task")


def _key(seed: int, identity: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\0{identity}".encode()).digest()[:8], "big")


def digest_of(item: Item) -> str:
    """Return the SHA-256 (hex) of all that a task is."""
    text = repr(_canonical(msgspec.to_builtins(item, builtin_types=(int, float, complex, bytes))))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _canonical(value: object) -> object:
    """Return a value whose text is the same for equal tasks, and has integers of any length."""
    match value:
        case dict():
            pairs = cast("dict[object, object]", value).items()
            return sorted((repr(key), _canonical(item)) for key, item in pairs)
        case list() | tuple():
            return [_canonical(item) for item in cast("Sequence[object]", value)]
        case set() | frozenset():
            return sorted(repr(_canonical(item)) for item in cast("set[Any]", value))
        case bool():
            return value
        case int():
            return hex(value)
        case _:
            return value


def _downloaded(hub: Hub) -> Path:
    """Return the folder that holds the data set's files, in the cache of Hugging Face's client.

    Blocks: what is not there is fetched.

    Raises:
        InputError: huggingface_hub is not installed.
        RunError: the network or the service refuses.
    """
    try:
        client: Any = importlib.import_module("huggingface_hub")
    except ImportError:
        message = "data sets of Hugging Face are fetched by huggingface_hub, which is not installed."
        raise InputError(message, code="no_hub", hint=Hint("fix", installing_extra("data"))) from None
    try:
        folder = Path(
            client.snapshot_download(hub.repo, repo_type="dataset", allow_patterns=[hub.pattern], revision=hub.revision)
        )
    except Exception as error:  # its errors and those of the network below it have no common base
        message = (
            f"{hub.repo} cannot be fetched from Hugging Face: {type(error).__name__}: {one_line(str(error))[:200]}."
        )
        raise RunError(message, code="no_hub") from error
    files = [file for file in folder.rglob("*") if fnmatch.fnmatch(str(file.relative_to(folder)), hub.pattern)]
    if not files:
        message = f"{hub.repo} has no file {hub.pattern}."
        raise RunError(message, code="no_hub")
    return files[0].parent if len(files) > 1 else files[0]
