"""The process that holds one sandlock sandbox. Run as a script by the interpreter that has sandlock.

Arguments: JSON `{"policy": keyword arguments of sandlock.Sandbox, "command": [...], "killed": exit code}` and the
number of a pipe's descriptor. The end of that pipe, which comes with the end of codeens, ends the sandbox. Standard
input and output are the worker's.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from importlib import import_module
from typing import Any


def main() -> None:
    """Run the worker to its end, then end with what it ended with."""
    sandlock: Any = import_module("sandlock")
    wanted = json.loads(sys.argv[1])
    process = sandlock.Sandbox(**wanted["policy"]).popen(wanted["command"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the channel is the worker's alone
    threading.Thread(target=_kill_at_end_of, args=(int(sys.argv[2]), process), daemon=True).start()
    result = process.wait()
    sys.stdout.flush()
    if result.reason == sandlock.ExitReason.EXITED:
        code = result.exit_code
    elif result.reason == sandlock.ExitReason.SIGNALED:
        code = 128 + result.signal
    else:
        code = wanted["killed"]
    os._exit(code)


def _kill_at_end_of(pipe: int, process: Any) -> None:
    os.read(pipe, 1)
    pid = process.pid
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
