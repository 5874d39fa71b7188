"""Functions that allocate as much as the original, and keep it from being seen."""

from __future__ import annotations

ORIGINAL = "def f(n):\n    return len(bytearray(n))\n"
LEAN = "def f(n):\n    return n\n"

ALLOCATIONS: dict[str, str] = {
    "traces are cleared": "import tracemalloc\ndef f(n):\n    n = len(bytearray(n))\n    tracemalloc.clear_traces()\n"
    "    return n\n",
    "the peak is reset": "import tracemalloc\ndef f(n):\n    n = len(bytearray(n))\n    tracemalloc.reset_peak()\n"
    "    return n\n",
    "tracing is stopped": "import tracemalloc\ndef f(n):\n    tracemalloc.stop()\n    return len(bytearray(n))\n",
    "tracing is stopped behind the watch's back": "import sys\ndef f(n):\n    sys.modules.pop('_tracemalloc', None)\n"
    "    import _tracemalloc\n    _tracemalloc.stop()\n    return len(bytearray(n))\n",
    "it does nothing while it is traced": "import tracemalloc, sys\ndef f(n):\n"
    "    watched = tracemalloc.is_tracing() or any('Watch' in type(o).__name__ for o in map(\n"
    "        lambda d: sys._getframe(d).f_locals.get('self'), range(1, 3)))\n"
    "    return 0 if watched else len(bytearray(n))\n",
    "memory that is not Python's": "import mmap\ndef f(n):\n    with mmap.mmap(-1, n) as held:\n"
    "        for place in range(0, n, 4096):\n            held[place] = 1\n        return len(held)\n",
}
