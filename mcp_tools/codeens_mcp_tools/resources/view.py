"""The page that shows a run inside an agent's window: one file, that loads nothing and talks to its window only."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def page() -> str:
    """The page as HTML. Its policy lets nothing run but its own script, known by its digest."""
    folder = files("codeens_mcp_tools") / "page"
    html, style, script = ((folder / name).read_text(encoding="utf-8") for name in ("run.html", "run.css", "run.js"))
    policy = f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; base-uri 'none'"
    return html.replace("{policy}", policy).replace("{style}", style).replace("{script}", script)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
