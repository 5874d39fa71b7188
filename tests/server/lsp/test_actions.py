"""What is offered for a function before anything was run."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from lsprotocol import types

from tests.server.lsp.editor import Editor, capabilities, editor
from tests.server.lsp.workspaces import MODULE, Folders

pytestmark = pytest.mark.anyio

RUNS = [
    "Run ensemble on `{}`",
    "Make `{}` faster",
    "Make `{}` use less memory",
    "Make `{}` more readable",
]


@pytest.fixture(scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Editor]:
    folders = Folders(tmp_path_factory.mktemp("actions"))
    async with editor(folders.workspace, home=folders.home) as made:
        made.open("untitled:sums", MODULE)
        yield made


def titles(actions: list[types.CodeAction]) -> list[str]:
    return [action.title for action in actions]


async def test_an_ensemble_is_offered_with_each_goal(opened: Editor) -> None:
    actions = await opened.actions("untitled:sums", opened.line_of("untitled:sums", "result = 0"))
    assert titles(actions) == [title.format("total") for title in RUNS]
    assert {action.kind for action in actions} == {"refactor.rewrite.codeens.run"}
    command = actions[1].command
    assert command is not None
    assert command.command == "codeens.run"
    assert list(command.arguments or ()) == [{"uri": "untitled:sums", "function": "total", "goal": "speed"}]


async def test_a_method_is_named_with_its_class(opened: Editor) -> None:
    actions = await opened.actions("untitled:sums", opened.line_of("untitled:sums", "self.amount = start"))
    assert titles(actions)[0] == "Run ensemble on `Account.__init__`"


async def test_outside_of_functions_nothing_is_offered(opened: Editor) -> None:
    assert await opened.actions("untitled:sums", 0) == []
    assert await opened.actions("untitled:sums", 9999) == []
    assert await opened.actions("untitled:unknown", 0) == []


async def test_what_has_no_body_is_to_be_implemented_by_a_quick_fix(opened: Editor) -> None:
    actions = await opened.actions("untitled:sums", opened.line_of("untitled:sums", "def later"))
    assert titles(actions) == ["Implement `later`"]
    assert actions[0].kind == "quickfix.codeens"
    assert actions[0].command is not None
    given = list(actions[0].command.arguments or ())
    assert given == [{"uri": "untitled:sums", "function": "later", "mode": "implement"}]


async def test_where_a_diagnostic_stands_a_repair_is_offered_for_it(opened: Editor) -> None:
    line = opened.line_of("untitled:sums", "kept.append")
    place = types.Range(start=types.Position(line=line, character=0), end=types.Position(line=line, character=3))
    here = types.Diagnostic(range=place, message="wrong")
    away = types.Diagnostic(range=types.Range(start=place.start, end=place.start), message="elsewhere")
    away.range = types.Range(start=types.Position(line=0, character=0), end=types.Position(line=0, character=1))
    actions = await opened.actions("untitled:sums", line, diagnostics=[here, away])
    assert titles(actions)[0] == "Repair `keep`"
    assert actions[0].kind == "quickfix.codeens"
    assert [found.message for found in actions[0].diagnostics or []] == ["wrong"]
    only = await opened.actions("untitled:sums", line, diagnostics=[here], only=["quickfix"])
    assert titles(only) == ["Repair `keep`"]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (MODULE, 29, "setter"),
        ("def f():\n    return 1\n\n\ndef f():\n    return 2\n", 1, "defined again at line 5"),
        ("from typing import overload\n\n\n@overload\ndef f(a: int) -> int: ...\n", 4, "overload"),
        ("def f(:\n    return 1\n", 1, "line 1 does not parse"),
    ],
)
async def test_what_can_not_be_run_is_disabled_with_the_reason(
    opened: Editor, text: str, line: int, reason: str
) -> None:
    opened.open("untitled:odd", text)
    (action,) = await opened.actions("untitled:odd", line)
    assert action.title.startswith("Run ensemble")
    assert action.command is None
    assert action.disabled is not None
    assert reason in action.disabled.reason


async def test_alternatives_in_branches_are_no_second_definitions(opened: Editor) -> None:
    parts = ("import sys\n", "if sys.platform == 'x':\n", "    def f():\n        return 1\n", "else:\n")
    again = "if sys.argv:\n    def f():\n        return 3\n"
    branches = f"{''.join(parts)}    def f():\n        return 2\n\n\n"
    opened.open("untitled:branches", branches)
    (first, *_), (second, *_) = [await opened.actions("untitled:branches", line) for line in (3, 6)]
    assert first.disabled is None
    assert second.disabled is None
    opened.open("untitled:again", branches + again)
    (refused,) = await opened.actions("untitled:again", 3)
    assert refused.disabled is not None
    assert "defined again at line 11" in refused.disabled.reason


async def test_what_was_typed_is_seen_at_once(opened: Editor) -> None:
    opened.open("untitled:typed", "def f():\n    return 1\n")
    assert titles(await opened.actions("untitled:typed", 0))[0] == "Run ensemble on `f`"
    opened.change("untitled:typed", "# more\n\n\ndef renamed():\n    return 1\n")
    assert await opened.actions("untitled:typed", 0) == []
    assert titles(await opened.actions("untitled:typed", 3))[0] == "Run ensemble on `renamed`"


async def test_a_document_in_another_language_is_left_alone(opened: Editor) -> None:
    opened.open("untitled:text", "def f():\n    return 1\n", language="plaintext")
    assert await opened.actions("untitled:text", 0) == []
    assert await opened.lenses("untitled:text") == []


async def test_without_a_run_there_are_no_lenses_and_no_hover(opened: Editor) -> None:
    assert await opened.lenses("untitled:sums") == []
    assert await opened.hover("untitled:sums", 5) == ""


async def test_an_editor_that_knows_no_actions_gets_their_commands(tmp_path_factory: pytest.TempPathFactory) -> None:
    folders = Folders(tmp_path_factory.mktemp("plain"))
    plain = capabilities()
    plain.text_document = types.TextDocumentClientCapabilities()
    async with editor(folders.workspace, home=folders.home, can=plain) as made:
        made.open("untitled:odd", "def f(:\n    return 1\n")
        assert await made.actions("untitled:odd", 1) == []
        made.open("untitled:sums", MODULE)
        identifier, start = types.TextDocumentIdentifier("untitled:sums"), types.Position(line=5, character=0)
        place = types.Range(start=start, end=start)
        params = types.CodeActionParams(identifier, place, types.CodeActionContext(diagnostics=[]))
        found = await made.client.text_document_code_action_async(params) or []
        assert all(isinstance(each, types.Command) and each.command == "codeens.run" for each in found)
        assert [each.title for each in found] == [title.format("total") for title in RUNS]


async def test_the_kinds_and_commands_are_announced(tmp_path_factory: pytest.TempPathFactory) -> None:
    folders = Folders(tmp_path_factory.mktemp("kinds"))
    async with editor(folders.workspace, home=folders.home) as made:
        params = types.InitializeParams(capabilities=capabilities(), process_id=None)
        with pytest.raises(Exception, match="initialized already"):
            await made.client.initialize_async(params)
