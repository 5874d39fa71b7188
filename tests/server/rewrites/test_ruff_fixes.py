"""ruff's own repairs, of one function only."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from codeens_server.errors import RunError
from codeens_server.generation.rewrites.offline import offline_candidates
from codeens_server.generation.rewrites.rules import rule_names
from codeens_server.workspace.edit import splice
from codeens_server.workspace.find import find_target
from tests.server.rewrites.workshop import candidates, rewritten, target_in, variant


@pytest.mark.parametrize(
    ("family", "before", "after"),
    [
        ("PERF", "found = []\nfor x in xs:\n    if x:\n        found.append(x)\nreturn found", "[x for x in xs if x]"),
        ("C4", "return set([x for x in xs])", "return set(xs)"),
        ("C4", "return any([x > 2 for x in xs])", "return any(x > 2 for x in xs)"),
        ("FURB", "return sorted(xs, key=lambda pair: pair[1])", "key=operator.itemgetter(1)"),
        ("SIM", "if xs:\n    return True\nelse:\n    return False", "return bool(xs)"),
        ("SIM", "for x in xs:\n    if x > 2:\n        return True\nreturn False", "return any(x > 2 for x in xs)"),
        ("PIE", "return xs.startswith('a') or xs.startswith('b')", "return xs.startswith(('a', 'b'))"),
        ("RET", "if xs:\n    return 1\nelse:\n    return 2", "return 1\n    return 2"),
        ("UP", 'return "{} and {}".format(xs, 1)', 'f"{xs} and {1}"'),
    ],
)
def test_each_family_repairs_its_own(tmp_path: Path, family: str, before: str, after: str) -> None:
    source = f"def f(xs):\n{textwrap.indent(before, '    ')}\n"
    result = rewritten(tmp_path, f"ruff:{family}", source)
    assert result is not None
    assert after in result


def test_only_the_target_changes_and_the_import_it_needs_comes_along(tmp_path: Path) -> None:
    source = (
        "import os\n"
        "import operator as op\n\n\n"
        "def other(pairs):\n    return sorted(pairs, key=lambda pair: pair[0])\n\n\n"
        "class A:\n    def f(self, pairs):\n        return sorted(pairs, key=lambda pair: pair[1])\n"
    )
    found = candidates(tmp_path, source, "A.f", variant("ruff:FURB"))
    after = splice(source, target_in(tmp_path, source, "A.f"), found[0].replacement)
    assert "key=lambda pair: pair[0]" in after
    assert "lambda pair: pair[1]" not in after
    assert "import os\n" in after
    compile(after, "module.py", "exec")


def test_a_getter_is_told_from_its_setter(tmp_path: Path) -> None:
    source = (
        "class A:\n"
        "    @property\n"
        "    def f(self):\n"
        "        return set([x for x in self.xs])\n"
        "\n"
        "    @f.setter\n"
        "    def f(self, xs):\n"
        "        self.xs = set([x + 1 for x in xs])\n"
    )
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    found = offline_candidates(find_target(f"{path}:3", cwd=tmp_path), source, [variant("ruff:C4")])
    assert found[0].replacement.function == "@property\ndef f(self):\n    return set(self.xs)\n"


def test_a_file_that_configures_ruff_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text('lint.ignore = ["ALL"]\nexclude = ["*"]\n', encoding="utf-8")
    assert rewritten(tmp_path, "ruff:C4", "def f(xs):\n    return set([x for x in xs])\n") is not None


def test_a_missing_ruff_is_an_error_that_names_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("ruff.find_ruff_bin", missing)
    with pytest.raises(RunError, match="install codeens again"):
        candidates(tmp_path, "def f(xs):\n    return xs\n", "f", variant("ruff:C4"))


def test_every_family_that_is_promised_is_there() -> None:
    families = [name for name in rule_names() if name.startswith("ruff:")]
    assert families == ["ruff:PERF", "ruff:C4", "ruff:FURB", "ruff:SIM", "ruff:PIE", "ruff:RET", "ruff:UP"]
