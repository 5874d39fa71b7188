"""Templates made into pages: all text in them is escaped, and what drives a terminal or a direction is written out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import cast

import msgspec
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader

from codeens_server.dashboard.charts import plotly_script
from codeens_server.domain.systems import Share
from codeens_server.text import money, one_line, plural, visible


def shown(name: str, /, **facts: object) -> HTMLResponse:
    """Return the page of a template."""
    return HTMLResponse(_templates().get_template(name).render(**facts))


def error_page(message: str) -> str:
    """Return a page that says why another is not shown."""
    return _templates().get_template("error.html").render(message=message)


@lru_cache(maxsize=1)
def _templates() -> Environment:
    found = Environment(
        loader=PackageLoader("codeens_server.dashboard"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    filters = cast("dict[str, Callable[..., object]]", found.filters)
    filters.update(money=money, line=one_line, share=share_text, size=_size, when=_when, plural=plural, visible=visible)
    filters.update(seconds=_seconds, data=_data)
    cast("dict[str, object]", found.globals)["has_plotly"] = plotly_script() is not None
    return found


def _when(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"


def _data(rows: object) -> str:
    """Write Structs as JSON for a script; the template escapes it as the text of an attribute."""
    return msgspec.json.encode(rows).decode()


def _seconds(count: float) -> str:
    return f"{count:.3g} s" if count < 1000 else f"{count:.0f} s"


def share_text(share: Share) -> str:
    """Write a share with its interval, in percent; nothing where there are no cases."""
    if not share.cases:
        return ""
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def _size(count: int) -> str:
    """Write bytes to three digits."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} TiB"
