"""What two texts of code have in common once comments, layout and docstrings are gone."""

from __future__ import annotations

import ast
import hashlib

from codeens_server.domain import Replacement
from codeens_server.generation.reply.python_text import Definition, parse


def digest(replacement: Replacement) -> str:
    """SHA-256 (hex) of the normalised syntax trees: equal for replacements that differ in layout and wording only.

    Names and annotations count, since a program can see them. The order of imports does not.
    """
    parts = [*sorted(replacement.imports), *replacement.helpers, replacement.function]
    return hashlib.sha256("\0".join(map(normalised, parts)).encode()).hexdigest()


def same_code(one: str, other: str) -> bool:
    """Whether two texts differ in comments, layout and docstrings only."""
    return normalised(one) == normalised(other)


def normalised(text: str) -> str:
    """The dump of a text's tree without docstrings; the text itself where it is not Python."""
    tree = parse(text)
    if not isinstance(tree, ast.Module):
        return text
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | Definition) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    try:
        return ast.dump(tree)
    except RecursionError:
        return text
