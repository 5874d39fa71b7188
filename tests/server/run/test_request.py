"""Options become a request once: what was asked, else what is configured."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from codeens_server.config.settings import Settings
from codeens_server.errors import Hint, InputError
from codeens_server.run.ids import is_short_for, new_run_id
from codeens_server.run.request import RunOptions, resolve


def test_what_was_asked_for_comes_before_the_settings() -> None:
    settings = Settings(
        goal="speed", samples=3, budget_usd=2.0, budget_calls=7, timeout_s=30.0, variants=("performance",)
    )
    configured = resolve("a.py::f", RunOptions(), settings)
    assert (configured.goal, configured.samples, configured.budget_usd) == ("speed", 3, 2.0)
    assert (configured.timeout_s, configured.variants, configured.rounds) == (30.0, ("performance",), 1)
    options = RunOptions(goal="memory", samples=1, budget_usd=0.25, timeout_s=5.0, variants=("baseline",), rounds=2)
    asked = resolve("a.py::f", options, settings)
    assert (asked.goal, asked.samples, asked.budget_usd) == ("memory", 1, 0.25)
    assert (asked.timeout_s, asked.variants, asked.rounds) == (5.0, ("baseline",), 2)


@pytest.mark.parametrize(("asked", "budget"), [(None, 7), (2, 2)])
def test_how_often_models_are_asked_is_capped_by_the_settings_where_a_run_says_nothing(
    asked: int | None, budget: int
) -> None:
    settings = Settings(budget_calls=7)
    assert resolve("a.py::f", RunOptions(budget_calls=asked), settings).budget_calls == budget


@pytest.mark.parametrize("name", ["samples", "rounds", "budget_usd", "budget_tokens", "timeout_s"])
def test_a_limit_that_would_let_nothing_happen_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} must be more than 0, not 0") as refused:
        resolve("a.py::f", replace(RunOptions(), **{name: 0}), Settings())
    assert (refused.value.code, refused.value.hint) == ("limit_not_positive", Hint("option", name))


@pytest.mark.parametrize("settings", [Settings(parallel=0), Settings(max_inputs=-1)])
def test_a_setting_that_would_let_nothing_happen_is_refused(settings: Settings) -> None:
    with pytest.raises(InputError, match="must be more than 0"):
        resolve("a.py::f", RunOptions(), settings)


def test_an_id_may_be_shortened_to_its_beginning_or_to_what_follows_its_date() -> None:
    run_id = new_run_id()
    date, _, rest = run_id.partition("-")
    assert all(is_short_for(start, run_id) for start in (run_id, date, rest, f"{date}-{rest[:2]}"))
    assert not any(is_short_for(start, run_id) for start in ("", rest[1:], f"x{run_id}"))
