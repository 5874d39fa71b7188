"""Calls that are written as Python."""

from __future__ import annotations

import ast

from codeens_mcp_tools.errors import ToolError
from codeens_sandbox_backends.base import CallInput
from codeens_server.evidence.literal_calls import NotLiteral, expression, literal
from codeens_server.evidence.strategies.definitions import dotted_name


def read_call(text: str) -> tuple[str, CallInput]:
    """The name that is called, and the arguments.

    Raises:
        ToolError: it is no call, or an argument is not a literal.
    """
    try:
        node = expression(text)
        if isinstance(node, ast.Call) and (name := dotted_name(node.func)):
            kwargs = {keyword.arg or "**": literal(keyword.value) for keyword in node.keywords}
            if "**" not in kwargs:
                return name, CallInput(args=tuple(literal(argument) for argument in node.args), kwargs=kwargs)
    except NotLiteral:
        pass
    raise ToolError(
        f"{text[:200]!r} is no call with literal arguments. Write calls as Python would, for instance "
        "f([1, 2], key={'a': (3, None)}). For other arguments use `tests`: Python code that builds them and asserts."
    )
