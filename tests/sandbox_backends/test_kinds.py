"""Every row of the table of kinds, through all that is done with values: a new row fails until it has an example."""

from __future__ import annotations

import array
import collections
import datetime as dt
import decimal
import fractions
import http
import io
import json
import pathlib
import random
import re
import string
import sys
import types
import urllib.parse
import uuid
import zoneinfo
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.local.unsafe import UnsafeBackend
from codeens_sandbox_backends.programs import CallInput, ModuleSource, Program, Returned
from codeens_sandbox_backends.values.check import open_node, well_formed
from codeens_sandbox_backends.values.compare import canonical, same
from codeens_sandbox_backends.values.render import render
from codeens_sandbox_backends.values.sample import Sampler
from codeens_sandbox_backends.values.shrink import smaller_calls
from codeens_sandbox_backends.values.source import NoSource, source_of
from codeens_sandbox_backends.worker.values.codec import KINDS, decode, encode

numpy: Any = pytest.importorskip("numpy")
pandas: Any = pytest.importorskip("pandas")

_MOMENT = dt.datetime.fromisoformat("2024-02-29T01:02:03")
EXAMPLES: dict[str, Any] = {
    "int": 1 << 60,
    "float": float("inf"),
    "str": "a\ud800",
    "bytes": b"a\xff",
    "bytearray": bytearray(b"a"),
    "complex": 1.5 - 2j,
    "range": range(10, 0, -3),
    "slice": slice(None, 5, "x"),
    "ellipsis": ...,
    "notimplemented": NotImplemented,
    "Decimal": decimal.Decimal("1.50"),
    "Fraction": fractions.Fraction(-1, 3),
    "uuid": uuid.UUID(int=7),
    "path": pathlib.Path("/a/b"),
    "pattern": re.compile("a(b)?", re.IGNORECASE | re.MULTILINE),
    "date": _MOMENT.date(),
    "time": _MOMENT.time(),
    "datetime": _MOMENT,
    "timedelta": dt.timedelta(-1, 5, 7),
    "timezone": dt.timezone(dt.timedelta(hours=-3), "named"),
    "zoneinfo": zoneinfo.ZoneInfo("Europe/Berlin"),
    "zoned": _MOMENT.replace(tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"), fold=1),
    "list": [1, "ab"],
    "tuple": (1, "ab"),
    "set": {1, 2},
    "frozenset": frozenset({1, 2}),
    "deque": collections.deque([1, 2], maxlen=3),
    "dict": {"a": 1, 2: [3]},
    "OrderedDict": collections.OrderedDict(b=1, a=2),
    "Counter": collections.Counter("hello"),
    "defaultdict": collections.defaultdict(list, {"a": [1]}),
    "StringIO": io.StringIO("a\nb"),
    "BytesIO": io.BytesIO(b"ab"),
    "array": array.array("d", [1.0, 2.5]),
    "SimpleNamespace": types.SimpleNamespace(b=[1], a="x"),
    "Random": random.Random(3),
    "iter": iter([1, 2]),
    "type": int,
    "function": len,
    "changing": decode(["changing", ["list", 1, 2], ["list"], ["list"], ["list", 1]]),
    "raising": decode(["raising", "builtins:KeyError", ["list", 1, 2], ["list"], ["list"]]),
    "awaited": decode(["awaited", ["callback", ["list", 1, 2], ["list"], ["list"]]]),
    "turning": decode(["turning", ["list", 1, 2], ["list"], ["list"]]),
    "callback": decode(["callback", ["list", 1, 2], ["list"], ["list"]]),
    "enum": http.HTTPStatus.OK,
    "flags": re.IGNORECASE | re.MULTILINE,
    "exception": ValueError("a", 1),
    "namedtuple": urllib.parse.DefragResult("a", "b"),
    "object": string.Template("$abc"),
    "ndarray": numpy.array([[1, 2], [3, 4]]),
    "pandas": pandas.DataFrame({"a": [1, 2]}),
}
LABELS = {"shared", "ref"}
"""No values, but what says that two are one; see `test_effects_of_calls`."""
ENCODED: dict[str, Any] = {tag: encode(value) for tag, value in EXAMPLES.items()}
HAVE_SOURCE = sorted(tag for tag, kind in KINDS.items() if kind.source is not None)
CHECKED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
_PATIENT = Limits(call_s=60.0, cpu_s=60.0, wall_s=120.0)
"""Pandas is imported in the worker."""
every_kind = pytest.mark.parametrize("tag", sorted(set(KINDS) - LABELS))


def test_each_kind_has_an_example() -> None:
    assert {tag: encoded[0] for tag, encoded in ENCODED.items()} == {tag: tag for tag in KINDS if tag not in LABELS}


@every_kind
def test_a_value_of_each_kind_passes_the_check_and_comes_back(tag: str) -> None:
    encoded = json.loads(json.dumps(ENCODED[tag]))
    assert well_formed(encoded)
    again = decode(encoded)
    assert type(again) is type(EXAMPLES[tag])
    assert encode(again) == encoded
    assert open_node(encoded).tag == tag


@every_kind
def test_each_kind_with_one_part_more_or_none_is_found_out(tag: str) -> None:
    """A container may hold anything; all else has its number of parts, each of its form."""
    has_places = bool(KINDS[tag].head) or bool(KINDS[tag].below and not isinstance(KINDS[tag].below, str))
    assert not has_places or not well_formed([tag])
    assert not well_formed([*ENCODED[tag], {}])


@every_kind
def test_each_kind_equals_itself_and_no_other_kind(tag: str) -> None:
    assert [other for other, encoded in ENCODED.items() if same(ENCODED[tag], encoded)] == [tag]
    assert [o for o, encoded in ENCODED.items() if canonical(ENCODED[tag]) == canonical(encoded)] == [tag]


@every_kind
def test_each_kind_is_shown_in_full_on_one_line(tag: str) -> None:
    shown = render(ENCODED[tag])
    assert shown
    assert shown.isprintable()
    assert "unreadable" not in shown
    assert "$" not in shown or tag == "object"


@pytest.mark.parametrize("tag", HAVE_SOURCE)
def test_the_source_of_a_value_makes_the_value(tag: str) -> None:
    text, imports = source_of(ENCODED[tag])
    names: dict[str, Any] = {}
    exec("\n".join(sorted(imports)), names)
    assert encode(eval(text, names)) == ENCODED[tag]


@pytest.mark.parametrize("tag", sorted(KINDS.keys() - HAVE_SOURCE - LABELS))
def test_a_kind_without_source_is_named(tag: str) -> None:
    with pytest.raises(NoSource, match=tag):
        source_of(["list", ENCODED[tag]])


@pytest.mark.parametrize(
    "encoded",
    [
        ["enum", "http:HTTPStatus", "OK + __import__('os').abort()"],
        ["enum", "http:HTTPStatus(1) or x", "OK"],
        ["enum", "HTTPStatus(1) or x", "OK"],
        ["namedtuple", "m:C(1) or x", 1],
    ],
)
def test_no_source_is_made_of_names_that_are_code(encoded: Any) -> None:
    with pytest.raises(NoSource, match="name"):
        source_of(encoded)


@every_kind
def test_smaller_values_are_other_values_of_the_same_kind(tag: str) -> None:
    smaller = [call.args[0] for call in smaller_calls(CallInput(args=(ENCODED[tag],)), 50)]
    assert bool(smaller) == bool(KINDS[tag].shrinks)
    for encoded in smaller:
        assert encoded[0] == tag
        assert well_formed(encoded)
        assert not same(encoded, ENCODED[tag])
        assert type(decode(encoded)) is type(EXAMPLES[tag])


@pytest.mark.parametrize("name", sorted(name for kind in KINDS.values() for name in kind.annotations))
@given(data=st.data())
@CHECKED
def test_what_is_drawn_for_an_annotation_passes_the_check_and_comes_back(name: str, data: st.DataObject) -> None:
    samples = Sampler([1, 2.5, "x"]).named(name)
    assert samples is not None
    encoded = data.draw(samples)
    assert well_formed(encoded)
    assert encode(decode(encoded, classes=False), classes=False) == encoded


def test_a_call_takes_and_returns_values_of_every_kind() -> None:
    outcomes = anyio.run(_through_a_sandbox, "def f(x):\n    return x\n", list(ENCODED.values()))
    returned = dict(zip(ENCODED, outcomes, strict=True))
    differing = {tag for tag, value in returned.items() if not same(value, ENCODED[tag])}
    assert differing == set()


def test_a_pattern_that_a_call_makes_can_be_told_from_others() -> None:
    source = "import re\ndef f(pattern):\n    return re.compile(pattern.pattern + '$', pattern.flags)\n"
    given = encode(re.compile("[a-z]+", re.IGNORECASE))
    (returned,) = anyio.run(_through_a_sandbox, source, [given])
    assert returned == encode(re.compile("[a-z]+$", re.IGNORECASE))
    assert not same(returned, given)
    assert not same(returned, encode(re.compile("[a-z]+$")))
    assert not same(returned, encode(re.compile(b"[a-z]+$", re.IGNORECASE)))
    assert render(returned) == "re.compile('[a-z]+$', 2)"
    assert source_of(returned) == ("re.compile('[a-z]+$', 2)", {"import re"})


async def _through_a_sandbox(source: str, arguments: list[Any]) -> list[Any]:
    """What `f` returns for each argument, in a real worker."""
    program = Program(module="m", qualname="f", modules=(ModuleSource(name="m", source=source),))
    sandbox = await UnsafeBackend().open(SandboxSpec(python=sys.executable, limits=_PATIENT))
    try:
        inputs = tuple(CallInput(args=(argument,)) for argument in arguments)
        result = await sandbox.run(CallsJob(program=program, inputs=inputs))
    finally:
        await sandbox.aclose()
    assert all(isinstance(outcome, Returned) for outcome in result.outcomes), result.outcomes
    return [outcome.value for outcome in result.outcomes if isinstance(outcome, Returned)]
