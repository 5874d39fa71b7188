"""The file that a benchmark appends to."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import msgspec
import pytest

from codeens_server.bench.results import ResultsFile, read_records
from codeens_server.errors import InputError
from tests.server.bench.made import record

RECORDS = [record(f"t/{number}") for number in range(300)]


def written(path: Path) -> list[str]:
    return [one.task_id for one in read_records(path)]


def produce(path: Path, asked: Path, tell: int) -> None:
    """Ask for and write what the file lacks, saying after each that it is written."""
    with ResultsFile(path, resume=True) as file:
        for one in RECORDS:
            if one.key not in file.known:
                with asked.open("a") as log:
                    log.write(f"{one.task_id}\n")
                file.write(one)
                os.write(tell, b".")


def run_until(path: Path, asked: Path, lines: int | None) -> None:
    """Produce in a process that is killed after so many lines, while it goes on; None: it is left to its end."""
    heard, tell = os.pipe()
    child = os.fork()
    if not child:
        try:
            produce(path, asked, tell)
        finally:
            os._exit(0)
    os.close(tell)
    left = lines
    while left is None or left > 0:
        said = os.read(heard, left or 4096)
        if not said:
            break
        left = None if left is None else left - len(said)
    if lines is not None:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(heard)


def test_a_benchmark_killed_twenty_times_loses_nothing_and_repeats_only_what_was_in_flight(tmp_path: Path) -> None:
    path, asked = tmp_path / "r.jsonl", tmp_path / "asked"
    draw = random.Random(7)
    for _ in range(20):
        run_until(path, asked, draw.randrange(1, 12))
    run_until(path, asked, None)
    assert written(path) == [one.task_id for one in RECORDS]
    questions = asked.read_text(encoding="utf-8").split()
    assert set(questions) == {one.task_id for one in RECORDS}
    assert len(questions) - len(RECORDS) <= 20


def test_a_line_torn_anywhere_is_cut_off_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    first, second = (msgspec.json.encode(one) + b"\n" for one in RECORDS[:2])
    for end in range(len(second)):
        path.write_bytes(first + second[:end])
        with ResultsFile(path, resume=True) as file:
            assert [key[0] for key in file.known] == ["t/0"]
        assert path.read_bytes() == first


def test_a_torn_first_line_leaves_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(msgspec.json.encode(RECORDS[0]))
    with ResultsFile(path, resume=True) as file:
        assert file.known == {}
    assert path.read_bytes() == b""


def test_a_call_that_failed_is_asked_for_again(tmp_path: Path) -> None:
    with ResultsFile(tmp_path / "r.jsonl", resume=False) as file:
        file.write(record("t/0", ending="no_answer"))
        file.write(record("t/1", ending="no_code"))
    with ResultsFile(tmp_path / "r.jsonl", resume=True) as file:
        assert [key[0] for key in file.known] == ["t/1"]


def test_results_are_not_overwritten(tmp_path: Path) -> None:
    with ResultsFile(tmp_path / "r.jsonl", resume=False) as file:
        file.write(RECORDS[0])
    with pytest.raises(InputError, match="has results already"):
        ResultsFile(tmp_path / "r.jsonl", resume=False)
    assert written(tmp_path / "r.jsonl") == ["t/0"]


def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    with ResultsFile(tmp_path / "r.jsonl", resume=False), pytest.raises(InputError, match="another process"):
        ResultsFile(tmp_path / "r.jsonl", resume=True)


def test_a_whole_line_that_is_no_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('{"task_id": "t"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"r\.jsonl:1 is no record"):
        ResultsFile(tmp_path / "r.jsonl", resume=True)
