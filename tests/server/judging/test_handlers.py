"""What is said of exceptions that only one of original and candidate catches."""

from __future__ import annotations

import pytest

from codeens_sandbox_backends.programs import CallInput, Encoded, Returned
from codeens_server.domain.evidence import Case
from codeens_server.judging.handlers import caught_unseen, said_of


def reading(handler: str, then: str = "return None") -> str:
    return f"def f(x):\n    try:\n        return load(x)\n    {handler}\n        {then}\n"


PLAIN = "def f(x):\n    return load(x)\n"
VALUES = reading("except ValueError:")
SEVERAL = reading("except (ValueError, LookupError):")
ALL = reading("except Exception:")
RAISING: Encoded = ["raising", "builtins:RuntimeError", ["list", 1], ["list"], ["list"]]


def met(function: Encoded) -> tuple[Case, ...]:
    call = CallInput(args=(function,))
    return (Case(id="1", origin="generated", input=call, expected=Returned(value=None, args=(function,))),)


@pytest.mark.parametrize(
    ("original", "candidate", "named"),
    [
        (VALUES, ALL, "Exception"),
        (ALL, VALUES, "Exception"),
        (VALUES, SEVERAL, "LookupError"),
        (VALUES, reading("except:"), "BaseException"),
        (PLAIN, ALL, "Exception"),
        (ALL, "def f(x):\n    with suppress(KeyError):\n        return load(x)\n", "Exception"),
    ],
)
def test_what_one_alone_catches_was_not_looked_at_where_no_call_raises_it(
    original: str, candidate: str, named: str
) -> None:
    assert said_of(caught_unseen(original, [candidate], ())) == (
        f"what raises {named} (caught by one of both alone, and never met)",
    )


@pytest.mark.parametrize(
    ("original", "candidate"),
    [
        (SEVERAL, reading("except (LookupError, ValueError, KeyError):")),
        (
            VALUES,
            VALUES.replace("        return None", "        return None\n    except BaseException:\n        raise"),
        ),
        (VALUES, PLAIN),
        (PLAIN, reading("except KeyError:")),
    ],
)
def test_what_both_catch_or_the_values_show_is_not_named(original: str, candidate: str) -> None:
    assert not caught_unseen(original, [candidate], ())


def test_what_a_function_that_was_given_raises_was_looked_at() -> None:
    assert not caught_unseen(VALUES, [ALL], met(RAISING))
    assert caught_unseen(SEVERAL, [VALUES], met(RAISING))
