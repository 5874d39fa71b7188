"""A task as a module with one function to be written."""

from __future__ import annotations

import ast

from codeens_mcp_tools.errors import ToolError
from codeens_server.tasks.checks import defines
from codeens_server.tasks.schema import Task


def module_for(task: Task) -> str:
    """The prompt where it is Python that defines the function; else a function without a body, with it as docstring.

    Raises:
        ToolError: the task asks for a script, or for something that is no function.
    """
    if not task.entry_point.isidentifier():
        raise ToolError(f"entry_point is {task.entry_point!r}, which is no name of a function.")
    if any(case.stdin is not None for case in task.test_cases):
        raise ToolError(
            "This task asks for a script (its test_cases have stdin), and candidates are made for functions only. "
            "Write the scripts yourself, and call score with the task and candidates=[{id, source}]."
        )
    if (stub := stub_of(task)) is not None:
        return stub
    names = ", ".join(_parameters(task))
    return f"def {task.entry_point}({names}):\n    {ast.unparse(ast.Constant(task.prompt.strip()))}\n"


def stub_of(task: Task) -> str | None:
    """The prompt as a module, where it is Python that defines the function."""
    texts = (task.prompt, f"{task.prompt.rstrip()}\n    ...\n")
    return next((text for text in texts if defines(text, task.entry_point)), None)


def _parameters(task: Task) -> list[str]:
    """As the test cases call it."""
    if not task.test_cases:
        return ["*args", "**kwargs"]
    case = task.test_cases[0]
    return [*(f"argument_{number}" for number in range(1, len(case.args) + 1)), *case.kwargs]
