"""Shapes that models wrap a function in, made from a function that is known to work."""

from __future__ import annotations

import ast
import html
import json
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


def _original(function: str) -> str:
    return f"{_header(function)}\n    raise RuntimeError('this is the slow one')"


def _patched(function: str, stub: str) -> str:
    """A unified diff from the stub's definition to the function: all of its lines below the signature are new."""
    shown = stub.rstrip("\n").split("\n")[-3:]
    new = _body(function).split("\n")
    return "\n".join(["@@ -1,3 +1,9 @@", *(f" {line}" for line in shown), *(f"+{line}" for line in new)])


def _search_replace(function: str, stub: str) -> str:
    shown = "\n".join(stub.rstrip("\n").split("\n")[-2:])
    return f"<<<<<<< SEARCH\n{shown}\n=======\n{shown}\n{_body(function)}\n>>>>>>> REPLACE"


def _prompted(function: str) -> str:
    first, *rest = function.split("\n")
    return "\n".join([f">>> {first}", *(f"... {line}" for line in rest), "...", f">>> {_name(function)}", "<function>"])


def _numbered(function: str, separator: str) -> str:
    return "\n".join(f"{number}{separator}{line}" for number, line in enumerate(function.split("\n"), 1))


def _under_another_name(function: str) -> str:
    name = _name(function)
    return re.sub(rf"\b{name}\b", "quick", function) + f"\n\n{name} = quick\n"


def _notebook(function: str) -> str:
    cells = [
        {"cell_type": "markdown", "source": ["# The answer"]},
        {"cell_type": "code", "source": [f"{line}\n" for line in function.split("\n")]},
    ]
    return json.dumps({"cells": cells, "nbformat": 4})


THOUGHT = "Perhaps this will do:\n{0}\nNo, that is not even right."
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
    "thinking before bare code": lambda function, _: (
        f"<think>\n{THOUGHT.format(_fence(_original(function)))}\n</think>\n\n{function}"
    ),
    "thinking without its opening": lambda function, _: (
        f"{THOUGHT.format(_fence(_original(function)))}\n</think>\n\n{_fence(function)}"
    ),
    "thinking never closed": lambda function, _: f"<thinking>\nLet me see.\n\n{_fence(function)}",
    "thinking in brackets": lambda function, _: f"[THINK]{_fence(_original(function))}[/THINK]{_fence(function)}",
    "thinking in signs": lambda function, _: f"◁think▷{_fence(_original(function))}◁/think▷\n{_fence(function, '')}",
    "long thinking": lambda function, _: f"<think>\n{'word ' * 21_000}\n</think>\n{_fence(function)}",
    "answer within thinking alone": lambda function, _: f"<think>\n{_fence(function)}\n</think>",
    "final channel": lambda function, _: (
        f"<|channel|>analysis<|message|>{_original(function)}<|end|><|start|>assistant"
        f"<|channel|>final<|message|>{_fence(function)}<|return|>"
    ),
    "end of text glued on": lambda function, _: f"{function}<|endoftext|>",
    "the next turn made up": lambda function, _: f"{_fence(function)}\n<|im_end|>\n<|im_start|>user\nThanks!",
    "byte order mark": lambda function, _: f"\ufeff{function}",
    "no-break spaces": lambda function, _: _fence(function.replace("    ", "\u00a0 \u00a0 ")),
    "zero width marks": lambda function, _: _fence(
        function.replace("def ", "def \u200b").replace("return", "\u200breturn")
    ),
    "prompts": lambda function, _: _fence(_prompted(function), "pycon"),
    "quoted as in mail": lambda function, _: "\n".join(f"> {line}" for line in function.split("\n")),
    "line numbers with bars": lambda function, _: _fence(_numbered(function, " | ")),
    "line numbers with colons": lambda function, _: _fence(_numbered(function, ": "), ""),
    "HTML": lambda function, _: f'<pre><code class="language-python">{html.escape(function)}</code></pre>',
    "JSON": lambda function, _: json.dumps({"explanation": "It's quick.", "code": function}),
    "JSON in a fence": lambda function, _: _fence(json.dumps({"code": function}, indent=2), "json"),
    "JSON text": lambda function, _: json.dumps(function),
    "line ends escaped": lambda function, _: function.replace("\\", "\\\\").replace("\n", "\\n"),
    "notebook": lambda function, _: _notebook(function),
    "diff": lambda function, stub: f"{PROSE}\n{_fence(_patched(function, stub), 'diff')}",
    "search and replace": lambda function, stub: f"{PROSE}\n{_fence(_search_replace(function, stub))}",
    "apply_patch": lambda function, stub: (
        f"*** Begin Patch\n*** Update File: main.py\n{_patched(function, stub)}\n*** End Patch"
    ),
    "under another name": lambda function, _: _under_another_name(function),
    "torn in the prose": lambda function, _: f"{_fence(function)}\n\nThis works bec",
}
