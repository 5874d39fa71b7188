"""What a function prints, logs and warns of."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import Try, labels, verdicts_of

MODULE = """
import json
import logging
import os
import subprocess
import sys
import traceback
import warnings

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


def tell(names):
    for name in names:
        print("*", name)


def complain(name):
    print(name, file=sys.stderr)


def write_past(text):
    print("a")
    os.write(1, text.encode())
    print("b", flush=True)


def ask_echo(text):
    return subprocess.run(["echo", text], check=True).returncode


def divide(number):
    try:
        return 10 // number
    except ZeroDivisionError:
        log.exception("no division")
        traceback.print_exc()
        return None


def failure_of(text, folder):
    try:
        return json.loads(text)
    except ValueError:
        log.error("not read: %s", traceback.format_exc())
        with open(f"{folder}/codeens-failures.txt", "a") as file:
            traceback.print_exc(file=file)
        return traceback.format_exc()


def steps_to(text):
    try:
        return int(text)
    except ValueError:
        return traceback.format_exception(*sys.exc_info())


def lines_of(text):
    try:
        return [str(int(text))]
    except ValueError:
        return traceback.format_exc().splitlines()


def of_whom(name):
    log.info("seen", extra={"user": name})


def shares(parts, whole):
    import numpy

    return [float(numpy.float64(part) / numpy.float64(whole)) for part in parts]


def spread(parts):
    import numpy

    width = float(numpy.std(parts))
    return [float(numpy.mean(parts)), width]


def report(name):
    log.warning("bad %s", name)
    warnings.warn(f"old {name}", DeprecationWarning, stacklevel=2)
"""


def _failure_of(body: str) -> str:
    return (
        f"def failure_of(text, folder):\n    try:\n        {body}\n    except ValueError as error:\n"
        f"        log.error('not read: ' + traceback.format_exc())\n"
        "        with open(folder + '/codeens-failures.txt', 'a') as file:\n"
        "            file.write(traceback.format_exc())\n        return traceback.format_exc()"
    )


TRIES = [
    Try(
        "tell",
        [([],), (["a", "b"],)],
        {
            ("prints the same otherwise", True): "def tell(names):\n    for n in names:\n        print(f'* {n}')",
            ("prints nothing", False): "def tell(names):\n    pass",
            ("prints to stderr", False): "def tell(names):\n    for n in names:\n"
            "        print('*', n, file=sys.stderr)",
        },
    ),
    Try(
        "complain",
        [("a",), ("",)],
        {
            ("writes the same", True): "def complain(name):\n    sys.stderr.write(name + '\\n')",
            ("says nothing", False): "def complain(name):\n    pass",
        },
    ),
    Try(
        "write_past",
        [("x",), ("",)],
        {
            ("prints the same", True): "def write_past(text):\n    sys.stdout.flush()\n    os.write(1, text.encode())\n"
            "    print('a')\n    print('b')",
            ("does not write it", False): "def write_past(text):\n    print('a')\n    print('b')",
            ("to the other descriptor", False): "def write_past(text):\n    print('a')\n"
            "    os.write(2, text.encode())\n    print('b', flush=True)",
        },
    ),
    Try(
        "ask_echo",
        [("x",)],
        {
            ("another program, same text", True): "def ask_echo(text):\n"
            "    return subprocess.call(['printf', '%s\\n', text])",
            ("says nothing", False): "def ask_echo(text):\n    return subprocess.call(['true'])",
        },
    ),
    Try(
        "divide",
        [(0,), (2,)],
        {
            ("from another line", True): "def divide(number):\n    quotient = None\n    try:\n"
            "        quotient = 10 // number\n    except ZeroDivisionError:\n        log.exception('no division')\n"
            "        traceback.print_exc()\n    return quotient",
            ("without the exception", False): "def divide(number):\n    try:\n        return 10 // number\n"
            "    except ZeroDivisionError:\n        log.error('no division')\n        traceback.print_exc()",
            ("another exception", False): "def divide(number):\n    try:\n        if not number:\n"
            "            raise KeyError\n        return 10 // number\n    except KeyError:\n"
            "        log.exception('no division')\n        traceback.print_exc()",
        },
    ),
    Try(
        "failure_of",
        [("[1]", "/tmp"), ("{", "/tmp"), ("", "/tmp")],
        {
            ("from another line", True): _failure_of("read = json.loads\n        return read(text)"),
            ("by another way", True): _failure_of("return json.JSONDecoder().decode(text)"),
            ("another exception", False): _failure_of("return json.loads(text) if text else int(text)"),
            ("another message", False): _failure_of("return json.loads(text or '[[')"),
        },
    ),
    Try(
        "steps_to",
        [("1",), ("a",)],
        {
            (
                "from another line",
                True,
            ): "def steps_to(text):\n    number = None\n    try:\n        number = int(text)\n"
            "    except ValueError as error:\n        return traceback.format_exception(error)\n    return number",
            ("the last alone", False): "def steps_to(text):\n    try:\n        return int(text)\n"
            "    except ValueError:\n        return traceback.format_exception_only(*sys.exc_info()[:2])",
        },
    ),
    Try(
        "lines_of",
        [("1",), ("a",)],
        {
            ("from another line", True): "def lines_of(text):\n    number = None\n    try:\n"
            "        number = int(text)\n    except ValueError as error:\n"
            "        return traceback.format_exc().split('\\n')[:-1]\n    return [f'{number}']",
            ("without the place", False): "def lines_of(text):\n    try:\n        return [str(int(text))]\n"
            "    except ValueError:\n        return traceback.format_exc().splitlines()[::3]",
        },
    ),
    Try(
        "of_whom",
        [("a",)],
        {
            ("adds the same", True): "def of_whom(name):\n    more = dict(user=name)\n    log.info('seen', extra=more)",
            ("adds nothing", False): "def of_whom(name):\n    log.info('seen')",
        },
    ),
    Try(
        "shares",
        [([1.0, 2.0], 0.0), ([1.0], 2.0)],
        {
            ("all at once", True): "def shares(parts, whole):\n    import numpy\n"
            "    return (numpy.array(parts) / numpy.float64(whole)).tolist()",
            ("without a warning", False): "def shares(parts, whole):\n"
            "    return [part / whole if whole else float('inf') for part in parts]",
        },
    ),
    Try(
        "spread",
        [([1.0, 2.0],), ([],)],
        {
            ("in another order", True): "def spread(parts):\n    import numpy\n"
            "    return [float(numpy.mean(parts)), float(numpy.std(parts))]",
            ("by another operation", True): "def spread(parts):\n    import numpy\n    array = numpy.array(parts)\n"
            "    return [float(array.sum() / array.size), float(numpy.std(parts))]",
            ("without a warning", False): "def spread(parts):\n    import numpy\n"
            "    return [float(numpy.mean(parts)), float(numpy.std(parts))] if parts else [float('nan')] * 2",
        },
    ),
    Try(
        "report",
        [("a",)],
        {
            ("same message otherwise made", True): "def report(name):\n    log.warning(f'bad {name}')\n"
            "    warnings.warn('old ' + name, DeprecationWarning, stacklevel=2)",
            ("said of itself", False): "def report(name):\n    log.warning('bad %s', name)\n"
            "    warnings.warn(f'old {name}', DeprecationWarning)",
            ("another level", False): "def report(name):\n    log.error('bad %s', name)\n"
            "    warnings.warn(f'old {name}', DeprecationWarning, stacklevel=2)",
            ("no warning", False): "def report(name):\n    log.warning('bad %s', name)",
        },
    ),
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    folder: Path = tmp_path_factory.mktemp("effects")
    return verdicts_of(folder, MODULE, TRIES)


@pytest.mark.parametrize(("name", "candidate", "right"), labels(TRIES))
def test_a_candidate_passes_only_if_it_says_the_same(
    verdicts: dict[str, dict[str, Verdict]], name: str, candidate: str, right: bool
) -> None:
    verdict = verdicts[name][candidate]
    assert (verdict.status == "passed") is right, (verdict.reason, verdict.failure)
