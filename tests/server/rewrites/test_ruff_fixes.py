"""ruff's own repairs, of one function only."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from codeens_server.errors import RunError
from codeens_server.generation.rewrites import ruff_fixes
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
        ("C4", "ys = [1, 2]\nreturn any([y > 2 for y in ys])", "return any(y > 2 for y in ys)"),
        ("FURB", "return sorted(xs, key=lambda pair: pair[1])", "key=operator.itemgetter(1)"),
        ("SIM", "if xs:\n    return True\nelse:\n    return False", "return bool(xs)"),
        ("SIM", "for x in xs:\n    if x > 2:\n        return True\nreturn False", "return any(x > 2 for x in xs)"),
        ("PIE", "ys = str(xs)\nreturn ys.startswith('a') or ys.startswith('b')", "return ys.startswith(('a', 'b'))"),
        ("RET", "if xs:\n    return 1\nelse:\n    return 2", "return 1\n    return 2"),
        ("UP", 'return "{} and {}".format(xs, 1)', 'f"{xs} and {1}"'),
    ],
)
def test_each_family_repairs_its_own(tmp_path: Path, family: str, before: str, after: str) -> None:
    source = f"def f(xs):\n{textwrap.indent(before, '    ')}\n"
    result = rewritten(tmp_path, f"ruff:{family}", source)
    assert result is not None
    assert after in result


@pytest.mark.parametrize(
    ("family", "body"),
    [
        ("C4", "return all([g(x) for x in xs])"),
        ("C4", "return all([x > 2 for x in xs])"),
        ("C4", "return list(next(g) for x in xs)"),
        ("C4", "return {key: value for key, value in xs}"),
        ("PERF", "global LAST\nfound = []\nfor LAST in xs:\n    found.append(LAST)\nreturn found"),
        ("PERF", "found = [1]\nprint(1)\nfor x in xs:\n    found.append(g(x))\nreturn found"),
        ("PERF", "xs = sorted(xs)\nfor x in list(xs):\n    g(x)"),
        ("PERF", "for key, _ in xs.items():\n    g(key)"),
        ("SIM", "for x in xs:\n    if g(x):\n        return True\nreturn False"),
        ("SIM", "global LAST\nfor LAST in xs:\n    if LAST > 1:\n        return True\nreturn False"),
        ("SIM", "return g in xs.keys()"),
        ("SIM", "if xs == g:\n    return True\nreturn False"),
        ("SIM", "import os\nreturn os.environ['home']"),
        ("SIM", "if xs:\n    # why\n    y = g\nelse:\n    y = 0\nreturn y"),
        ("FURB", "return bin(xs)[2:]"),
        ("FURB", "return g(lambda x: x[1])"),
        ("FURB", "ys = []\nys.append(g(1))\nys.append(g(2))\nreturn ys"),
        ("FURB", "return sorted(xs)[0]"),
        ("FURB", "return 3.14 * xs"),
        ("FURB", "with open(xs) as file:\n    for line in file.readlines():\n        g(line)"),
        ("FURB", "ys = set()\nfor x in xs:\n    ys.add(g(x))\nreturn ys"),
        ("RET", "global LAST\nLAST = xs + 1\nreturn LAST"),
        ("PIE", "return xs.startswith('a') or xs.startswith('b')"),
        ("UP", "return '%s' % xs"),
    ],
)
def test_a_repair_that_unknown_code_could_notice_is_not_made(tmp_path: Path, family: str, body: str) -> None:
    source = f"LAST = 0\n\n\ndef f(xs, g):\n{textwrap.indent(body, '    ')}\n"
    assert rewritten(tmp_path, f"ruff:{family}", source) is None


OPTIONAL = "from typing import Optional\n\n\ndef f(x: Optional[int] = None):\n    return x\n"
TIMEOUT = "import socket\n\n\ndef f(x):\n    try:\n        x()\n    except socket.timeout:\n        return 1\n"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pyproject.toml", '[project]\nrequires-python = ">=3.8"\n', False),
        ("pyproject.toml", '[project]\nrequires-python = "<4,>=3.9.2"\n', False),
        ("pyproject.toml", '[project]\nrequires-python = ">3.9"\n', True),
        ("pyproject.toml", '[project]\nrequires-python = "~=3.12"\n', True),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.9"\n', False),
        ("pyproject.toml", '[tool.ruff]\ntarget-version = "py38"\n', False),
        ("ruff.toml", 'target-version = "py311"\n', True),
        ("setup.cfg", "[options]\npython_requires = >=3.7\n", False),
        ("setup.py", "from setuptools import setup\nsetup(name='x', python_requires='>=3.9')\n", False),
        ("pyproject.toml", "not [toml", True),
    ],
)
def test_nothing_is_written_that_the_project_s_oldest_python_does_not_know(
    tmp_path: Path, name: str, text: str, *, expected: bool
) -> None:
    tmp_path.joinpath(".git").mkdir()
    tmp_path.joinpath(name).write_text(text, encoding="utf-8")
    package = tmp_path / "src" / "package"
    package.mkdir(parents=True)
    after = rewritten(package, "ruff:UP", OPTIONAL)
    assert (after is not None and "int | None" in after) is expected
    raised = rewritten(package, "ruff:UP", TIMEOUT)
    assert (raised is not None and "except TimeoutError" in raised) is expected


def test_a_project_file_that_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pyproject.toml")
    assert rewritten(tmp_path, "ruff:UP", OPTIONAL) is not None


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


def test_a_python_older_than_ruff_knows_is_no_reason_to_find_nothing() -> None:
    source = "def f(xs):\n    return list([x for x in xs])\n"
    found = ruff_fixes._diagnostics(source, (3, 5))  # pyright: ignore[reportPrivateUsage]
    assert found == ruff_fixes._diagnostics(source, (3, 7))  # pyright: ignore[reportPrivateUsage]
    assert found
