"""What holds for every value: it comes back as it was, and only what the encoder writes is taken for a value."""

from __future__ import annotations

import json
import random
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeens_sandbox_backends.values.check import well_formed
from codeens_sandbox_backends.worker.values.codec import decode, encode
from codeens_sandbox_backends.worker.values.coding import json_text
from tests.sandbox_backends.hostile_frames import spoilt
from tests.sandbox_backends.values import ATOMS, VALUES

CHECKED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Rngs = st.randoms(use_true_random=False)


def through_json(encoded: Any) -> Any:
    return json.loads(json.dumps(encoded, allow_nan=False))


def without_order(encoded: Any) -> Any:
    """The encoded with the items of sets sorted."""
    if not isinstance(encoded, list):
        return encoded
    items: list[Any] = [without_order(item) for item in cast("list[Any]", encoded)]
    return [items[0], *sorted(items[1:], key=json_text)] if items[:1] in (["set"], ["frozenset"]) else items


@given(VALUES)
@CHECKED
def test_a_value_is_taken_by_the_judge_and_comes_back_with_the_same_encoding_and_type(value: Any) -> None:
    encoded = encode(value)
    received = through_json(encoded)
    assert well_formed(received)
    again = decode(received)
    assert type(again) is type(value)
    assert json_text(encode(again)) == json_text(encoded)


@given(ATOMS, Rngs)
@settings(CHECKED, max_examples=300)
def test_the_judge_takes_nothing_that_the_encoder_would_write_otherwise(value: Any, rng: random.Random) -> None:
    encoded = spoilt(encode(value), rng)
    if not well_formed(encoded) or _names_what_is_not_there(encoded):
        return
    again = encode(decode(encoded))
    assert json_text(without_order(again)) == json_text(without_order(encoded))


def _names_what_is_not_there(encoded: Any) -> bool:
    """Names lead to something only where it is, and which keys and items are equal only Python says."""
    if not isinstance(encoded, list):
        return False
    named = {"enum", "flags", "type", "function", "object", "namedtuple", "exception", "zoneinfo", "iter"}
    return encoded[0] in (named | {"dict", "set", "pandas"}) or any(
        map(_names_what_is_not_there, cast("list[Any]", encoded)[1:])
    )
