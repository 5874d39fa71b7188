"""Records of a benchmark as logs of Inspect AI and of OpenAI Evals, which their viewers and readers open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from codeens_server.bench.records import Record
from codeens_server.bench.statistics import Counts
from codeens_server.errors import Hint, InputError
from codeens_server.tasks.schema import Task

_SCORER = "codeens"
_INSPECT_VERSION = 2
_NO_TIME = "1970-01-01T00:00:00+00:00"
"""Where a record does not say when it was written, and there must be a time."""


def inspect_log(records: Iterable[Record], tasks: Mapping[str, Task]) -> Iterator[bytes]:
    """Yield the JSON log of Inspect AI (version 2 of its format) of what one system did.

    A call that failed is a sample with an error and without a score.

    Args:
        records: of one model and variant.
        tasks: by id.

    Raises:
        InputError: the records are of several systems, of none, or of other tasks.
    """
    own = _of_one_system(records, tasks)
    first = own[0]
    task, rate, error = _name(first), *_accuracy(own)
    metrics = {
        "accuracy": {"name": "accuracy", "value": rate},
        **({} if error is None else {"stderr": {"name": "stderr", "value": error}}),
    }
    scored = sum(record.counts for record in own)
    score = {"name": _SCORER, "scorer": _SCORER, "scored_samples": scored, "metrics": metrics}
    log = {
        "version": _INSPECT_VERSION,
        "status": "success",
        "eval": {
            "created": first.at or _NO_TIME,
            "task": task,
            "task_version": first.digest[:12],
            "dataset": {
                "name": first.dataset,
                "samples": len({record.task_id for record in own}),
                "sample_ids": list(dict.fromkeys(record.task_id for record in own)),
            },
            "model": first.model,
            "config": {"epochs": 1 + max(record.sample for record in own)},
            "packages": {"codeens": first.machine.codeens},
            "metadata": {"variant": first.variant, "digest": first.digest, "sandbox": first.machine.sandbox},
        },
        "plan": {"name": "plan", "steps": [{"solver": "codeens bench run", "params": {"variant": first.variant}}]},
        "results": {"total_samples": len(own), "completed_samples": scored, "scores": [score]},
        "stats": {
            "started_at": min(record.at for record in own),
            "completed_at": max(record.at for record in own),
            "model_usage": {first.model: _usage(own)},
        },
        "samples": [_inspect_sample(record, tasks[record.task_id]) for record in own],
    }
    yield json.dumps(log).encode("utf-8")


def evals_log(records: Iterable[Record], tasks: Mapping[str, Task]) -> Iterator[bytes]:
    """Yield the lines of a log of OpenAI Evals: what was run, each answer with its verdict, the accuracy.

    Args:
        records: of one model and variant.
        tasks: by id.

    Raises:
        InputError: the records are of several systems, of none, or of other tasks.
    """
    own = _of_one_system(records, tasks)
    first = own[0]
    run_id = f"codeens-{first.digest[:12]}"
    spec = {
        "completion_fns": [first.model],
        "eval_name": _name(first),
        "base_eval": first.dataset,
        "split": first.variant,
        "run_config": {"digest": first.digest, "sandbox": first.machine.sandbox},
        "created_by": f"codeens {first.machine.codeens}",
        "run_id": run_id,
        "created_at": first.at,
    }
    yield _line({"spec": spec})
    number = 0
    for record in own:
        for kind, data in _evals_events(record, tasks[record.task_id]):
            event = {"run_id": run_id, "event_id": number, "sample_id": f"{record.task_id}.{record.sample}"}
            yield _line({**event, "type": kind, "data": data, "created_by": "", "created_at": record.at})
            number += 1
    yield _line({"final_report": {"accuracy": _accuracy(own)[0]}, "run_id": run_id})


def _line(value: object) -> bytes:
    return json.dumps(value).encode("utf-8") + b"\n"


def _name(record: Record) -> str:
    return f"codeens/{record.dataset}"


def _of_one_system(records: Iterable[Record], tasks: Mapping[str, Task]) -> list[Record]:
    own = list({record.key: record for record in records}.values())
    systems = dict.fromkeys(f"{record.model} · {record.variant}" for record in own)
    if len(systems) != 1:
        message = f"such a log is of one system, and here are {len(systems)}: {', '.join(systems) or 'no record fits'}."
        raise InputError(message, hint=Hint("fix", "Choose one by --model and --variant."))
    if unknown := next((record.task_id for record in own if record.task_id not in tasks), None):
        message = f"the data set has no task {unknown!r}; name the one that the results are of."
        raise InputError(message)
    return own


def _accuracy(records: Sequence[Record]) -> tuple[float, float | None]:
    """Return the mean share of right answers over tasks, and its standard error; None: there is one task."""
    counts: dict[str, tuple[int, int]] = {}
    for record in records:
        if record.counts:
            total, right = counts.get(record.task_id, (0, 0))
            counts[record.task_id] = total + 1, right + record.passed
    shares = _shares(counts)
    return fmean(shares) if shares else 0.0, stdev(shares) / sqrt(len(shares)) if len(shares) > 1 else None


def _shares(counts: Counts) -> list[float]:
    return [right / total for total, right in counts.values()]


def _usage(records: Iterable[Record]) -> dict[str, int]:
    attempts = [attempt for record in records for attempt in record.attempts]
    read, written = sum(one.tokens_in for one in attempts), sum(one.tokens_out for one in attempts)
    return {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}


def _inspect_sample(record: Record, task: Task) -> dict[str, Any]:
    said = {"role": "assistant", "content": record.last.source, "model": record.model, "source": "generate"}
    sample: dict[str, Any] = {
        "id": record.task_id,
        "epoch": record.sample + 1,
        "input": task.prompt,
        "target": task.reference or "",
        "messages": [{"role": "user", "content": task.prompt}, said],
        "output": {
            "model": record.model,
            "choices": [{"message": said, "stop_reason": "stop"}],
            "usage": _usage([record]),
            "time": sum(attempt.ask_s for attempt in record.attempts),
        },
        "metadata": {"ending": record.ending, "rounds": record.rounds, **record.metadata},
        "model_usage": {record.model: _usage([record])},
        **({"completed_at": record.at} if record.at else {}),
    }
    if record.counts:
        value = {"value": "C" if record.passed else "I", "answer": record.last.source}
        return {**sample, "scores": {_SCORER: {**value, "explanation": record.last.reason or record.ending}}}
    reason = record.last.reason or record.ending
    return {**sample, "error": {"message": reason, "traceback": "", "traceback_ansi": ""}}


def _evals_events(record: Record, task: Task) -> Iterator[tuple[str, dict[str, Any]]]:
    if not record.counts:
        yield "error", {"type": record.ending, "message": record.last.reason}
        return
    answer = record.last.source
    yield "sampling", {"prompt": task.prompt, "sampled": [answer], "usage": _usage([record])}
    reason = record.last.reason or record.ending
    yield "match", {"correct": record.passed, "expected": record.task_id, "picked": answer, "reason": reason}
