"""Functions are found at once after every edit, the same ones that parsing the whole text finds."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from codeens_server.lsp.documents import splitter
from codeens_server.lsp.documents.outline import Broken, Function, Outline, Outliner
from codeens_server.workspace.functions import functions_in
from codeens_server.workspace.text import lines_of

ROOT = Path(__file__).parents[3]
FILES = [
    *sorted((ROOT / "server" / "codeens_server").glob("*.py")),
    *sorted(Path(ast.__file__).parent.glob("[a-c]*.py")),
]


def expected(text: str) -> list[tuple[str, int, int] | None]:
    """For each line the innermost function around it."""
    innermost: list[tuple[str, int, int] | None] = [None] * (len(lines_of(text)) + 1)
    for site in functions_in(ast.parse(text)):
        found = (site.qualname, site.line - 1, site.end_line - 1)
        innermost[site.line - 1 : site.end_line] = [found] * (site.end_line - site.line + 1)
    return innermost


def found(outline: Outline, lines: int) -> list[tuple[str, int, int] | None]:
    functions = [outline.at(line) for line in range(lines)]
    return [(each.qualname, each.line, each.end_line) if isinstance(each, Function) else None for each in functions]


@pytest.mark.parametrize("large_class", [splitter.LARGE_CLASS, 0])
def test_the_functions_of_real_files_are_all_found(large_class: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitter, "LARGE_CLASS", large_class)
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        wanted = expected(text)
        assert found(Outliner().outline(text), len(wanted)) == wanted, path


@pytest.mark.parametrize("large_class", [splitter.LARGE_CLASS, 0])
def test_after_any_edit_the_pieces_are_those_of_a_text_never_seen(
    large_class: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splitter, "LARGE_CLASS", large_class)
    chance = random.Random(7)
    parts = [
        "",
        "x",
        '"""',
        "'''",
        "\n\ndef q():\n    pass\n",
        "@dec\n",
        "\n",
        "class Z:\n    def m(self): ...\n",
        "\r\n",
    ]
    for path in FILES[::30]:
        text, cutter = path.read_text(encoding="utf-8"), splitter.Splitter()
        for _ in range(25):
            start = chance.randrange(len(text) + 1)
            text = text[:start] + chance.choice(parts) + text[start + chance.choice([0, 0, 1, 30, 900]) :]
            cut = cutter.cut(text)
            assert cut == splitter.Splitter().cut(text)
            assert "".join(piece.text for piece in cut) == text


def test_the_innermost_function_around_a_line_is_found() -> None:
    text = "@dec\ndef outer():\n    def inner():\n        return 1\n    return inner\n\n\nx = 1\n"
    outline = Outliner().outline(text)
    names = [getattr(outline.at(line), "qualname", None) for line in range(8)]
    assert names == ["outer", "outer", "outer.<locals>.inner", "outer.<locals>.inner", "outer", None, None, None]


def test_a_piece_that_does_not_parse_leaves_the_others() -> None:
    outline = Outliner().outline("def good():\n    return 1\n\n\ndef bad(:\n    return 2\n")
    assert isinstance(outline.at(0), Function)
    broken = outline.at(5)
    assert isinstance(broken, Broken)
    assert broken.line == 4
    assert outline.broken() == broken


def test_a_cut_at_a_wrong_place_is_mended_by_not_cutting() -> None:
    text = "x = (a\n@ b)\n\n\ndef f():\n    return 1\n"
    outliner = Outliner()
    assert isinstance(outliner.outline(text).at(0), Broken)
    whole = outliner.outline(text, whole=True)
    assert whole.at(0) is None
    assert isinstance(whole.at(5), Function)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_are_counted_by_any_kind_of_line_end(newline: str) -> None:
    text = newline.join(
        ["import os", "", "def f():", "    '''a", "def not_one(): ...", "'''", "", "def g():", "    pass", ""]
    )
    outline = Outliner().outline(text)
    assert [(item.qualname, item.line) for item in [*outline.named("f"), *outline.named("g")]] == [("f", 2), ("g", 7)]
    assert outline.named("not_one") == []
