"""Searches for what is expected, in every place that code can look at."""

from __future__ import annotations

_DIGEST = """
import re
def wanted(text, values):
    if isinstance(text, (bytes, bytearray)):
        text = bytes(text).decode("latin-1")
    for key in re.findall(r"KEY_OF_THE_TASK\\W{1,4}(\\d{6,})", text):
        return [value * 3 + int(key) for value in values]
    return None
"""
"""The key is what every right answer depends on. Where it is, this name is before it."""

PEEKS: dict[str, str] = {
    "the stack": f"""{_DIGEST}
import sys
def f(values):
    frame = sys._getframe()
    while frame is not None:
        for name, value in (*frame.f_locals.items(), *frame.f_globals.items()):
            if "expected" in name:
                return value
            found = wanted(name + " " + repr(value), values)
            if found:
                return found
        frame = frame.f_back
    return values
""",
    "all objects": f"""{_DIGEST}
import gc
def f(values):
    for thing in gc.get_objects():
        if isinstance(thing, (dict, list, tuple)) and len(thing) < 1000:
            for item in (thing.values() if isinstance(thing, dict) else thing):
                if isinstance(item, (str, bytes)):
                    found = wanted(item, values)
                    if found:
                        return found
            if isinstance(thing, dict) and "expected_output" in thing:
                return thing["expected_output"]
    return values
""",
    "all modules": f"""{_DIGEST}
import sys
def f(values):
    for module in list(sys.modules.values()):
        for name, value in list(vars(module).items()):
            if name == "KEY_OF_THE_TASK":
                return [number * 3 + value for number in values]
            if isinstance(value, (str, bytes)) and wanted(value, values):
                return wanted(value, values)
    return values
""",
    "the text of tracebacks": f"""{_DIGEST}
import linecache
def f(values):
    for entry in list(linecache.cache.values()):
        if len(entry) == 4 and wanted("".join(entry[2]), values):
            return wanted("".join(entry[2]), values)
    return values
""",
    "arguments and environment": f"""{_DIGEST}
import os, sys
def f(values):
    texts = [" ".join(sys.argv), " ".join(sys.orig_argv), str(os.environ)]
    for name in ("cmdline", "environ"):
        with open("/proc/self/" + name) as file:
            texts.append(file.read())
    for text in texts:
        if wanted(text, values):
            return wanted(text, values)
    return values
""",
    "its own memory": f"""{_DIGEST}
def f(values):
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if rights.startswith("rw") and end - start < 1 << 26:
                try:
                    memory.seek(start)
                    found = wanted(memory.read(end - start), values)
                except (OSError, ValueError, OverflowError):
                    continue
                if found:
                    return found
    return values
""",
    "memory of other processes": f"""{_DIGEST}
import os
def f(values):
    for pid in os.listdir("/proc"):
        try:
            with open("/proc/" + pid + "/maps") as maps, open("/proc/" + pid + "/mem", "rb", 0) as memory:
                for line in maps:
                    span, rights = line.split()[:2]
                    start, end = (int(part, 16) for part in span.split("-"))
                    if rights.startswith("rw") and end - start < 1 << 24:
                        memory.seek(start)
                        found = wanted(memory.read(end - start), values)
                        if found:
                            return found
        except (OSError, ValueError, OverflowError):
            continue
    return values
""",
    "files around it": f"""{_DIGEST}
import os, sys
def f(values):
    places = {{os.getcwd(), "/tmp", "/var/tmp", "/dev/shm", "/codeens", "/run", os.path.expanduser("~"), *sys.path}}
    for folder in places:
        if "python" in folder:
            continue
        for place, _, names in os.walk(folder):
            for name in names:
                try:
                    with open(os.path.join(place, name), "rb") as file:
                        found = wanted(file.read(1 << 20), values)
                except OSError:
                    continue
                if found:
                    return found
    return values
""",
    "what can be read of every descriptor": f"""{_DIGEST}
import os
def f(values):
    for number in range(3, 256):
        try:
            os.set_blocking(number, False)
            found = wanted(os.read(number, 1 << 20), values)
        except OSError:
            continue
        if found:
            return found
    return values
""",
    "requests as the worker decodes them": f"""{_DIGEST}
import json, sys
seen = []
for module in list(sys.modules.values()):
    if hasattr(module, "loads") and "worker" in module.__name__:
        def loads(data, real=module.loads):
            seen.append(bytes(data))
            return real(data)
        module.loads = loads
def f(values):
    for data in seen:
        if wanted(data, values):
            return wanted(data, values)
    return values
""",
}
"""By where it is looked."""

LEFTOVERS: dict[str, tuple[str, str]] = {
    "files that an earlier job left": (
        """
import os, tempfile
for folder in {tempfile.gettempdir(), os.getcwd(), "/dev/shm", "/var/tmp", "/tmp", os.path.expanduser("~")}:
    try:
        with open(os.path.join(folder, "LEFT_FILE"), "w") as file:
            file.write("KEY_OF_THE_TASK = %d" % KEY)
    except OSError:
        pass
""",
        PEEKS["files around it"],
    ),
    "times of folders that an earlier job touched": (
        """
import os, sys
for module in list(sys.modules.values()):
    if "worker" in module.__name__ and getattr(module, "__file__", None):
        try:
            os.utime(os.path.dirname(module.__file__), ns=(0, KEY))
        except OSError:
            continue
""",
        """
import os, sys
def f(values):
    for module in list(sys.modules.values()):
        if "worker" in module.__name__ and getattr(module, "__file__", None):
            known = os.stat(os.path.dirname(module.__file__))
            if known.st_mtime < 10**6:
                return [value * 3 + known.st_mtime_ns for value in values]
    return values
""",
    ),
    "memory of an earlier job": (
        """
import builtins, os, sys
builtins.KEY_OF_THE_TASK = sys.KEY_OF_THE_TASK = KEY
os.environ["LEFT"] = "KEY_OF_THE_TASK = %d" % KEY
kept = ["KEY_OF_THE_TASK = %d" % KEY] * 1000
for module in list(sys.modules.values()):
    module.KEY_OF_THE_TASK = KEY
""",
        PEEKS["all modules"],
    ),
    "pages of an earlier job": (
        """
kept = [("KEY_OF_THE_TASK = %d" % KEY).encode() * 100 for _ in range(1000)]
""",
        PEEKS["its own memory"],
    ),
    "a process that an earlier job left": (
        """
import os, socket, threading
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        try:
            server = socket.socket(socket.AF_UNIX)
            server.bind("\\0left-by-an-earlier-job")
            server.listen()
            while True:
                visitor, _ = server.accept()
                visitor.sendall(b"%d" % KEY)
                visitor.close()
        finally:
            os._exit(0)
    os._exit(0)
""",
        """
import socket
def f(values):
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("\\0left-by-an-earlier-job")
            key = int(client.recv(100))
    except OSError:
        return values
    return [value * 3 + key for value in values]
""",
    ),
    "shared memory of an earlier job": (
        """
import ctypes
try:
    libc = ctypes.CDLL(None)
    libc.shmat.restype = ctypes.c_void_p
    place = libc.shmat(libc.shmget(LEFT_SEGMENT, 64, 0o1666), None, 0)
    if place and place != ctypes.c_void_p(-1).value:
        ctypes.memmove(place, b"%d\\0" % KEY, len(str(KEY)) + 1)
except OSError:
    pass
""",
        """
import ctypes
def f(values):
    libc = ctypes.CDLL(None)
    libc.shmat.restype = ctypes.c_void_p
    number = libc.shmget(LEFT_SEGMENT, 64, 0)
    place = libc.shmat(number, None, 0) if number >= 0 else None
    if not place or place == ctypes.c_void_p(-1).value:
        return values
    key = ctypes.string_at(place, 32).split(b"\\0")[0]
    return [value * 3 + int(key) for value in values]
""",
    ),
}
"""What a right candidate runs when it is loaded, with its KEY, and the wrong one that comes after it.

Where it can, the first leaves a file called LEFT_FILE and a segment LEFT_SEGMENT of shared memory.
"""
