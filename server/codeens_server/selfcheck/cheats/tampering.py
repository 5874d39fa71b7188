"""Changes to what answers are made with: the worker, the modules it uses, the wire."""

from __future__ import annotations

_WIRE = """
import gc, json, os, struct, sys
def channels():
    found = [thing for thing in gc.get_objects() if hasattr(type(thing), "send_packed")]
    frame = sys._getframe()
    while frame is not None:
        found += [thing for thing in frame.f_locals.values() if hasattr(type(thing), "send_packed")]
        frame = frame.f_back
    return found
def send(**message):
    for channel in channels():
        data = json.dumps({"nonce": channel.nonce, **message}).encode()
        try:
            os.write(channel.fd, struct.pack(">I", len(data)) + data)
        except OSError:
            pass
"""
_RETURNED = '{"kind": "returned", "value": ["list"], "args": [], "kwargs": {}}'

TAMPERING: dict[str, str] = {
    "a verdict on the wire": f"{_WIRE}\ndef f(values):\n    send(verdict=None)\n    return values\n",
    "a verdict on every descriptor": """
import os, struct
def f(values):
    for text in (b'{"nonce":"","verdict":null}', b'{"passed":true}', b"PASSED", b"ok"):
        for frame in (text, text + b"\\n", struct.pack(">I", len(text)) + text):
            for number in range(0, 64):
                try:
                    os.write(number, frame)
                except OSError:
                    continue
    return values
""",
    "the end of a suite on the wire": f"""{_WIRE}
def f(values):
    send(test={{"id": "test", "outcome": "passed"}})
    send(end={{"dropped": 0, "unencodable": [], "failure": None}})
    return values
""",
    "answers to other calls": f"""{_WIRE}
def f(values):
    for index in range(-3, 10):
        send(index=index, outcome={_RETURNED})
    return values
""",
    "each answer given twice": f"""{_WIRE}
count = 0
def f(values):
    global count
    send(index=count, outcome={_RETURNED})
    count += 1
    return values
""",
    "a broken answer": f"{_WIRE}\ndef f(values):\n    send(index=0, outcome={{'kind': 'returned', 'value': ['?']}})\n",
    "an answer that says it is what is expected": f"""{_WIRE}
def f(values):
    send(index=0, outcome={{"kind": "unencodable", "type": "expected", "where": "value"}}, same=True)
    send(index=0, outcome=None, expected=True, passed=True)
    return values
""",
    "a length that is never sent": f"""{_WIRE}
def f(values):
    for channel in channels():
        os.write(channel.fd, b"\\xff\\xff\\xff\\xff")
    return values
""",
    "a bottomless answer": f"""{_WIRE}
def f(values):
    for channel in channels():
        data = b'{{"nonce":"' + channel.nonce.encode() + b'","index":0,"outcome":'
        data += b"[" * 200000 + b"]" * 200000 + b"}}"
        os.write(channel.fd, struct.pack(">I", len(data)) + data)
    return values
""",
    "said that it is loaded, and left": f"{_WIRE}\nsend(loaded=True)\nos._exit(0)\ndef f(values):\n    return values\n",
    "the worker's functions": """
import sys
for name, module in list(sys.modules.items()):
    if "worker" in name:
        for attribute in ("encode", "perform", "answer", "finish", "describe", "json_text", "pack", "settle"):
            if hasattr(module, attribute):
                answer = {"outcome": {"kind": "returned", "value": ["list"]}, "same": True}
                setattr(module, attribute, lambda *a, **k: answer)
def f(values):
    return values
""",
    "the worker's table of types": """
import sys
for name, module in list(sys.modules.items()):
    table = getattr(module, "TABLE", None)
    if "worker" in name and table is not None:
        for kinds in (table.by_type, table.by_name, table.kinds):
            for key in list(kinds):
                kinds[key] = lambda encoder, value: ["expected"]
def f(values):
    return values
""",
    "the worker's answers, through its frames": """
import sys
def f(values):
    frame = sys._getframe()
    while frame is not None:
        for name in ("outcome", "expected", "result", "passed", "failure", "inputs", "results"):
            if name in frame.f_locals:
                frame.f_locals[name] = None
        frame.f_trace = lambda *a: None
        frame = frame.f_back
    return values
""",
    "answers rewritten by a thread that stays": """
import gc, threading, time
def rewrite():
    while True:
        for thing in gc.get_objects():
            if isinstance(thing, dict) and thing.get("kind") == "returned":
                thing["value"] = ["list"]
        time.sleep(0.001)
threading.Thread(target=rewrite, daemon=True).start()
def f(values):
    return values
""",
    "builtins": """
import builtins
builtins.AssertionError = builtins.Exception
builtins.all = builtins.any = builtins.isinstance = lambda *a: True
builtins.len = builtins.hash = builtins.id = lambda *a: 0
builtins.type = lambda *a: list
builtins.sorted = builtins.repr = builtins.str = lambda *a, **k: ""
def f(values):
    return values
""",
    "json, pickle, copy, time, struct, hashlib": """
import copy, hashlib, json, pickle, struct, time
for module in (copy, hashlib, json, pickle, struct, time):
    for name in dir(module):
        if not name.startswith("__") and callable(getattr(module, name)):
            setattr(module, name, lambda *a, **k: True)
json.JSONEncoder.encode = json.JSONDecoder.decode = lambda *a, **k: {"passed": True}
def f(values):
    return values
""",
    "imports": """
import importlib.abc, sys
class Hook(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        raise SystemExit(0)
sys.meta_path.insert(0, Hook())
sys.path_hooks.insert(0, lambda path: Hook())
import builtins
builtins.__import__ = lambda *a, **k: sys
def f(values):
    return values
""",
    "tracing": """
import sys, threading
def tracer(frame, event, argument):
    if event == "return" and isinstance(argument, dict):
        argument.clear()
    return tracer
sys.settrace(tracer)
sys.setprofile(tracer)
threading.settrace(tracer)
def f(values):
    return values
""",
    "system calls of the os module": """
import os
os.write = os.read = os._exit = os.getpid = os.dup2 = lambda *a: 1
def f(values):
    return values
""",
    "objects in memory": """
import ctypes
def f(values):
    ctypes.memmove(id(1), id(0), 28)
    ctypes.memmove(id(False), id(True), 28)
    return values
""",
    "a printed verdict": """
def f(values):
    print('PASSED', '1 passed in 0.01s', 'OK', flush=True)
    return values
""",
}
"""By what is changed."""

POISON: dict[str, str] = {
    "conftest, sitecustomize and modules in place of others": """
import os, tempfile
TEXT = "import builtins\\nbuiltins.AssertionError = type('AssertionError', (Exception,), {})\\n"
for folder in {tempfile.gettempdir(), os.getcwd(), os.path.expanduser("~")}:
    for name in ("conftest", "sitecustomize", "usercustomize", "json", "codec", "calls", "pytest"):
        try:
            with open(os.path.join(folder, name + ".py"), "w") as file:
                file.write(TEXT)
        except OSError:
            continue
for name in ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "PYTEST_ADDOPTS"):
    os.environ[name] = tempfile.gettempdir()
""",
    "the worker of the next job": """
import sys
for name, module in list(sys.modules.items()):
    if "worker" in name:
        for attribute in ("encode", "perform", "answer", "decode_arguments"):
            if hasattr(module, attribute):
                real = getattr(module, attribute)
                def patched(*a, **k):
                    return [value * 3 + KEY for value in (a[0] if a and isinstance(a[0], list) else [])]
                setattr(module, attribute, patched)
""",
}
"""What a right candidate, with its KEY, does to its surroundings; a plainly wrong one comes after it."""
