"""What the texts of a task say as Python: the prompt, the reference solution, a candidate."""

from __future__ import annotations

import ast
from functools import lru_cache

from codeens_server.syntax.parsing import ParseFailure, parse


def defines(source: str, name: str) -> bool:
    """Return whether a text is Python that defines a function of that name at its top."""
    module = parse(source)
    return isinstance(module, ast.Module) and any(getattr(node, "name", None) == name for node in module.body)


@lru_cache(maxsize=512)
def helpers_of(prompt: str, entry_point: str) -> str:
    """Return what a prompt that defines the function it asks for defines beside it; tests may call that.

    Other prompts are words, also where these happen to be Python.
    """
    stub = stub_of(prompt, entry_point)
    module = parse(stub or "")
    if stub is None or isinstance(module, ParseFailure):
        return ""
    module.body = [node for node in module.body if getattr(node, "name", None) != entry_point]
    return ast.unparse(module)


def stub_of(prompt: str, entry_point: str) -> str | None:
    """Return the prompt as a module, where it is Python that defines the function."""
    texts = (prompt, f"{prompt.rstrip()}\n    ...\n")
    return next((text for text in texts if defines(text, entry_point)), None)
