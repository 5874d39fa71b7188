"""What counts as a small change of a function."""

from __future__ import annotations

import pytest

from codeens_server.evidence.mutation import Mutant, mutants

FUNCTION = '''def pick(words: list[str], size: int = 2) -> list[str]:
    """Long words, the longest first."""
    kept = list(words)
    kept = [word for word in kept if len(word) > size]
    for word in words:
        if word == "":
            break
        kept.append(word[1:])
    return sorted(kept, key=len, reverse=True) or None
'''


def changes(source: str, most: int = 1000) -> set[str]:
    return {f"{mutant.before} -> {mutant.after}" for mutant in mutants(source, most, seed="s")}


@pytest.mark.parametrize(
    "change",
    [
        "len(word) > size -> len(word) >= size",
        "len(word) > size -> len(word) > size + 1",
        "word == '' -> word != ''",
        "2 -> 3",
        "list(words) -> words",
        "kept.append(word[1:]) -> ",
        "kept.append(word[1:]) -> kept.insert(0, word[1:])",
        "word[1:] -> word[:]",
        "break -> continue",
        "for word in words: -> for word in reversed(list(words)):",
        "sorted(kept, key=len, reverse=True) -> sorted(kept, key=len)",
        "sorted(kept, key=len, reverse=True) or None -> sorted(kept, key=len, reverse=True)",
    ],
)
def test_what_people_get_wrong_is_among_the_changes(change: str) -> None:
    assert change in changes(FUNCTION)


@pytest.mark.parametrize(
    "change",
    [
        "{k: v for k, v in d if k} -> {k: v for k, v in reversed(list(d)) if k}",
        "{k: v for k, v in d if k} -> {k: v for k, v in d}",
        "d.keys() -> d.values()",
        "d.setdefault(1, []) -> d.get(1, [])",
    ],
)
def test_mappings_are_changed_in_what_they_keep(change: str) -> None:
    assert change in changes("def f(d):\n    d.setdefault(1, [])\n    return {k: v for k, v in d if k}, d.keys()\n")


@pytest.mark.parametrize(
    "change",
    [
        "except (KeyError, m.Refused): -> except (KeyError,):",
        "except (KeyError, m.Refused): -> except Exception:",
    ],
)
def test_handlers_catch_more_or_less(change: str) -> None:
    made = changes("def f(d):\n    try:\n        return d()\n    except (KeyError, m.Refused):\n        return 1\n")
    assert change in made


def test_two_neighbouring_statements_may_be_swapped() -> None:
    made = mutants("def f(x):\n    x += 1\n    x *= 2\n    return x\n", 99, seed="s")
    swapped = "def f(x):\n    x *= 2\n    x += 1\n    return x"
    assert Mutant(2, "x += 1; x *= 2", "x *= 2; x += 1", swapped) in made


def test_a_literal_is_not_swapped_with_a_statement_that_has_nothing_to_do_with_it() -> None:
    made = changes("def f(x):\n    a = []\n    b = {}\n    g(x)\n    b = {}\n    b[x] = 1\n    return a, b\n")
    assert {change for change in made if ";" in change} == {"b = {}; b[x] = 1 -> b[x] = 1; b = {}"}


def test_arguments_may_be_swapped() -> None:
    assert "pow(a, b) -> pow(b, a)" in changes("def f(a, b):\n    return pow(a, b)\n")


def test_a_change_that_compiles_to_the_same_bytecode_is_none() -> None:
    assert changes("def f(x):\n    return x\n") == {"return x -> return None"}
    assert "True -> False" not in changes("def f(x):\n    if x:\n        True\n    return x\n")


def test_docstrings_annotations_and_decorators_stay() -> None:
    source = 'def f(x: "list[1]") -> "2":\n    """Three."""\n    return x\n'
    assert all(
        '"""Three."""' in mutant.source and "'list[1]'" in mutant.source for mutant in mutants(source, 99, seed="s")
    )


def test_few_changes_of_many_come_from_all_lines_and_the_same_ones_each_time() -> None:
    few = mutants(FUNCTION, 8, seed="s")
    assert few == mutants(FUNCTION, 8, seed="s") != mutants(FUNCTION, 8, seed="t")
    assert len(few) == 8
    assert {mutant.line for mutant in few} == {1, 3, 4, 5, 6, 7, 8, 9}


@pytest.mark.parametrize("source", ["", "x = 1", "def f(:", "class A: pass", "def f(): ..."])
def test_what_cannot_be_changed_has_no_changes(source: str) -> None:
    assert mutants(source, 10, seed="s") == []
