"""What a framework hands over as text: tasks in HumanEval's form, and replies of models."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

from codeens_server.config.loading import DATA_VARIABLE
from codeens_server.errors import InputError
from codeens_server.generation.reply.extract import Unusable, extract
from codeens_server.tasks.schema import Task

INSTRUCTION = "Complete this Python function. Answer with the whole function in one code block."
_FILE = Path("humaneval", "HumanEval.jsonl.gz")


def humaneval_tasks(path: str | None) -> list[Task]:
    """Return HumanEval's tasks from its file, or from the one in the folder that `CODEENS_DATA` names.

    Raises:
        InputError: there is no such file, or it cannot be read.
        ConfigError: a line of it is not a task (the field is named).
    """
    if path is None and DATA_VARIABLE not in os.environ:
        message = f"where is {_FILE.name}? Give `data`, its path, or name the folder of data sets in {DATA_VARIABLE}."
        raise InputError(message, code="no_data_set")
    file = Path(path) if path else Path(os.environ[DATA_VARIABLE]) / _FILE
    try:
        text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        return [Task.from_humaneval(json.loads(line)) for line in text.splitlines() if line.strip()]
    except (OSError, EOFError, ValueError) as error:
        message = f"{file} cannot be read: {getattr(error, 'strerror', None) or error}."
        raise InputError(message) from None


def program_in(reply: str, task: Task) -> str:
    """Return the program that a reply gives as its answer, whatever stands around it; empty where there is none."""
    try:
        return extract(reply, task.entry_point, stub=task.module(), is_method=False)[0].replacement.source
    except Unusable:
        return ""
