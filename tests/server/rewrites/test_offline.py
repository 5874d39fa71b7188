"""From rules to candidates."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from codeens_server.errors import ChangedError, ConfigError
from codeens_server.generation.reply.assemble import digest
from codeens_server.generation.rewrites.offline import offline_candidates
from codeens_server.generation.rewrites.rules import RULES, rule_names
from codeens_server.workspace.edit import splice
from codeens_variants.manifest import REWRITES
from tests.server.rewrites.workshop import Call, candidates, check_equal, target_in, variant

SOURCE = '''
def top(words: list[str], stop: list[str]) -> str:
    """The common words, one per line."""
    counts = {}
    for word in words:
        if word not in stop:
            counts[word] = counts.get(word, 0) + 1
    text = ""
    for word, count in counts.items():
        text += f"{word} {count}\\n"
    return text
'''.lstrip()
CALLS: list[Call] = [([], []), (["a", "b", "a", "c"], ["c"]), (["a", 1], [])]


def test_each_rule_that_applies_makes_a_candidate_and_all_together_one_more(tmp_path: Path) -> None:
    rules = ("list-membership-to-set", "manual-count-to-counter", "concatenation-to-join", "pow-mod", "ruff:PERF")
    found = candidates(tmp_path, SOURCE, "top", variant(*rules, name="fast"))
    assert [one.id for one in found] == [
        "offline-manual-count-to-counter",
        "offline-list-membership-to-set",
        "offline-concatenation-to-join",
        "offline-all-fast",
    ]
    for one in found:
        assert (one.model, one.variant, one.cost_usd, one.same_as) == ("offline", "fast", 0.0, ())
        assert one.digest == digest(one.replacement)
        assert one.rationale.endswith(".")
        check_equal(SOURCE, splice(SOURCE, target_in(tmp_path, SOURCE, "top"), one.replacement), CALLS, "top")
    everything = found[-1]
    assert everything.rationale == ("all of: manual-count-to-counter, list-membership-to-set, concatenation-to-join.")
    assert everything.replacement.imports == ("from collections import Counter",)
    assert "Counter(word for word in words if word not in stop_set)" in everything.replacement.function


def test_the_source_of_a_candidate_stands_on_its_own(tmp_path: Path) -> None:
    found = candidates(tmp_path, SOURCE, "top", variant("manual-count-to-counter"))
    assert found[0].source.startswith("from collections import Counter\n\n\ndef top(words")
    check_equal(SOURCE, found[0].source, CALLS, "top")


def test_a_candidate_that_two_variants_lead_to_is_made_once_and_credits_both(tmp_path: Path) -> None:
    one = variant("concatenation-to-join", "manual-count-to-counter", name="one")
    two = variant("manual-count-to-counter", "concatenation-to-join", "ruff:PERF", name="two")
    found = candidates(tmp_path, SOURCE, "top", one, two)
    assert [(each.id, each.variant) for each in found] == [
        ("offline-manual-count-to-counter", "one"),
        ("offline-concatenation-to-join", "one"),
        ("offline-all-one", "one"),
    ]
    assert all(each.same_as == ("offline · two",) for each in found)


def test_two_rules_with_the_same_outcome_make_one_candidate(tmp_path: Path) -> None:
    source = "def f(xs):\n    if not xs:\n        return None\n    return sorted(xs)[0]\n"
    found = candidates(tmp_path, source, "f", variant("ruff:FURB", "sort-to-min-max-heapq"))
    assert [one.id for one in found] == ["offline-sort-to-min-max-heapq"]
    assert found[0].same_as == ()


def test_the_same_request_gives_the_same_candidates(tmp_path: Path) -> None:
    everything = variant(*rule_names())
    assert candidates(tmp_path, SOURCE, "top", everything) == candidates(tmp_path, SOURCE, "top", everything)
    backwards = variant(*reversed(rule_names()))
    assert candidates(tmp_path, SOURCE, "top", backwards) == candidates(tmp_path, SOURCE, "top", everything)


def test_an_unknown_rule_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no rewrite rule is called 'memoize'. Did you mean 'memoise'\?"):
        candidates(tmp_path, SOURCE, "top", variant("memoize"))


def test_a_source_that_the_target_is_not_from_is_refused(tmp_path: Path) -> None:
    target = target_in(tmp_path, SOURCE, "top")
    with pytest.raises(ChangedError, match="run again"):
        offline_candidates(target, "x = 1\n" + SOURCE, [variant("pow-mod")])


def test_manifests_and_rules_agree_on_the_names() -> None:
    assert sorted(REWRITES) == sorted(rule_names())


@pytest.mark.parametrize("source", ["def f(x):\n    return x\n", 'def f(x):\n    """Sum of squares."""\n'])
def test_where_there_is_nothing_to_rewrite_there_is_no_candidate(tmp_path: Path, source: str) -> None:
    assert candidates(tmp_path, source, "f", variant(*rule_names())) == []


def test_code_that_is_nested_too_deep_is_left_alone(tmp_path: Path) -> None:
    source = "def f(x):\n    return " + " + ".join(["x"] * 1500) + "\n"
    assert candidates(tmp_path, source, "f", variant(*rule_names())) == []


def test_a_name_that_is_taken_is_not_taken_again(tmp_path: Path) -> None:
    source = (
        "import collections\n\nstop_set = 1\n\n"
        "def f(words: list[str], stop: list[str]):\n"
        "    return [word for word in words if word not in stop], max(set(words), key=words.count)\n"
    )
    found = candidates(tmp_path, source, "f", variant("list-membership-to-set", "manual-count-to-counter"))
    text = found[-1].replacement.function
    assert "stop_set_2 = set(stop)" in text
    assert "words_counts = collections.Counter(words)" in text
    assert found[-1].replacement.imports == ()


def test_a_rule_stays_away_where_its_tools_have_another_meaning(tmp_path: Path) -> None:
    body = "    return [word for word in words if word not in stop], max(set(words), key=words.count)\n"
    head = "def f(words: list[str], stop: list[str]):\n"
    both = variant("list-membership-to-set", "manual-count-to-counter")
    assert candidates(tmp_path, f"from os import *\n\n{head}{body}", "f", both) == []
    assert candidates(tmp_path, f"def set(x):\n    return x\n\n{head}{body}", "f", both) == []
    assert candidates(tmp_path, f"{head}    exec('')\n{body}", "f", both) == []
    shadowed = candidates(tmp_path, f"Counter = dict\n\n{head}{body}", "f", both)
    assert [one.id for one in shadowed] == ["offline-list-membership-to-set"]


def test_an_import_for_type_checkers_is_not_relied_on(tmp_path: Path) -> None:
    source = (
        "from typing import TYPE_CHECKING\n\n"
        "if TYPE_CHECKING:\n    from collections import Counter\n\n"
        "def f(words: list[str]):\n    return max(set(words), key=words.count)\n"
    )
    assert candidates(tmp_path, source, "f", variant("manual-count-to-counter")) == []


def test_every_rule_says_in_one_sentence_what_it_does() -> None:
    for name, rule in RULES.items():
        assert rule.name == name
        assert rule.rationale.count(". ") == 0
        assert rule.rationale.endswith(".")


def test_all_candidates_of_a_long_function_are_python(tmp_path: Path) -> None:
    for one in candidates(tmp_path, SOURCE, "top", variant(*rule_names())):
        ast.parse(one.source)
