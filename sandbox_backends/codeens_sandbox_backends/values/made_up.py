"""Functions among the arguments of a call that were made up: which they are, and what they raise."""

from __future__ import annotations

from collections.abc import Iterable

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.check import open_node
from codeens_sandbox_backends.worker.values.callbacks import AWAITED, RAISING


def function_in(value: Encoded) -> Encoded:
    """Return the function that an async one is around; any other value as it is."""
    node = open_node(value)
    return node.children[0] if node.tag == AWAITED else value


def raised_by_functions(values: Iterable[Encoded]) -> frozenset[str]:
    """Return names, without their modules, of what functions among the arguments of a call raise."""
    nodes = (open_node(function_in(value)) for value in values)
    return frozenset(node.head[0].rpartition(":")[2] for node in nodes if node.tag == RAISING)


def with_raised(call: CallInput, name: str) -> CallInput | None:
    """Return a call whose functions raise another class of exceptions; None where none of them raises."""
    args = tuple(_raising(value, name) for value in call.args)
    kwargs = {key: _raising(value, name) for key, value in call.kwargs.items()}
    changed = CallInput(args=args, kwargs=kwargs)
    return changed if changed != call else None


def _raising(value: Encoded, name: str) -> Encoded:
    node = open_node(function_in(value))
    if node.tag != RAISING:
        return value
    other = [RAISING, name, *node.children]
    return [AWAITED, other] if open_node(value).tag == AWAITED else other
