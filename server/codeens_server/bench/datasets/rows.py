"""The rows of a file or folder, one after the other: JSON, JSON lines, YAML or parquet, by the suffix."""

from __future__ import annotations

import gzip
import importlib
import json
import zlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, cast

from codeens_sandbox_backends.extras import installing_extra
from codeens_server.bench.datasets.base import Row
from codeens_server.errors import ConfigError, Hint, InputError
from codeens_server.tasks.reading import document_of

MAX_LINE = 256 << 20
SUFFIXES = (".json", ".jsonl", ".jsonl.gz", ".yaml", ".yml", ".parquet")
_LONG = 4000
_BATCH = 8
"""Rows of a parquet file that are read at once: those of contests have megabytes of tests each."""
_BUFFER = 1 << 20
"""Bytes of a column that are read at once; without a bound the whole column of a group of rows would be."""


def rows_of(path: Path) -> Iterator[tuple[str, Row]]:
    """Yield rows, each with what messages call it (`FILE:12`); a folder's files come in the order of their names.

    Raises:
        InputError: there is no such file, or it cannot be read.
        ConfigError: it is broken (with the position), or a row is no object.
    """
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if _is_data(file, path)]
        if not files:
            message = f"{path} has no file that ends in {', '.join(SUFFIXES)}."
            raise InputError(message, code="no_data_set")
        for file in files:
            yield from rows_of(file)
        return
    try:
        path.stat()
        for place, row in _read(path):
            if not isinstance(row, dict):
                message = f"{place}: a row is an object, not {type(row).__name__}."
                raise ConfigError(message)
            yield place, cast("Row", row)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}."
        raise InputError(message, code="no_data_set") from None


def _is_data(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return not hidden and file.name.endswith(SUFFIXES) and file.is_file()


def _read(path: Path) -> Iterator[tuple[str, object]]:
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        return _json_lines(path)
    if path.suffix == ".parquet":
        return _parquet(path)
    return _document(path)


def _document(path: Path) -> Iterator[tuple[str, object]]:
    document: object = document_of(path)
    if not isinstance(document, list):
        yield str(path), document
        return
    for number, row in enumerate(cast("list[object]", document)):
        yield f"{path}[{number}]", row


def opened(path: Path) -> IO[bytes]:
    """Open a file, compressed or not."""
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _json_lines(path: Path) -> Iterator[tuple[str, object]]:
    with opened(path) as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE), b""), start=1):
            if not line.strip():
                continue
            try:
                yield f"{path}:{number}", json.loads(line, parse_int=_integer)
            except (ValueError, RecursionError) as error:
                message = f"{path}:{number} is no JSON: {error}."
                raise ConfigError(message) from None


def _integer(text: str) -> int:
    return int(text) if len(text) < _LONG else int(Decimal(text))


def _parquet(path: Path) -> Iterator[tuple[str, object]]:
    for number, row in enumerate(parquet_rows(path), start=1):
        yield f"{path}, row {number}", row


def parquet_rows(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield rows of a parquet file, holding a few at a time.

    Raises:
        InputError: pyarrow is not installed, or the file is none of parquet.
    """
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        message = "parquet files are read by pyarrow, which is not installed."
        raise InputError(message, code="no_pyarrow", hint=Hint("fix", installing_extra("data"))) from None
    try:
        with parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            known = set(file.schema_arrow.names)
            wanted = None if columns is None else [name for name in columns if name in known]
            for batch in file.iter_batches(batch_size=_BATCH, columns=wanted, use_threads=False):
                yield from batch.to_pylist()
    except arrow.ArrowInvalid as error:
        message = f"{path} is no parquet file: {str(error).splitlines()[0]}."
        raise ConfigError(message) from None
