"""The most memory that `codeens data etl code_contests` needs, by the size of its file: it must not grow with it.

    python bench/etl_memory.py [--megabytes 50,200,800] [--limit MEGABYTES]

Problems of 2 MB each, most of it tests, in groups of 20 rows. Parquet is read by the group, so that the memory is
that of a few groups. Files are made by another process: what a parent had counts as what its child has had. With
`--limit` the command gets no more data than that (RLIMIT_DATA: all that it maps and nobody shares, used or not), so
that a file which is larger is one that does not fit into its memory.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROW_BYTES = 2 << 20
GROUP = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", default="50,200,800")
    parser.add_argument("--limit", type=int, metavar="MEGABYTES")
    parser.add_argument("--make", nargs=2, metavar=("FILE", "ROWS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        _make(Path(options.make[0]), int(options.make[1]))
        return
    for megabytes in map(int, options.megabytes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "c.parquet"), Path(folder, "c.jsonl")
            rows = (megabytes << 20) // ROW_BYTES
            subprocess.run([sys.executable, __file__, "--make", str(source), str(rows)], check=True)
            peak = _peak(["data", "etl", "code_contests", str(source), "--out", str(target), "--json"], options.limit)
            print(f"{source.stat().st_size >> 20} MB read, {target.stat().st_size >> 20} MB written: {peak >> 10} MB")


def _make(path: Path, count: int) -> None:
    arrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    draw = random.Random(1)
    writer: Any = None
    for start in range(0, count, GROUP):
        rows = [_row(number, draw) for number in range(start, min(count, start + GROUP))]
        table = arrow.Table.from_pylist(rows)
        writer = writer or parquet.ParquetWriter(path, table.schema, compression="none")
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _row(number: int, draw: random.Random) -> dict[str, Any]:
    text = draw.randbytes(ROW_BYTES // 20).hex()
    tests = {"input": [f"{text}{index}" for index in range(9)], "output": ["1"] * 9}
    return {
        "name": f"{number}_A",
        "description": "Print the answer.",
        "public_tests": {"input": ["1"], "output": ["1"]},
        "private_tests": {"input": ["2"], "output": ["1"]},
        "generated_tests": tests,
        "source": 2,
        "difficulty": 7,
        "solutions": {"language": [3, 2], "solution": ["print(1)", text[: ROW_BYTES // 10]]},
        "incorrect_solutions": {"language": [3], "solution": ["print(0)"]},
    }


def _peak(arguments: list[str], limit: int | None) -> int:
    """Run the command and return the most memory that it had, in kilobytes."""
    limited = ["/usr/bin/env", "prlimit", f"--data={limit << 20}"] if limit else []
    command = [*limited, sys.executable, "-m", "codeens", *arguments]
    _, status, usage = os.wait4(os.posix_spawn(command[0], command, os.environ), 0)
    assert not status, f"ended with {os.waitstatus_to_exitcode(status)}"
    return usage.ru_maxrss


if __name__ == "__main__":
    main()
