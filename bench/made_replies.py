"""Shapes that models wrap a function in, made from a function that is known to work."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable
from typing import TypeAlias

Shape: TypeAlias = Callable[[str, str], str]
"""Takes the function, as `ast.unparse` writes it without docstrings (no string is on several lines), and the stub."""


def made_replies(function: str, stub: str) -> dict[str, str]:
    """Shape → the function as a reply of that shape."""
    return {name: shape(function, stub) for name, shape in SHAPES.items()}


def plain(function: str) -> str:
    """The function without docstrings, in the layout that the shapes need."""
    tree = ast.parse(function)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def parameters(code: str) -> list[str]:
    """Names of the parameters of the last function at the top of a text."""
    functions = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    return [argument.arg for argument in functions[-1].args.args]


def _fence(code: str, language: str = "python", mark: str = "```") -> str:
    return f"{mark}{language}\n{code}\n{mark}"


def _body(function: str) -> str:
    first = ast.parse(function).body[0]
    assert isinstance(first, ast.FunctionDef)
    return "\n".join(function.split("\n")[first.body[0].lineno - 1 :])


def _header(function: str) -> str:
    first = ast.parse(function).body[0]
    assert isinstance(first, ast.FunctionDef)
    return "\n".join(function.split("\n")[: first.body[0].lineno - 1])


def _name(function: str) -> str:
    match = re.search(r"def (\w+)", function)
    assert match
    return match[1]


def _reindented(function: str, unit: str) -> str:
    return re.sub(r"^(?:    )+", lambda margin: unit * (len(margin[0]) // 4), function, flags=re.MULTILINE)


def _class_wrapper(function: str, _stub: str) -> str:
    name = _name(function)
    method = function.replace(f"def {name}()", f"def {name}(self)").replace(f"def {name}(", f"def {name}(self, ", 1)
    wrapped = textwrap.indent(method.replace("(self, self)", "(self)"), "    ")
    called = re.sub(rf"(?<!def )\b{name}\(", f"self.{name}(", wrapped)
    return _fence(f"class Solution:\n{called}")


PROSE = "Here's a solution that doesn't use anything fancy:"
AFTER = "This works because it's O(n).\n\n- It handles the edge cases\n- Let me know if you'd like tests!"
TESTS = "print({0}.__name__)\nassert callable({0})\n\nif __name__ == '__main__':\n    print({0}.__doc__)\n"

SHAPES: dict[str, Shape] = {
    "bare program": lambda function, _: function,
    "fence python": lambda function, _: _fence(function),
    "fence py": lambda function, _: _fence(function, "py"),
    "fence without language": lambda function, _: _fence(function, ""),
    "fence of tildes": lambda function, _: _fence(function, "python", "~~~"),
    "fence in prose": lambda function, _: f"{PROSE}\n\n{_fence(function)}\n\n{AFTER}",
    "fence opened within a line": lambda function, _: f"{PROSE} ```python\n{function}\n```",
    "fence in a list": lambda function, _: f"1. {PROSE}\n\n{textwrap.indent(_fence(function), '   ')}\n\n2. {AFTER}",
    "fence never closed": lambda function, _: f"{PROSE}\n```python\n{function}",
    "fence only closed": lambda function, _: f"{function}\n```\n{AFTER}",
    "stub and then solution": lambda function, stub: f"The stub:\n{_fence(stub)}\nThe solution:\n{_fence(function)}",
    "solution and then usage": lambda function, _: f"{_fence(function)}\nUsage:\n{_fence(f'print({_name(function)})')}",
    "output in a second fence": lambda function, _: f"{_fence(function)}\nOutput:\n{_fence('True', 'text')}",
    "imports in a first fence": lambda function, _: f"{_fence('import os, sys')}\nthen\n{_fence(function)}",
    "prose without fence": lambda function, _: f"{PROSE}\n\n{function}\n\n{AFTER}",
    "indented as a whole": lambda function, _: f"{PROSE}\n\n{textwrap.indent(function, '    ')}\n\n{AFTER}",
    "stub repeated before": lambda function, stub: f"{stub}\n\n{function}",
    "tests after": lambda function, _: f"{function}\n\n{TESTS.format(_name(function))}",
    "bare body": lambda function, _: _body(function),
    "bare body and more": lambda function, _: f"{_body(function)}\n\n\ndef other(values):\n    for value in val",
    "body in a fence": lambda function, _: f"{PROSE}\n{_fence(_body(function))}",
    "body without its first margin": lambda function, _: _body(function).lstrip(),
    "body at the margin": lambda function, _: textwrap.dedent(_body(function)),
    "body at the margin in a fence": lambda function, _: _fence(textwrap.dedent(_body(function))),
    "signature, then body at the margin": lambda function, _: (
        f"{_header(function)}\n{textwrap.dedent(_body(function))}"
    ),
    "class wrapper": _class_wrapper,
    "tabs": lambda function, _: _fence(_reindented(function, "\t")),
    "body in tabs": lambda function, _: _reindented(_body(function), "\t"),
    "two spaces": lambda function, _: _fence(_reindented(function, "  ")),
    "carriage returns": lambda function, _: _fence(function).replace("\n", "\r\n"),
    "torn in the next function": lambda function, _: f'```python\n{function}\n\ndef test_it():\n    assert call("un',
    "torn in the prose": lambda function, _: f"{_fence(function)}\n\nThis works bec",
}
