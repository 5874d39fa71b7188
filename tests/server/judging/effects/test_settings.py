"""Settings of the process that a call changes: every later caller has them."""

from __future__ import annotations

import pytest

from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import labels, tries_of, verdicts_of

MODULE = """
import atexit
import calendar
import csv
import decimal
import faulthandler
import gc
import io
import json
import logging
import os
import random
import signal
import socket
import sys
import threading
import time
import warnings

log = logging.getLogger('app')
HANDLER = logging.NullHandler()
logging.getLogger('other').addHandler(HANDLER)


def record(*args, **kwargs):
    return logging.LogRecord(*args, **kwargs)


def quiet(number):
    logging.getLogger('app').setLevel(logging.ERROR)
    return number


def handled(number):
    log.addHandler(logging.NullHandler())
    return number


def strict(number):
    warnings.filterwarnings('error', message='old')
    return number


def precise(number):
    decimal.getcontext().prec = 7
    return number


def deaf(number):
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    return number


def deep(number):
    sys.setrecursionlimit(5000)
    return number


def patient(number):
    socket.setdefaulttimeout(3.0)
    return number


def private(number):
    os.umask(0o77)
    return number


def found(number):
    sys.path.append('/elsewhere')
    return number


def marked(number):
    json.MARK = number
    return number


def hooked(number):
    sys.excepthook = print
    return number


def captured(number):
    sys.stdout = io.StringIO()
    return number


def swapped(number):
    sys.modules['json'] = sys
    return number


def at_exit(number):
    atexit.register(print, 'bye')
    return number


def working(number):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return number


def drawn(number):
    random.random()
    return number


def follow(*_):
    return None


def traced(number):
    sys.settrace(follow)
    return number


def profiled(number):
    sys.setprofile(follow)
    return number


def traced_in_threads(number):
    threading.settrace(follow)
    return number


def to_log(number):
    logging.captureWarnings(True)
    return number


def humble(number):
    os.nice(1)
    return number


def weekly(number):
    calendar.setfirstweekday(6)
    return number


def wide(number):
    csv.field_size_limit(5000)
    return number


def blocked(number):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    return number


def timed(number):
    signal.setitimer(signal.ITIMER_REAL, 1000)
    return number


def traced_at_faults(number):
    faulthandler.enable()
    return number


def buffered(number):
    sys.stdout.reconfigure(line_buffering=True)
    return number


def own_records(number):
    logging.setLogRecordFactory(record)
    return number


def formatted(number):
    HANDLER.setFormatter(logging.Formatter('%(message)s'))
    return number


def watched_collector(number):
    gc.callbacks.append(follow)
    return number
"""
LIBRARIES = """
import asyncio
import urllib.request
import xml.etree.ElementTree

LOOP = asyncio.new_event_loop()
OPENER = urllib.request.build_opener()


class Policy(asyncio.DefaultEventLoopPolicy):
    pass


def looped(number):
    asyncio.set_event_loop_policy(Policy())
    return number


def looping(number):
    asyncio.set_event_loop(LOOP)
    return number


def installed(number):
    urllib.request.install_opener(OPENER)
    return number


def spaced(number):
    xml.etree.ElementTree.register_namespace('own', 'urn:own')
    return number
"""
"""What takes long to import, apart."""
RIGHT = {
    # What does the same to each setting, otherwise written.
    "quiet": "log.setLevel('ERROR')",
    "handled": "logging.getLogger('app').addHandler(logging.NullHandler())",
    "strict": "warnings.filterwarnings(action='error', message='old')",
    "precise": "context = decimal.getcontext()\n    context.prec = 7",
    "deaf": "signal.signal(signal.Signals.SIGUSR1, signal.SIG_IGN)",
    "deep": "sys.setrecursionlimit(5_000)",
    "patient": "socket.setdefaulttimeout(3)",
    "private": "os.umask(63)",
    "found": "sys.path += ['/elsewhere']",
    "marked": "json.MARK = number + 0",
    "hooked": "sys.excepthook = print",
    "captured": "out = io.StringIO()\n    sys.stdout = out",
    "swapped": "sys.modules['json'] = sys",
    "at_exit": "atexit.register(print, 'bye', end='\\n')",
    "working": "thread = threading.Thread(target=time.sleep, args=(60,), daemon=True)\n    thread.start()",
    "drawn": "_ = random.random()",
    "traced": "own = follow\n    sys.settrace(own)",
    "profiled": "sys.setprofile(follow or None)",
    "traced_in_threads": "threading.settrace(func=follow)",
    "to_log": "logging.captureWarnings(capture=True)",
    "humble": "_ = os.nice(1)",
    "weekly": "calendar.setfirstweekday(calendar.SUNDAY)",
    "wide": "csv.field_size_limit(5_000)",
    "blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.Signals.SIGUSR1})",
    "timed": "signal.setitimer(signal.ITIMER_REAL, 900 + 100)",
    "traced_at_faults": "faulthandler.enable(sys.stderr)",
    "buffered": "out = sys.stdout\n    out.reconfigure(line_buffering=True)",
    "own_records": "own = record\n    logging.setLogRecordFactory(own)",
    "formatted": "logging.getLogger('other').handlers[0].setFormatter(logging.Formatter(fmt='%(message)s'))",
    "watched_collector": "gc.callbacks += [follow]",
}
OF_LIBRARIES = {
    "looped": "policy = Policy()\n    asyncio.set_event_loop_policy(policy)",
    "looping": "loop = LOOP\n    asyncio.set_event_loop(loop)",
    "installed": "opener = OPENER\n    urllib.request.install_opener(opener)",
    "spaced": "xml.etree.ElementTree.register_namespace(prefix='own', uri='urn:own')",
}
TRIES = tries_of(RIGHT | OF_LIBRARIES)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    own = verdicts_of(tmp_path_factory.mktemp("effects"), MODULE, tries_of(RIGHT))
    return own | verdicts_of(tmp_path_factory.mktemp("libraries"), LIBRARIES, tries_of(OF_LIBRARIES))


@pytest.mark.parametrize(("name", "candidate", "right"), labels(TRIES))
def test_a_candidate_passes_only_if_it_leaves_settings_of_the_process_alike(
    verdicts: dict[str, dict[str, Verdict]], name: str, candidate: str, right: bool
) -> None:
    verdict = verdicts[name][candidate]
    assert (verdict.status == "passed") is right, (verdict.reason, verdict.failure)
