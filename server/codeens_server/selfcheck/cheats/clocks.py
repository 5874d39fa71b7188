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
side = worker["race_side"]
touch = side._touch
def ahead(objects):
    for of_call in objects:
        for item in of_call:
            if type(item) is list and type(item[0]) is int:
                f(item)
    touch(objects)
side._touch = ahead
""",
    "work done once in the parent of all samples": f"""{_WORKER}
{_MEMO}
side = worker["race_side"]
serve = side._serve_series
def ahead(channel, function, inputs, request):
    for args, _ in inputs.copies[0]:
        f(*args)
    serve(channel, function, inputs, request)
side._serve_series = ahead
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
side = worker["race_side"]
serve = side._serve_series
def quiet(channel, function, inputs, request):
    for child in busy:
        os.kill(child, signal.SIGSTOP)
    serve(channel, function, inputs, request)
    for child in busy:
        os.kill(child, signal.SIGCONT)
side._serve_series = quiet
f = slow
""",
    "wrong from the second call on": """
count = 0
def f(values):
    global count
    count += 1
    return slow(values) if count == 1 else 0
""",
    "right in the last pass of a sample only": """
import sys
counted, count = None, 0
def f(values):
    global counted, count
    frame = sys._getframe(1)
    passes = frame.f_locals.get("passes") or [[0]]
    if frame is not counted:
        counted, count = frame, 0
    count += 1
    return slow(values) if count > (len(passes) - 1) * len(passes[0]) else 0
""",
    "an answer that is worked out when it is read": "def f(values):\n    return (slow(values) for _ in [0])\n",
}
"""By what is tried. `GIVEN` are the inputs, which they know."""
