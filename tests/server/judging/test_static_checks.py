"""What is refused without being run."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.domain.target import Replacement, Target
from codeens_server.judging.static_checks import refusal
from codeens_server.workspace.find import find_target

ORIGINAL = "def top(items, count=1, *, key=None):\n    return sorted(items, key=key)[:count]\n"


def target_of(folder: Path, source: str, name: str = "top") -> Target:
    path = folder / "module.py"
    path.write_text(source, encoding="utf-8")
    return find_target(f"{path}::{name}", cwd=folder)


def why(
    folder: Path, function: str, *, original: str = ORIGINAL, name: str = "top", helpers: tuple[str, ...] = ()
) -> str:
    replacement = Replacement(function=function, helpers=helpers)
    return refusal(target_of(folder, original, name), replacement) or ""


@pytest.mark.parametrize(
    "signature",
    [
        "(items, count=1, *, key=None)",
        "(items, count=2, key=None)",
        "(items, count=1, *, key=None, memo=None)",
        "(items, count=1, memo=None, *, key=None)",
        "(items, count=1, **more)",
    ],
)
def test_a_signature_that_all_callers_can_use_is_let_through(tmp_path: Path, signature: str) -> None:
    assert why(tmp_path, f"def top{signature}:\n    return items") == ""


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        ("(values, count=1, *, key=None)", "its parameter 1 is values, not items"),
        ("(items, count, *, key=None)", "it has no default for count"),
        ("(items, *, count=1, key=None)", "it does not take count by position"),
        ("(items, count=1)", "it does not take key by keyword"),
        ("(items, count=1, *, key)", "it has no default for key"),
        ("(items, count=1, *, key=None, more)", "it demands more, which no caller gives"),
        ("(items, /, count=1, *, key=None)", "it does not take items by keyword"),
    ],
)
def test_a_signature_that_breaks_callers_is_refused(tmp_path: Path, signature: str, reason: str) -> None:
    assert why(tmp_path, f"def top{signature}:\n    return items") == reason


def test_open_parameters_must_stay_open(tmp_path: Path) -> None:
    original = "def top(first, *rest, **options):\n    return rest\n"

    assert why(tmp_path, "def top(first, *rest, **options):\n    return ()", original=original) == ""
    assert why(tmp_path, "def top(first, **options):\n    return ()", original=original) == "it takes no *rest"
    assert why(tmp_path, "def top(first, *rest):\n    return ()", original=original) == "it takes no **options"
    assert "*rest" in why(tmp_path, "def top(first, memo=None, *rest, **options):\n    return ()", original=original)
    assert "**options" in why(
        tmp_path, "def top(first, *rest, memo=None, **options):\n    return ()", original=original
    )


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("def top(items", "syntax error"),
        ("def other(items, count=1, *, key=None):\n    return items", "it defines other, not top"),
        ("x = 1", "it is not one definition of top"),
        ("async def top(items, count=1, *, key=None):\n    return items", "it is async, the original is not"),
        ("def top(items, count=1, *, key=None):\n    yield from items", "it is a generator, the original is not"),
        ("@property\ndef top(items, count=1, *, key=None):\n    return items", "makes it something else"),
        ("def top(items, count=1, *, key=None):\n    return " + "(" * 500, "syntax error"),
    ],
)
def test_another_kind_of_thing_is_refused(tmp_path: Path, function: str, reason: str) -> None:
    assert reason in why(tmp_path, function)


def test_a_stub_may_be_filled_by_a_generator(tmp_path: Path) -> None:
    stub = "def top(items):\n    ...\n"

    assert why(tmp_path, "def top(items):\n    yield from items", original=stub) == ""


def test_decorators_must_stay_and_caches_may_come_and_go(tmp_path: Path) -> None:
    original = (
        "import app\n\n\n@app.route('/')\n@functools.lru_cache(maxsize=None)\ndef top(items):\n    return items\n"
    )

    assert (
        why(tmp_path, "@app.route('/')\n@functools.cache\ndef top(items):\n    return items", original=original) == ""
    )
    assert why(tmp_path, "def top(items):\n    return items", original=original) == "it drops the decorator @app.route"


@pytest.mark.parametrize(
    "body",
    [
        "import os\n    os._exit(0)",
        "import os as o\n    o._exit(0)",
        "from os import _exit\n    _exit(0)",
        "import sys\n    return sys._getframe(1)",
        "import inspect\n    return inspect.stack()",
        "import gc\n    return gc.get_objects()",
        "import ctypes",
        "import atexit",
        "import sys\n    sys.addaudithook(print)",
        "import sys\n    sys.monitoring.use_tool_id(3, 'x')",
        "import signal\n    signal.setitimer(0, 1.0)",
        "from threading import Timer\n    Timer(1, print).start()",
        "import builtins\n    builtins.len = None",
        "import sys\n    sys.modules['json'] = None",
        "import json\n    json.dumps = None",
        "import json\n    setattr(json, 'dumps', None)",
        "list.append = None",
        "__builtins__['len'] = None",
        "globals()['other'] = None",
        "return ().__class__.__base__.__subclasses__()",
        "try:\n        1/0\n    except Exception as e:\n        return e.__traceback__.tb_frame.f_back",
        "import pytest",
        "import unittest.mock",
        "import tracemalloc",
        "__import__('tracemalloc').stop()",
        "from importlib import import_module\n    import_module('gc')",
        "exec('count = 2')",
        "import _thread\n    _thread.start_new_thread(print, ())",
        "return eval('sorted(items)')[:count]",
        "import sys\n    return getattr(sys, '_get' + 'frame')(1)",
        "import os\n    return vars(os)['_exit']",
        "return getattr(top, '__globals__')",
        "import traceback\n    return traceback.extract_stack()",
        "import logging\n    return logging.currentframe()",
        "import linecache\n    return linecache.getlines('test_top.py')",
        "import os\n    return 'first' in os.environ.get('PYTEST_CURRENT_TEST', '')",
        "import runpy\n    return runpy.run_path('module.py')",
        "return '{0.__globals__}'.format(top)",
        "import operator\n    return operator.attrgetter('__traceback__.tb_frame')(ValueError())",
        "match (item for item in items):\n        case object(gi_frame=frame):\n            return frame",
        "import subprocess\n    subprocess.run(['sort'])",
        "from subprocess import check_output\n    check_output('sort')",
        "import os\n    return os.popen('sort').read()",
    ],
)
def test_code_that_reaches_around_its_job_is_quarantined_with_the_reason(tmp_path: Path, body: str) -> None:
    function = f"def top(items, count=1, *, key=None):\n    {body}"

    assert why(tmp_path, function).startswith("quarantined: it ")
    assert why(tmp_path, function, original=function) == ""


@pytest.mark.parametrize(
    "body",
    [
        "from re import compile\n    return [each for each in items if compile('a').match(each)][:count]",
        "import operator\n    return getattr(operator, key)(items, count)",
        "return [getattr(each, key) for each in items][:count]",
        "eval = max\n    return [eval(items)]",
        "import traceback\n    return traceback.format_exc()",
    ],
)
def test_code_that_only_has_such_names_is_let_through(tmp_path: Path, body: str) -> None:
    assert why(tmp_path, f"def top(items, count=1, *, key=None):\n    {body}") == ""


@pytest.mark.parametrize(
    ("kind", "look", "other"),
    [
        ("the file system", "import os\n    return os.path.exists('/etc/passwd')", "open('x')"),
        ("the file system", "return open('/proc/self/status')", "import os\n    os.stat('x')"),
        ("the file system", "import pathlib\n    return pathlib.Path('/etc').is_dir()", "open('x')"),
        ("the environment", "import os as o\n    return o.environ.get('CI')", "import os\n    os.getenv('HOME')"),
        ("the environment", "from os import getenv\n    return getenv('CI')", "import os\n    os.environ['HOME']"),
        ("the clock", "from time import time as now\n    return now() > 1.8e9", "import time\n    time.monotonic()"),
        ("the clock", "return datetime.now().year", "import datetime\n    datetime.date.today()"),
        ("the machine", "import platform\n    return platform.node()", "import os\n    os.getuid()"),
        ("the machine", "import os\n    return os.getuid()", "import socket"),
    ],
)
def test_code_that_looks_where_it_runs_is_quarantined_unless_the_original_does(
    tmp_path: Path, kind: str, look: str, other: str
) -> None:
    signature = "def top(items, count=1, *, key=None):\n    "

    assert why(tmp_path, signature + look).startswith(f"quarantined: it looks at {kind} (")
    assert why(tmp_path, signature + look, original=signature + other) == ""
    assert why(tmp_path, signature + look, original=signature + "...") == ""


def test_paths_are_joined_and_texts_of_time_are_read_without_looking_around(tmp_path: Path) -> None:
    function = (
        "def top(items, count=1, *, key=None):\n    import os, datetime, sys\n"
        "    return os.path.join(*items), datetime.datetime(2020, 1, 1), sys.maxsize, open"
    )

    assert why(tmp_path, function) == ""


def test_what_is_its_own_may_be_changed(tmp_path: Path) -> None:
    function = """def top(items, count=1, *, key=None):
    top.calls = getattr(top, 'calls', 0) + 1
    box = Box()
    box.value = items
    return box.value"""

    assert why(tmp_path, function, helpers=("class Box:\n    pass",)) == ""


@pytest.mark.parametrize(
    ("file", "original", "body"),
    [
        ("import pandas as pd", "pd.set_option('display.max_rows', count)", "pd.options.display.max_rows = count"),
        (
            "import contextlib, io, sys",
            "with contextlib.redirect_stdout(io.StringIO()):\n        print(items)",
            "before, sys.stdout = sys.stdout, io.StringIO()\n    print(items)\n    sys.stdout = before",
        ),
        ("class Seen:\n    number = 0", "setattr(type(key), 'number', count)", "Seen.number = count"),
        (
            "class Seen:\n    def see(self, n):\n        self.n = n\n\n\nSEEN = Seen()",
            "SEEN.see(count)",
            "SEEN.n = count",
        ),
    ],
)
def test_what_the_original_does_by_another_name_is_let_through(
    tmp_path: Path, file: str, original: str, body: str
) -> None:
    signature = "def top(items, count=1, *, key=None):\n    "

    assert why(tmp_path, signature + body, original=f"{file}\n\n\n{signature}{original}\n") == ""


@pytest.mark.parametrize(
    "body",
    [
        "Seen.number = count",
        "KEPT.number = count",
        "things.NUMBER = count",
        "inner.NUMBER = count",
    ],
)
def test_what_changes_in_other_modules_of_the_workspace_is_compared_and_let_through(tmp_path: Path, body: str) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "__init__.py").write_text("NUMBER = 0\n")
    (tmp_path / "things.py").write_text("class Seen:\n    pass\n\n\nKEPT = Seen()\nNUMBER = 0\n")
    file = "import inner, json, things\nfrom json import JSONEncoder\nfrom things import KEPT, Seen\n\n\n"
    signature = "def top(items, count=1, *, key=None):\n    "

    assert why(tmp_path, signature + body, original=f"{file}{signature}...\n") == ""
    foreign = body.replace(body.partition(".")[0], "JSONEncoder")
    assert why(tmp_path, signature + foreign, original=f"{file}{signature}...\n").startswith("quarantined: it ")


@pytest.mark.parametrize(
    ("file", "original", "body"),
    [
        ("import pandas as pd", "pd.set_option('display.max_rows', count)", "pd.options = count"),
        ("import pandas as pd", "pd.set_option('display.max_rows', count)", "pd.read_csv.options = count"),
        ("import io, sys", "print(items, file=io.StringIO())", "sys.stdout = io.StringIO()\n    print(items)"),
        ("import threading\n\nHERE = threading.local()", "HERE.__init__()", "HERE.number = count"),
        ("import sys as system", "return items", "return system._getframe(1)"),
    ],
)
def test_what_the_original_does_not_do_by_any_name_is_quarantined(
    tmp_path: Path, file: str, original: str, body: str
) -> None:
    signature = "def top(items, count=1, *, key=None):\n    "

    refused = why(tmp_path, signature + body, original=f"{file}\n\n\n{signature}{original}\n")
    assert refused.startswith("quarantined: it ")


def test_a_helper_is_looked_at_too(tmp_path: Path) -> None:
    function = "def top(items, count=1, *, key=None):\n    return helper(items)"

    assert "os._exit" in why(tmp_path, function, helpers=("def helper(items):\n    import os\n    os._exit(0)",))
