"""Types are learned by one thread at a time: what msgspec does not bear, a process dies of."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from codeens_sandbox_backends.programs import Returned
from codeens_sandbox_backends.reading import converted, decoded

_THREADS = """
import sys, threading, types
from codeens_sandbox_backends.reading import converted, decoded

SOURCE = '''
from __future__ import annotations
import msgspec

class A(msgspec.Struct, tag="a"):
    x: int
    many: list[B] = []
    c: C | None = None

class B(msgspec.Struct, tag="b"):
    y: str
    other: A | C | None = None

class C(msgspec.Struct, tag="c"):
    z: float
    by_name: dict[str, A] = {}
'''
sys.setswitchinterval(1e-6)
for number in range(40):
    module = types.ModuleType(f"module_{number}")
    sys.modules[module.__name__] = module
    exec(SOURCE, vars(module))
    begun = threading.Barrier(4)

    def read(kind):
        begun.wait()
        assert decoded(b'{"type": "a", "x": 1, "many": [{"type": "b", "y": "s"}]}', kind).many[0].y == "s"
        assert converted({"type": "a", "x": 2}, kind).x == 2

    kinds = (module.A, module.A | module.B, module.A | module.B | module.C, module.A)
    threads = [threading.Thread(target=read, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("done")
"""


def test_threads_that_read_a_type_for_the_first_time_at_once_do_not_end_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", _THREADS], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


def test_what_is_not_of_the_type_is_refused() -> None:
    assert decoded('{"kind": "returned", "value": 1}', Returned) == converted(
        {"kind": "returned", "value": 1}, Returned
    )
    for read in (lambda: decoded(b'{"kind": "raised"}', Returned), lambda: converted(3, Returned)):
        with pytest.raises(msgspec.ValidationError):
            read()
