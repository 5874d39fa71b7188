"""Ways to end, or to be somewhere else, before anybody can say that it was wrong."""

from __future__ import annotations

EXITS: dict[str, str] = {
    "exit in the function": "import sys\ndef f(values):\n    sys.exit(0)\n",
    "exit when loaded": "import sys\nsys.exit(0)\ndef f(values):\n    return values\n",
    "hard exit in the function": "import os\ndef f(values):\n    os._exit(0)\n",
    "hard exit when loaded": "import os\nos._exit(0)\ndef f(values):\n    return values\n",
    "hard exit at the end": "import atexit, os\natexit.register(os._exit, 0)\ndef f(values):\n    return values\n",
    "hard exit by a thread": """
import os, threading, time
def leave():
    time.sleep(0.01)
    os._exit(0)
def f(values):
    threading.Thread(target=leave, daemon=True).start()
    return values
""",
    "hard exit in a destructor": """
import os
class Bomb:
    def __del__(self):
        os._exit(0)
def f(values):
    Bomb()
    return values
""",
    "another program in its place": "import os\ndef f(values):\n    os.execv('/bin/true', ['true'])\n",
    "its process forked, both answer": "import os\ndef f(values):\n    os.fork()\n    return values\n",
    "a child answers, the parent leaves": """
import os
def f(values):
    if os.fork():
        os._exit(0)
    return values
""",
    "every descriptor closed": "import os\ndef f(values):\n    os.closerange(0, 256)\n    return values\n",
    "all of its group killed": "import os, signal\ndef f(values):\n    os.kill(0, signal.SIGKILL)\n",
    "endless waiting": "import time\ndef f(values):\n    time.sleep(3600)\n",
    "an interrupt": "def f(values):\n    raise KeyboardInterrupt\n",
}
"""By what is tried."""
