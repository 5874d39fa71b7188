"""The most memory of `codeens bench score --engine ray`, by how many samples there are: it should not grow with them.

Run from the repository: `python bench/driver_memory.py [--data FOLDER] [--samples 2000,20000]`. Samples are HumanEval's
own solutions, again and again, judged by a Ray cluster of two nodes with a core each. Nodes' memory is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from codeens_server.bench.datasets.loading import load_tasks

LOOKED_EVERY_S = 0.2


def main() -> None:
    """Print a line for each number of samples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("CODEENS_DATA"), help="the folder of data sets")
    parser.add_argument("--samples", default="2000,20000", help="how many, separated by commas")
    options = parser.parse_args()
    os.environ["CODEENS_DATA"] = str(options.data)
    # Ray reads it as it is imported: else it takes the address by which others know this machine for its own.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.clusters import started_cluster

    tasks = [item.task for item in load_tasks("humaneval", None, os.environ).items]
    lines = [json.dumps({"task_id": task.id, "solution": task.reference_solution}) + "\n" for task in tasks]
    with started_cluster(2) as cluster, tempfile.TemporaryDirectory() as folder:
        for count in map(int, options.samples.split(",")):
            samples, out = Path(folder, "samples.jsonl"), Path(folder, f"{count}.jsonl")
            samples.write_text("".join(islice(cycle(lines), count)), encoding="utf-8")
            peak = peak_of("humaneval", str(samples), "--out", str(out), "--engine", f"ray://{cluster.address}")
            kept = len(out.read_text(encoding="utf-8").splitlines())
            print(f"{count} samples, {samples.stat().st_size >> 20} MB: {kept} lines, at most {peak / 1000:.0f} MB")


def peak_of(*arguments: str) -> int:
    """Run `codeens bench score`, and return the most memory that its process has had, in kB."""
    peak = 0
    with subprocess.Popen([sys.executable, "-m", "codeens", "bench", "score", *arguments]) as process:
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            found = re.search(r"VmHWM:\s+(\d+)", status)
            peak = int(found[1]) if found else peak
            time.sleep(LOOKED_EVERY_S)
    if process.returncode:
        sys.exit("it failed")
    return peak


if __name__ == "__main__":
    main()
