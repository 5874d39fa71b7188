"""Lets a fuzzer speak to the judge as a worker would: it must neither fail, hang, run code nor fill the memory.

Run from the repository: `python -m bench.fuzz_frames [--seconds N] [--seed N]`. Guided by coverage where atheris is
installed (`pip install atheris`), else at random. Ends with exit code 0 and how much was tried, or shows the bytes that
broke the judge.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from codeens_sandbox_backends.worker.frames import pack

_NONCE = re.compile(rb'"nonce": "([0-9a-f]{16})"')
_HEADER = 3
_MEMORY_MB = 1500
_LONGEST_S = 10
_RUNS_CODE = ("exec", "compile", "os.exec", "os.system", "os.posix_spawn", "subprocess.Popen", "pickle.find_class")


def main() -> None:
    """Fuzz for some time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.corpus is not None:
        _guided(importlib.import_module("atheris"), options)
    elif importlib.util.find_spec("atheris") is None:
        _at_random(_Judge(importlib.import_module("tests.sandbox_backends.hostile_frames")), options)
    else:
        with tempfile.TemporaryDirectory(prefix="codeens-fuzz-") as folder:  # the fuzzer ends its process its own way
            command = [sys.executable, "-m", "bench.fuzz_frames", "--corpus", folder]
            wanted = ["--seconds", str(options.seconds), "--seed", str(options.seed)]
            sys.exit(subprocess.run([*command, *wanted]).returncode)


class _Judge:
    """Takes bytes for what a worker says: which kind, in place of which reply, framed or not, and then the payload."""

    def __init__(self, frames: Any) -> None:
        self.frames = frames
        self.kinds = list(frames.JOBS)
        self.tried = 0
        self._watching = False
        for kind in self.kinds:  # what is imported late is imported now
            frames.judged(kind, frames.RIGHT[kind])
        sys.addaudithook(self._hear)

    def _hear(self, event: str, _: tuple[Any, ...]) -> None:
        if self._watching and event in _RUNS_CODE:
            raise SystemError(f"the judge runs code: {event}")

    def try_out(self, data: bytes) -> None:
        """Have the judge read this."""
        if len(data) < _HEADER:
            return
        self.tried += 1
        kind = self.kinds[data[0] % len(self.kinds)]
        place, framed, payload = data[1] % len(self.frames.RIGHT[kind]), data[2] % 4, data[_HEADER:]
        turn = -1

        def spoil(right: bytes) -> bytes:
            nonlocal turn
            turn += 1
            nonce = _NONCE.search(right)
            if turn != place or nonce is None:
                return right
            said = payload.replace(b"NONCE", nonce[1])
            return pack(said) if framed else said

        self._watching = True
        try:
            self.frames.judged(kind, self.frames.RIGHT[kind], spoil)
        finally:
            self._watching = False

    def seeds(self) -> list[bytes]:
        """What is right, as inputs to begin with."""
        return [
            bytes([number, place, 1]) + json.dumps({"nonce": "NONCE", **message}).encode()
            for number, kind in enumerate(self.kinds)
            for place, messages in enumerate(self.frames.RIGHT[kind])
            for message in messages
        ] + [bytes([0, 1, 1]) + _returned(value) for value in _VALUES]


def _returned(tree: object) -> bytes:
    outcome: dict[str, object] = {"kind": "returned", "value": tree, "args": []}
    return json.dumps({"nonce": "NONCE", "index": 0, "outcome": outcome}).encode()


_VALUES: list[object] = [
    ["list", ["tuple", 1.5, "x"], ["dict", ["a", None]], ["set", 1, True]],
    ["int", "20000000000000"],
    ["str", "eda080"],
    ["ndarray", "<f8", [1], "C", "AAAAAAAA8D8="],
    ["zoned", 1, ["timezone", ["timedelta", 0, 3600, 0], "x"], ["time", "01:00:00"]],
    ["zoned", 0, ["zoneinfo", "UTC"], ["datetime", "2020-01-01T00:00:00"]],
    ["Decimal", "1E+5"],
    ["Fraction", 1, 2],
    ["deque", 3, 1],
    ["defaultdict", "list", [1, 2]],
    ["object", "m:C", ["a", 1], ["b", 2]],
    ["enum", "m:C", "A"],
    ["flags", "m:C", 3],
    ["pandas", "Series", None, ["pandas", "RangeIndex", None, 0, 1, 1], ["list", 1]],
    ["iter", "generator", 1, ["more"]],
    ["bytes", "YQ=="],
    ["path", "/a"],
    ["uuid", "0" * 32],
    ["complex", 1.0, ["float", "nan"]],
    ["range", 0, 1, 1],
]


def _guided(atheris: Any, options: argparse.Namespace) -> None:
    with atheris.instrument_imports(include=["codeens_sandbox_backends"]):
        judge = _Judge(importlib.import_module("tests.sandbox_backends.hostile_frames"))
    for number, seed in enumerate(judge.seeds()):
        Path(options.corpus, str(number)).write_bytes(seed)
    arguments = [
        sys.argv[0],
        str(options.corpus),
        f"-max_total_time={options.seconds}",
        f"-seed={options.seed}",
        f"-timeout={_LONGEST_S}",
        f"-rss_limit_mb={_MEMORY_MB}",
        f"-artifact_prefix={options.corpus}/broke-",
        "-max_len=4096",
        "-print_final_stats=1",
    ]
    atheris.Setup(arguments, judge.try_out)
    atheris.Fuzz()


def _at_random(judge: _Judge, options: argparse.Namespace) -> None:
    rng, seeds = random.Random(options.seed), judge.seeds()
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        data = _changed(rng.choice(seeds), rng, judge.frames)
        started = time.monotonic()
        try:
            judge.try_out(data)
        except BaseException:
            sys.stderr.write(f"broken by {data!r}\n")
            raise
        if time.monotonic() - started > _LONGEST_S:
            raise SystemExit(f"the judge took {time.monotonic() - started:.1f} s for {data!r}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sys.stdout.write(f"{judge.tried} inputs, nothing broke; at most {peak} MiB of memory\n")


def _changed(data: bytes, rng: random.Random, frames: Any) -> bytes:
    """A seed with its JSON spoilt, or its bytes."""
    header, payload = data[:_HEADER], data[_HEADER:]
    if rng.random() < 0.5:
        return header + frames.spoilt_bytes(payload, rng)
    for _ in range(rng.randrange(1, 4)):
        payload = json.dumps(frames.spoilt(json.loads(payload), rng)).encode()
    return header + payload


if __name__ == "__main__":
    main()
