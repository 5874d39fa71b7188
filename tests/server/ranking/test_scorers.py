"""Scorers from another distribution, installed into a folder for the test."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from codeens_server.config.settings import Settings
from codeens_server.errors import ConfigError
from codeens_server.ranking.rank import Ranking, rank
from codeens_server.ranking.scorers import load_scorers

from .builders import TARGET, WORKING, entry, rejected, speed

MODULE = """
def prefers_b(target, row):
    assert target.qualname == "f" and row.verdict.status == "passed"
    return 1.0 if row.candidate.id == "b" else 0.25

def breaks(target, row):
    raise KeyError("team")

def too_much(target, row):
    return 7

constant = 3
"""
ENTRY_POINTS = """
[codeens.scorers]
prefers_b = team_style_scorer:prefers_b
breaks = team_style_scorer:breaks
too_much = team_style_scorer:too_much
constant = team_style_scorer:constant
absent = team_style_scorer:absent
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "team_style_scorer-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: team-style-scorer\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    (tmp_path / "team_style_scorer.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "team_style_scorer", raising=False)
    importlib.invalidate_caches()


def ranked_with(*names: str, weights: dict[str, float] | None = None) -> Ranking:
    settings = Settings(scorers=names, scorer_weights=weights or {})
    entries = [entry("a", ratio=speed(0.98, 1.04)), entry("b", ratio=speed(0.98, 1.04)), rejected("c", "wrong")]
    return rank(WORKING, entries, target=TARGET, goal="balanced", settings=settings, scorers=load_scorers(settings))


def test_a_scorer_adds_its_part_and_decides_between_equals() -> None:
    found = ranked_with("prefers_b", weights={"prefers_b": 25.0})
    assert [row.candidate.id for row in found.results] == ["b", "a", "c"]
    best, original = found.results[0].score, found.original.score
    assert best is not None
    assert original is not None
    assert best.parts["prefers_b"] == pytest.approx(20.0)
    assert original.parts["prefers_b"] == pytest.approx(5.0)
    assert best.total <= 100.0
    assert found.best == "b"
    assert found.notes == ()


def test_without_a_weight_a_scorer_counts_ten_beside_the_hundred() -> None:
    score = ranked_with("prefers_b").results[0].score
    assert score is not None
    assert score.parts["prefers_b"] == pytest.approx(100 * 10 / 110)


@pytest.mark.parametrize(("name", "why"), [("breaks", "raised KeyError: 'team'"), ("too_much", "returned 7")])
def test_a_scorer_that_fails_is_left_out_for_all_with_a_note(name: str, why: str) -> None:
    found = ranked_with(name)
    assert len(found.notes) == 1
    assert why in found.notes[0]
    assert all(row.score is None or name not in row.score.parts for row in (found.original, *found.results))


def test_a_scorer_that_is_not_installed_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'prefers_b'"):
        load_scorers(Settings(scorers=("prefer_b",)))


@pytest.mark.parametrize(("name", "why"), [("constant", "not callable"), ("absent", "cannot be loaded")])
def test_an_entry_point_that_is_no_scorer_is_refused(name: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load_scorers(Settings(scorers=(name,)))
