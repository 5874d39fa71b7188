"""Tables of words, written as Markdown, HTML or CSV: what strangers wrote in a cell is text wherever it is opened."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from codeens_server.text import visible

_PLAIN_NUMBER = re.compile(r"[+-]?[\d.,]+(?:[eE][+-]?\d+)?")
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}th,td{padding:.35em .8em .35em 0;text-align:left;vertical-align:top}"
    "tr+tr,tbody tr{border-top:1px solid #dfe0e7}thead th{color:#5b5e6b;font-weight:400}.n{text-align:right}"
)


class Sheet(NamedTuple):
    """A table: cells are plain text, all but the first column are figures where `figures` says so."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    figures: bool = True


class Paper(NamedTuple):
    """What is written at once: a heading, sentences, tables."""

    title: str
    sentences: tuple[str, ...]
    sheets: tuple[Sheet, ...]


def as_markdown(paper: Paper) -> str:
    """Return it as Markdown."""
    parts = [f"# {markdown_text(paper.title)}", *map(markdown_text, paper.sentences)]
    for sheet in paper.sheets:
        parts += [f"## {markdown_text(sheet.title)}", markdown_table(sheet)]
    return "\n\n".join(parts) + "\n"


def as_html(paper: Paper) -> str:
    """Return it as one page that loads and runs nothing."""
    title = _escaped(paper.title)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    body = [f"<h1>{title}</h1>", *(f"<p>{_escaped(sentence)}</p>" for sentence in paper.sentences)]
    body += [f"<h2>{_escaped(sheet.title)}</h2>\n{_html_table(sheet)}" for sheet in paper.sheets]
    start = f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head><body>'
    return "\n".join([start, *body, "</body></html>"]) + "\n"


def as_csv(paper: Paper) -> str:
    """Return its tables, one after another with an empty line between them (RFC 4180)."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    for number, sheet in enumerate(paper.sheets):
        if number:
            writer.writerow(())
        if len(paper.sheets) > 1:
            writer.writerow((_csv_cell(sheet.title),))
        writer.writerows([_csv_cell(cell) for cell in row] for row in [sheet.columns, *sheet.rows])
    return file.getvalue()


def markdown_table(sheet: Sheet) -> str:
    """Return a table as Markdown."""
    line = " | ".join(["---", *(["--:" if sheet.figures else "---"] * (len(sheet.columns) - 1))])
    rows = [" | ".join(map(markdown_text, row)) for row in sheet.rows]
    return "\n".join(f"| {row} |" for row in [" | ".join(map(markdown_text, sheet.columns)), line, *rows])


def markdown_text(text: str) -> str:
    """Return a text that ends no cell, begins no markup and loads no picture, whoever wrote it."""
    flat = visible(text).replace("\n", " ")
    for sign in "\\`|<>[]*_":
        flat = flat.replace(sign, f"\\{sign}")
    return flat


def _html_table(sheet: Sheet) -> str:
    head, body = _html_row("th", sheet.columns, sheet), _html_rows(sheet.rows, sheet)
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def _html_rows(rows: Iterable[Sequence[str]], sheet: Sheet) -> str:
    return "\n".join(_html_row("td", row, sheet) for row in rows)


def _html_row(name: str, cells: Sequence[str], sheet: Sheet) -> str:
    kinds = [' class="n"' if sheet.figures and number else "" for number in range(len(cells))]
    made = [f"<{name}{kind}>{_escaped(cell)}</{name}>" for kind, cell in zip(kinds, cells, strict=True)]
    return f"<tr>{''.join(made)}</tr>"


def _escaped(text: str) -> str:
    return html.escape(visible(text))


def _csv_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    shown = visible(text)
    is_formula = shown.startswith(("=", "+", "-", "@", "\t")) and not _PLAIN_NUMBER.fullmatch(shown)
    return f"'{shown}" if is_formula else shown
