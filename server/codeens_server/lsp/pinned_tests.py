"""A kept input as a pytest test, put into the file of tests that stands nearest to the function."""

from __future__ import annotations

import ast
from pathlib import Path

from codeens_sandbox_backends.base import Raised, Returned
from codeens_sandbox_backends.values.compare import same
from codeens_sandbox_backends.values.source import NoSource, import_of, source_of
from codeens_server.domain import Case, Run, Target
from codeens_server.errors import InputError, TargetError
from codeens_server.workspace.text import newline_of, parse_source


def source_of_test(case: Case, target: Target, number: int) -> tuple[list[str], str]:
    """The imports and the function of a test that demands what was decided.

    Raises:
        InputError: the target is a method or nested, or a value cannot be written as source.
    """
    if target.kind != "function" or target.is_async or target.is_generator:
        kind = "generator" if target.is_generator else "coroutine" if target.is_async else target.kind
        raise InputError(f"only inputs of plain functions are written as tests, and {target.qualname} is a {kind}.")
    try:
        return _test_of(case, target.module, target.qualname, number)
    except NoSource as why:
        raise InputError(f"this input cannot be written as a test: it has {why}. Write the test by hand.") from None


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
            raise InputError("this input cannot be kept as a test: nobody says what comes out.")
    body = "".join(f"    {line}\n" for line in lines)
    return sorted(imports - {""}), f"def test_{name}_on_kept_input_{number}():\n{body}"


def file_of_test(run: Run) -> Path:
    """Where the test goes: the one file whose tests reach the function, else a new one."""
    root = Path(run.target.root)
    files = {test.id.partition("::")[0] for test in run.evidence.tests}
    if len(files) == 1 and (known := root / files.pop()).is_file():
        return known
    name = f"test_{Path(run.target.path).stem}.py"
    folder = root / "tests" if (root / "tests").is_dir() else Path(run.target.path).parent
    return folder / name


def appended(text: str, imports: list[str], function: str) -> str:
    """What to add at the end of a file of tests: one more test, with those imports inside that the file has not.

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
    """The first number that no kept test of a function has in a file of tests."""
    try:
        tree = parse_source(text, "the file of tests")
    except TargetError:
        return 1
    taken = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return next(number for number in range(1, len(taken) + 2) if f"test_{name}_on_kept_input_{number}" not in taken)
