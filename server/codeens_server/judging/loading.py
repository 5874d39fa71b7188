"""Whether a candidate does something when it is loaded, beside being defined, that the original does not do then."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

import anyio.to_thread
from msgspec import structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob
from codeens_sandbox_backends.programs import Program
from codeens_sandbox_backends.values.render import channel_words
from codeens_server.domain.target import Replacement, Target
from codeens_server.syntax.parsing import ParseFailure, parse
from codeens_server.workspace.edit import ConflictError, program_for

_IMPORTS = (ast.Import, ast.ImportFrom)
_LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_ACTING = (
    *(ast.Call, ast.Subscript, ast.AugAssign, ast.Delete, ast.For, ast.While, ast.With, ast.Await, ast.comprehension),
)
_ASKING = (
    *(ast.Attribute, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.FormattedValue, ast.Starred, ast.IfExp),
    *(ast.If, ast.Assert, ast.Raise, ast.Match),
)
"""What runs methods of the objects that it names, and so may do anything: `REGISTRY | own`, `f"{shown}"`."""
_MOST_NAMED = 3


async def done_by_loading(
    program: Program, replacement: Replacement, *, target: Target, sandbox: Sandbox
) -> str | None:
    """Return what a candidate's program leaves otherwise than the original does, once both are loaded; None: nothing.

    Both import the same: what a module does when it is imported is nobody's doing here.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    parts = await anyio.to_thread.run_sync(_parsed, replacement)
    if not any(acts_when_loaded(part) for part in parts):
        return None
    original = await anyio.to_thread.run_sync(_original, target, parts)
    job = CallsJob(program=program, inputs=(), loading=True)
    ours = await sandbox.run(structs.replace(job, program=original))
    theirs = await sandbox.run(job)
    if not ours.loaded or not theirs.loaded or not (found := _unequal(ours.loading, theirs.loading)):
        return None
    again = await sandbox.run(structs.replace(job, program=original, fresh=True))
    steady = [channel for channel in found if ours.loading.get(channel) == again.loading.get(channel)]
    if not steady:
        return None
    words = ", ".join(channel_words(channel) for channel in steady[:_MOST_NAMED])
    return f"it changes something when it is loaded, and the original does not: {words}"


def _unequal(ours: dict[str, str], theirs: dict[str, str]) -> list[str]:
    return sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))


def _parsed(replacement: Replacement) -> list[ast.Module]:
    parts = [parse(part) for part in (*replacement.imports, *replacement.helpers, replacement.function)]
    return [part for part in parts if not isinstance(part, ParseFailure)]


def acts_when_loaded(module: ast.Module) -> bool:
    """Return whether running a module's statements may do more than bind its names to what is written there."""
    return any(
        isinstance(node, _ACTING)
        or (isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load))
        or (isinstance(node, (*_LATER[:2], ast.ClassDef)) and bool(node.decorator_list))
        or (isinstance(node, ast.ClassDef) and bool(node.bases or node.keywords))
        or (isinstance(node, _ASKING) and any(isinstance(each, ast.Name) for each in ast.walk(node)))
        or (isinstance(node, ast.Assign) and _unpacks(node))
        for node in _run_when_loaded(module)
    )


def _unpacks(assigned: ast.Assign) -> bool:
    """Return whether an iterator may be read: one that stands under a name."""
    several = (ast.Tuple, ast.List)
    return isinstance(assigned.value, ast.Name) and any(isinstance(each, several) for each in assigned.targets)


def _run_when_loaded(module: ast.Module) -> Iterator[ast.AST]:
    """Yield what runs when the module is loaded: of functions decorators, defaults, and calls in annotations."""
    todo: list[ast.AST] = [*module.body]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, _LATER):
            arguments = node.args
            todo += [*arguments.defaults, *(each for each in arguments.kw_defaults if each is not None)]
            todo += [] if isinstance(node, ast.Lambda) else [*node.decorator_list, *_called_in_annotations(node)]
        else:
            todo += ast.iter_child_nodes(node)


def _called_in_annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.AST]:
    given = (node.annotation for node in ast.walk(function.args) if isinstance(node, ast.arg))
    written = [annotation for annotation in (*given, function.returns) if annotation is not None]
    return [node for annotation in written for node in ast.walk(annotation) if isinstance(node, ast.Call)]


def _original(target: Target, parts: Iterable[ast.Module]) -> Program:
    """Return the original's program that imports what a replacement does; where it tries to, so does this."""
    made = {ast.unparse(node) for part in parts for node in part.body if isinstance(node, _IMPORTS)}
    nodes = (node for part in parts for node in _run_when_loaded(part) if isinstance(node, _IMPORTS))
    tried = dict.fromkeys(text for node in nodes if (text := ast.unparse(node)) not in made)
    helpers = (f"try:\n    {text}\nexcept ImportError:\n    pass" for text in tried)
    like = Replacement(function=target.source, imports=tuple(sorted(made)), helpers=tuple(helpers))
    try:
        return program_for(target, like)
    except ConflictError:
        return program_for(target, None)
