"""Functions that are right and slow, and try to be taken for fast: `f` is what is timed, `slow` the original."""

from __future__ import annotations

SLOW = """
def slow(values):
    kept = 0
    for value in values:
        for _ in range(300):
            kept = (kept * 31 + value) % 1000003
    return kept
"""
FAST = """
A = pow(31, 300, 1000003)
B = (A - 1) * pow(30, -1, 1000003) % 1000003
def f(values):
    kept = 0
    for value in values:
        kept = (kept * A + value * B) % 1000003
    return kept
"""
"""The same by the sum of a geometric series."""

_MEMO = """
memo = {}
def f(values):
    key = tuple(values)
    if key not in memo:
        memo[key] = slow(values)
    return memo[key]
"""
_WORKER = """
import sys
worker = {name.rpartition(".")[2]: module for name, module in sys.modules.items() if "worker" in name}
"""

CLOCKS: dict[str, str] = {
    "patched clocks": """
import time
start = time.perf_counter()
for name in ("time", "perf_counter", "monotonic", "process_time", "thread_time"):
    setattr(time, name, lambda: start)
    setattr(time, name + "_ns", lambda: int(start * 10**9))
f = slow
""",
    "results remembered between passes": _MEMO,
    "results remembered in shared memory": """
import json, mmap
shared = mmap.mmap(-1, 1 << 16)
def f(values):
    memo = json.loads(shared[:].rstrip(b"\\0") or b"{}")
    key = repr(values)
    if key not in memo:
        memo[key] = slow(values)
        text = json.dumps(memo).encode()
        shared[:len(text)] = text
    return memo[key]
""",
    "results remembered in a file": """
import json, os, tempfile
place = os.path.join(tempfile.gettempdir(), "memo")
def f(values):
    memo = {}
    if os.path.exists(place):
        with open(place) as file:
            memo = json.load(file)
    key = repr(values)
    if key not in memo:
        memo[key] = slow(values)
        with open(place, "w") as file:
            json.dump(memo, file)
    return memo[key]
""",
    "the clock stopped early": f"""{_WORKER}
Channel = worker["serving"].Channel
receive, send = Channel.receive, Channel.send_packed
stopped = False
def early(self):
    global stopped
    message = receive(self)
    if message == {{}}:
        send(self, self.packed({{"done": True}}))
        stopped = True
    return message
def late(self, frame):
    if not (stopped and b'"done"' in frame):
        send(self, frame)
Channel.receive, Channel.send_packed = early, late
f = slow
""",
    "work done before the clock starts": f"""{_WORKER}
{_MEMO}
sampling = worker["sampling"]
decode = sampling.decode_arguments
def ahead(call):
    arguments = decode(call)
    f(*arguments[0])
    return arguments
sampling.decode_arguments = ahead
""",
    "work done once in the parent of all samples": f"""{_WORKER}
{_MEMO}
calls, sampling = worker["calls"], worker["sampling"]
serve = calls.serve_sample
def ahead(channel, function, request):
    for call in request.get("inputs", ()):
        f(*sampling.decode_arguments(call)[0])
    serve(channel, function, request)
calls.serve_sample = ahead
""",
    "work moved to where it is loaded": f"{_MEMO}\nfor given in GIVEN:\n    f(list(given))\n",
    "work moved to a thread": f"""
import threading
{_MEMO}
def ahead():
    for given in GIVEN:
        f(list(given))
threading.Thread(target=ahead, daemon=True).start()
""",
    "the original held up": f"""{_WORKER}
import os, signal
busy = []
for _ in range(4):
    child = os.fork()
    if not child:
        while True:
            pass
    busy.append(child)
calls = worker["calls"]
serve = calls.serve_sample
def quiet(channel, function, request):
    for child in busy:
        os.kill(child, signal.SIGSTOP)
    serve(channel, function, request)
    for child in busy:
        os.kill(child, signal.SIGCONT)
calls.serve_sample = quiet
f = slow
""",
    "wrong from the second call on": """
count = 0
def f(values):
    global count
    count += 1
    return slow(values) if count == 1 else 0
""",
    "an answer that is worked out when it is read": "def f(values):\n    return (slow(values) for _ in [0])\n",
}
"""By what is tried. `GIVEN` are the inputs, which they know."""
LATER_PASSES = frozenset({"results remembered between passes", "wrong from the second call on"})
"""What shows only where there are several passes in a sample."""
