"""Notice definitions that say "the rest stays as it is": such code is not whole, and is never run."""

from __future__ import annotations

import ast
import io
import re
import tokenize

from codeens_server.syntax.parsing import parse

_CODE = r"(?:code|logic|implementation|body|function|method|lines?|part|steps?|checks?|validation|handling)"
_OLD = "rest|remaining|existing|previous|original|same|other"
_THAT = rf"(?:(?:rest|remainder) of (?:the |your |this )?|(?:{_OLD}) ){_CODE}"
_STAYS = r"(?:unchanged|as (?:before|is|above|in the original)|(?:stays?|remains?|is) the same|here|omitted|elided)"
_DOTS = r"(?:\.{3,}|…)"
_PLACEHOLDERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^{_DOTS}$",
        rf"^{_DOTS}\s*\(?(?:the )?(?:{_THAT}\b|(?:.*\b)?unchanged\b|as before\b)",
        rf"^\(?(?:the )?{_THAT}\W*(?:$|.*\b{_STAYS}\W*$|.*{_DOTS}$)",
        r"^\(?(?:the )?(?:rest|remainder)\b.*\b(?:unchanged|as before|as is|omitted|elided|goes here)\b",
        rf"^(?:rest|remainder|existing code)\b.*{_DOTS}$",
    )
)
"""What models write in place of code that they do not repeat: collected from replies, each anchored at its beginning,
as an honest comment may speak of "the rest" as well."""


def left_out_in(definition: str, shown: str) -> str:
    """Return the mark by which a definition says that it leaves code out; empty when it has none.

    A comment that stands in what was shown to the model is none.
    """
    comment = _placeholder_comment(definition)
    return comment if comment and comment not in shown else _bare_dots(definition)


def _placeholder_comment(definition: str) -> str:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(definition).readline))
    except (tokenize.TokenError, SyntaxError):
        return ""
    for token in tokens:
        alone = token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip()
        text = token.string.lstrip("#").strip() if alone else ""
        if text and any(pattern.search(text) for pattern in _PLACEHOLDERS):
            return token.string
    return ""


def _bare_dots(definition: str) -> str:
    """Return `...` where it stands among the statements of the function itself, which does something besides."""
    tree = parse(definition)
    if not isinstance(tree, ast.Module) or len(tree.body) != 1:
        return ""
    body = getattr(tree.body[0], "body", [])
    dots = any(isinstance(item, ast.Expr) and _is_dots(item.value) for item in body)
    return "..." if dots and len(body) > 1 else ""


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...
