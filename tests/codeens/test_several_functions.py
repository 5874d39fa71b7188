"""A diff, or several functions, are one candidate: the function, and what it needs of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens._candidates import given_candidates
from codeens_server.domain.target import Candidate, Target
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.find import find_target

MODULE = '''\
import math


def key(word):
    return word.lower()


def longest(words, key=None):
    return max(words, key=len)


def ordered(words):
    """In order."""
    return sorted(words, key=key)


class Shelf:
    def __init__(self, words):
        self.words = words

    def first(self):
        return self._sorted()[0]

    def _sorted(self):
        return sorted(self.words, key=key)
'''
DIFF = """\
--- a/words.py
+++ b/words.py
@@ -1,5 +1,6 @@
-import math
+import operator


 def key(word):
-    return word.lower()
+    return fold(word)
@@ -8,3 +9,7 @@
 def longest(words, key=None):
-    return max(words, key=len)
+    return sorted(words, key=len)[-1]
+
+
+def fold(word):
+    return operator.methodcaller("casefold")(word)
@@ -12,3 +17,3 @@
 def ordered(words):
     \"\"\"In order.\"\"\"
-    return sorted(words, key=key)
+    return sorted([*words], key=key)
"""


def read(folder: Path, source: str, name: str = "ordered") -> tuple[Target, Candidate]:
    (folder / "words.py").write_text(MODULE, encoding="utf-8")
    target = find_target(f"words.py::{name}", cwd=folder)
    (candidate,) = given_candidates(target, {"c": source})
    return target, candidate


def run(target: Target, candidate: Candidate) -> dict[str, object]:
    """The module with the candidate in it."""
    names: dict[str, object] = {}
    exec(program_for(target, candidate.replacement).modules[0].source, names)
    return names


def test_a_diff_of_a_whole_file_is_the_function_with_the_helpers_that_it_uses(tmp_path: Path) -> None:
    target, candidate = read(tmp_path, DIFF)
    module = run(target, candidate)

    assert candidate.replacement.imports == ("import operator",)
    assert module["ordered"](["b", "A"]) == ["A", "b"]  # type: ignore[operator]
    assert "casefold" in candidate.source
    assert "max(words, key=len)" in program_for(target, candidate.replacement).modules[0].source
    assert "its own key is called key_2: others may call the module's" in candidate.receipt
    assert "left out, as the function alone is judged: the change of longest" in candidate.receipt


def test_several_functions_are_one_candidate_that_leaves_those_of_the_module_alone(tmp_path: Path) -> None:
    source = "def key(word):\n    return -len(word)\n\ndef ordered(words):\n    return sorted(words, key=key)\n"
    target, candidate = read(tmp_path, source)
    module = run(target, candidate)

    assert module["ordered"](["a", "bb"]) == ["bb", "a"]  # type: ignore[operator]
    assert module["Shelf"](["a", "bb"]).first() == "a"  # type: ignore[operator]
    assert "sorted(words, key=key_2)" in candidate.source


def test_a_change_of_a_method_is_read_in_its_class_and_names_the_others_that_it_leaves_out(tmp_path: Path) -> None:
    diff = (
        "@@\n     def first(self):\n-        return self._sorted()[0]\n+        return min(self.words, key=key)\n \n"
        "     def _sorted(self):\n-        return sorted(self.words, key=key)\n+        return self.words\n"
    )
    target, candidate = read(tmp_path, diff, "Shelf.first")

    assert run(target, candidate)["Shelf"](["b", "A"]).first() == "A"  # type: ignore[operator]
    assert candidate.receipt[-1].endswith("the change of Shelf._sorted")


@pytest.mark.parametrize("own", ["def ordered(words, key=None):\n    return sorted(words, key=key)", "x = 1"])
def test_a_name_that_means_something_else_is_not_renamed(tmp_path: Path, own: str) -> None:
    source = f"def key(word):\n    return 1\n\n{own}\n\ndef ordered(words):\n    key = len\n    return key(words)\n"
    _, candidate = read(tmp_path, source)
    assert "key_2" not in candidate.source
