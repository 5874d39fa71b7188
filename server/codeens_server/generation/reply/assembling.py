"""A replacement as one text."""

from __future__ import annotations

from codeens_server.domain import Replacement


def source_of(replacement: Replacement) -> str:
    """Imports, helpers and the function, in the order in which a module would have them."""
    imports = "\n".join(replacement.imports)
    parts = [*([imports] if imports else []), *replacement.helpers, replacement.function]
    return "\n\n\n".join(parts) + "\n"
