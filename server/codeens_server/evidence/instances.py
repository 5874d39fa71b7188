"""Instances of a class as its constructor makes them and its methods leave them: a cache that is full, a counter that
was moved on.

What an `__init__` computes is not told by its text, and fields that are drawn seldom fit each other as methods leave
them. So the class itself is asked: a function behind its module calls what was drawn.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from functools import partial
from itertools import cycle, islice

import anyio.to_thread
from msgspec import structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import CallInput, Encoded, Outcome, Program, Returned
from codeens_sandbox_backends.values.check import open_node
from codeens_sandbox_backends.values.compare import canonical
from codeens_server.domain.target import Target
from codeens_server.evidence.strategies.definitions import Definitions, dotted_name
from codeens_server.evidence.strategies.draw import draw
from codeens_server.evidence.strategies.inputs import has_instance, plan_inputs
from codeens_server.workspace.find import signature_of

_LENGTHS = (0, 1, 2, 3, 5, 8, 12, 20)
"""Calls before an instance is as it is kept."""
_MADE = 32
_DRAWN = 24
"""Calls of each method."""
_MOST_METHODS = 6
_LARGEST = 4_000
"""Characters of an encoded instance."""
_SPECIAL = frozenset({"__setitem__", "__delitem__", "__call__", "__iadd__", "__ior__", "__enter__", "__next__"})
_CHANGING = frozenset(
    (
        *("append", "appendleft", "add", "pop", "popleft", "popitem", "update", "insert", "remove", "discard", "clear"),
        *("extend", "setdefault", "sort", "put", "push", "move_to_end", "heappush", "heappop", "reverse"),
    )
)
_NAME = "_as_methods_leave_it"
_BEHIND = f"""


def {_NAME}(made, given, calls):
    if made is None:
        made = {{owner}}(*given[0], **given[1])
    for name, args, kwargs in calls:
        try:
            getattr(made, name)(*args, **kwargs)
        except Exception:
            continue
    return made
"""


async def made_instances(target: Target, source: str, program: Program, *, sandbox: Sandbox) -> list[Encoded]:
    """Return different instances of a method's class that have an encoding; none where its fields say all of them.

    Args:
        target: the method.
        source: text of its file.
        program: the module as it stands.
        sandbox: where it runs.

    Raises:
        SandboxError: the sandbox failed.
    """
    if not has_instance(target):
        return []
    calls = await anyio.to_thread.run_sync(partial(_calls, target, source), abandon_on_cancel=True)
    if not calls:
        return []
    owner = target.qualname.rpartition(".")[0]
    first, *others = program.modules
    behind = structs.replace(first, source=first.source + _BEHIND.format(owner=owner))
    asked = structs.replace(program, qualname=_NAME, modules=(behind, *others), definition=None)
    ran = await sandbox.run(CallsJob(program=asked, inputs=calls, limits=Limits(wall_s=5.0, call_s=0.5)))
    made = [value for outcome in ran.outcomes for value in _instance_in(outcome, f"{target.module}:{owner}")]
    return list({canonical(value): value for value in made}.values())


def _instance_in(outcome: Outcome, name: str) -> Iterator[Encoded]:
    node = open_node(outcome.value if isinstance(outcome, Returned) else None)
    if isinstance(outcome, Returned) and node.tag == "object" and node.head[0] == name:
        yield from [outcome.value] if len(canonical(outcome.value)) <= _LARGEST else []


def _calls(target: Target, source: str) -> tuple[CallInput, ...]:
    """Return calls of the function behind the module; none where there is nothing to begin with, or to change."""
    definitions = Definitions(source)
    owner = target.qualname.rpartition(".")[0]
    node = definitions.classes.get(owner)
    if node is None:
        return ()
    chance = random.Random(f"{target.module}:{owner}")  # noqa: S311
    methods = [
        (method.name, drawn)
        for method in islice(filter(_changes_itself, _methods(node, definitions)), _MOST_METHODS)
        if (drawn := _drawn(target, method, source))
    ]
    if not methods and definitions.fields(owner) is not None:
        return ()
    begins = _begins(target, node, definitions, source)
    made: list[CallInput] = []
    for begin, length in islice(zip(cycle(begins), cycle(_LENGTHS), strict=False), _MADE):
        some = [(name, chance.choice(drawn)) for name, drawn in chance.choices(methods, k=length)] if methods else []
        steps = [["tuple", name, ["tuple", *call.args], _keywords(call)] for name, call in some]
        made.append(CallInput(args=(*begin, ["list", *steps])))
    return tuple(made)


def _begins(target: Target, node: ast.ClassDef, definitions: Definitions, source: str) -> list[tuple[Encoded, Encoded]]:
    """Return pairs of an instance, or null, and of what its class is called with to make one."""
    owner = target.qualname.rpartition(".")[0]
    init = next((method for method in _methods(node, definitions) if method.name == "__init__"), None)
    if init is not None:
        calls = _drawn(target, init, source)
        return [(None, ["tuple", ["tuple", *call.args], _keywords(call)]) for call in calls]
    if definitions.fields(owner) is None:
        return []
    bare = structs.replace(target, qualname=f"{owner}.self", parameters=target.parameters[:1], source="", docstring="")
    strategy = plan_inputs(bare, (), source).strategy
    drawn = draw(strategy, _DRAWN, seed=owner) if strategy is not None else []
    return [(call.args[0], None) for call in drawn]


def _drawn(target: Target, method: ast.FunctionDef, source: str) -> list[CallInput]:
    """Return calls of another method of the target's class, without the instance."""
    owner = target.qualname.rpartition(".")[0]
    parameters = signature_of(method.args)[1:]
    if not parameters:
        return [CallInput()]
    alone = structs.replace(
        target,
        qualname=f"{owner}.{method.name}",
        kind="staticmethod",
        source=ast.unparse(method),
        docstring=ast.get_docstring(method),
        parameters=tuple(parameters),
    )
    strategy = plan_inputs(alone, (), source).strategy
    return draw(strategy, _DRAWN, seed=method.name, max_seconds=1.0) if strategy is not None else []


def _keywords(call: CallInput) -> Encoded:
    return ["dict", *([name, value] for name, value in call.kwargs.items())]


def _methods(node: ast.ClassDef, definitions: Definitions) -> list[ast.FunctionDef]:
    """Return plain methods of a class and of its bases in the same module, each name once."""
    found: dict[str, ast.FunctionDef] = {}
    todo, seen = [node], set[str]()
    for each in todo:
        seen.add(each.name)
        plain = (part for part in each.body if isinstance(part, ast.FunctionDef) and not part.decorator_list)
        for part in plain:
            found.setdefault(part.name, part)
        names = [dotted_name(base) for base in each.bases]
        todo += [definitions.classes[name] for name in names if name in definitions.classes and name not in seen]
    return list(found.values())


def _changes_itself(method: ast.FunctionDef) -> bool:
    """Whether callers call a method, and it changes the instance or what its fields hold."""
    if (method.name.startswith("_") and method.name not in _SPECIAL) or not method.args.args:
        return False
    instance = method.args.args[0].arg
    return any(_changes(node, instance) for node in ast.walk(method))


def _changes(node: ast.AST, instance: str) -> bool:
    match node:
        case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
            return _begins_with(node, instance)
        case ast.Call(func=ast.Attribute(attr=name) as called) if name in _CHANGING:
            return _begins_with(called, instance) or any(_begins_with(value, instance) for value in node.args)
        case _:
            return False


def _begins_with(node: ast.AST, instance: str) -> bool:
    """Whether an expression is a way from the instance into its fields."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return isinstance(node, ast.Name) and node.id == instance
