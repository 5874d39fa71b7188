"""`codeens.pinInputAsTest`: what is right on an input is decided, written as a test, and all candidates held to it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import anyio
from lsprotocol import types

from codeens_sandbox_backends.programs import Raised, Returned
from codeens_sandbox_backends.values.compare import same
from codeens_sandbox_backends.values.source import NoSource, import_of, source_of
from codeens_server.domain.document import RunDocument
from codeens_server.domain.evidence import Case
from codeens_server.domain.target import Target
from codeens_server.errors import Hint, InputError, TargetError
from codeens_server.lsp.documents.documents import Document, Documents
from codeens_server.lsp.runs.lookup import RunLookup
from codeens_server.lsp.runs.messages import PinArguments, PinnedTest, read, written
from codeens_server.lsp.runs.runs import RunTasks
from codeens_server.lsp.transport.client import Client
from codeens_server.workspace.text import newline_of, parse_source, read_source


class PinInput:
    """The command."""

    def __init__(self, client: Client, documents: Documents, lookup: RunLookup, runs: RunTasks) -> None:
        self._client = client
        self._documents = documents
        self._lookup = lookup
        self._runs = runs

    async def execute(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Decide, write the test, and judge all candidates again. Answered when the test is written."""
        asked = read(params, PinArguments)
        self._runs.check_trust()
        record = await self._lookup.record(asked.run_id)
        run = record.finished()
        _refuse_unwritable(run.target)
        async with self._runs.session(record) as session:
            case = await session.pin(record.run_id, asked.number, asked.right)
        try:
            path, test = await self._write(run, case)
        finally:
            # The input is pinned by now, whatever became of the test: no verdict of before counts any more.
            await self._runs.rejudge(record, params.work_done_token)
        return written(PinnedTest(run_id=record.run_id, uri=path.as_uri(), test=test))

    async def _write(self, run: RunDocument, case: Case) -> tuple[Path, str]:
        path = file_of_test(run)
        opened = self._documents.opened(path.as_uri())
        exists = opened is not None or await anyio.Path(path).is_file()
        document = opened or Document(path.as_uri(), read_source(path).text if exists else "")
        number = free_number(document.source, run.target.qualname)
        imports, function = source_of_test(case, run.target, number)
        text = appended(document.source, imports, function)
        edit = _edit(document, text, exists=exists, client=self._client)
        await self._client.make_edit(edit, "codeens: pin input as test")
        return path, text


def _edit(document: Document, added: str, *, exists: bool, client: Client) -> types.WorkspaceEdit:
    """Append the test to a file, which the same edit creates where the client can create files."""
    last = len(document.lines) - 1
    end = types.Position(line=last, character=document.units(last, len(document.lines[last])))
    edits = [types.TextEdit(range=types.Range(start=end, end=end), new_text=added)]
    if not exists and not client.creates_files:
        raise InputError(f"this editor cannot be asked to make the file {document.uri}; make an empty one first.")
    if not client.takes_versioned_edits:
        return types.WorkspaceEdit(changes={document.uri: edits})
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
    edit = types.TextDocumentEdit(text_document=identifier, edits=edits)
    made = [] if exists else [types.CreateFile(uri=document.uri)]
    return types.WorkspaceEdit(document_changes=[*made, edit])


def _refuse_unwritable(target: Target) -> None:
    if target.kind != "function" or target.is_async or target.is_generator:
        kind = "generator" if target.is_generator else "coroutine" if target.is_async else target.kind
        message = f"only inputs of plain functions are written as tests, and {target.qualname} is a {kind}."
        raise InputError(message, code="not_a_plain_function")


def source_of_test(case: Case, target: Target, number: int) -> tuple[list[str], str]:
    """Return the imports and the function of a test that demands what was decided.

    Raises:
        InputError: a value cannot be written as source.
    """
    try:
        return _test_of(case, target.module, target.qualname, number)
    except NoSource as why:
        message = f"this input cannot be written as a test: it has {why}."
        raise InputError(message, code="no_source", hint=Hint("fix", "Write the test by hand.")) from None


def _test_of(case: Case, module: str, name: str, number: int) -> tuple[list[str], str]:
    imports = {f"from {module} import {name}"}
    names = [f"argument_{index}" for index in range(len(case.input.args))]
    keywords = list(case.input.kwargs)
    bound = dict(zip([*names, *keywords], [*case.input.args, *case.input.kwargs.values()], strict=True))
    lines: list[str] = []
    for key, value in bound.items():
        text, more = source_of(value)
        imports |= more
        lines.append(f"{key} = {text}")
    call = f"{name}({', '.join([*names, *(f'{key}={key}' for key in keywords)])})"
    match case.expected:
        case Returned():
            text, more = source_of(case.expected.value)
            imports |= more
            lines.append(f"assert {call} == {text}")
            after = dict(zip([*names, *keywords], [*case.expected.args, *case.expected.kwargs.values()], strict=False))
            for key, tree in after.items():
                if not same(tree, bound[key]):
                    text, more = source_of(tree)
                    imports |= more
                    lines.append(f"assert {key} == {text}")
        case Raised():
            imports |= {"import pytest", import_of(case.expected.type)}
            lines += [f"with pytest.raises({case.expected.type.rpartition(':')[2]}):", f"    {call}"]
        case _:
            raise InputError("this input cannot be pinned as a test: nobody says what comes out.")
    body = "".join(f"    {line}\n" for line in lines)
    return sorted(imports - {""}), f"def test_{name}_on_pinned_input_{number}():\n{body}"


def file_of_test(run: RunDocument) -> Path:
    """Return the one file whose tests reach the function, else a new one."""
    root = Path(run.target.root)
    files = {test.id.partition("::")[0] for test in run.evidence.tests}
    if len(files) == 1 and (known := root / files.pop()).is_file():
        return known
    name = f"test_{Path(run.target.path).stem}.py"
    folder = root / "tests" if (root / "tests").is_dir() else Path(run.target.path).parent
    return folder / name


def appended(text: str, imports: list[str], function: str) -> str:
    """Return what to append to a file of tests: one more test, with the imports that the file lacks inside.

    Raises:
        TargetError: the text does not parse.
    """
    newline = newline_of(text)
    tree = parse_source(text, "the file of tests")
    present = {ast.unparse(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))}
    missing = [line for line in imports if line not in present]
    if not tree.body:
        added = "".join(f"{line}\n" for line in missing) + f"\n\n{function}"
    else:
        head, _, body = function.partition("\n")
        inside = "".join(f"    {line}\n" for line in missing)
        gap = "" if text.endswith(("\n", "\r")) else "\n"
        added = f"{gap}\n\n{head}\n{inside}{body}"
    return added.replace("\n", newline)


def free_number(text: str, name: str) -> int:
    """Return the first number that no pinned test of a function has in a file of tests."""
    try:
        tree = parse_source(text, "the file of tests")
    except TargetError:
        return 1
    taken = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return next(number for number in range(1, len(taken) + 2) if f"test_{name}_on_pinned_input_{number}" not in taken)
