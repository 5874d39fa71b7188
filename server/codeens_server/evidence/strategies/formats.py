"""Texts in the formats that functions read: what a parser takes is hardly ever drawn letter by letter."""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from codeens_server.evidence.strategies.definitions import last_name
from codeens_server.syntax.parsing import ParseFailure, parse

_JSON = ('"x y"', '{"a": 1, "b": [2.5, null]}', '[{"b": "\u00e9"}, NaN]', '{"a": 1}\n"b c"\n', '{"a": 1, "a": 2}')
_MOMENTS = ("2024-02-29", "2024-02-29T12:30:05", "2024-02-29T12:30:05+02:00", "20240229", "2024-02-29 23:59:59Z")
_URLS = ("http://u:p@Example.com:80/a/?x=1&x=2#f", "//host/a%20b", "https://a.b?c=d#", "mailto:a@b.c", "/a;p?b")
_QUERIES = ("a=1&b=2&a=3", "a=&b&c=%20+d", "b=2&a=1;c=3", "a%26b=c%3Dd&e=%2B")
_QUOTED = ("a%20b+c", "a%26b=c%3Dd&e=%2B%3B%2F", "%C3%A9", "%zz/", "a/b c")
_PATHS = ("a/b.tar.gz", ".hidden", "/a//b/../c/", "a.b/c", "a/.x.y", "./a.", "C:\\a\\b.txt")
_TABLES = ('a,"b, ""c""",d\n1,2,3\n', "a;b\n1;2\n", 'a,b\r\n"x\ny",\r\n')
_NUMBERS = ("1_000", " 12 ", "-0", "+7", "1e3", "NaN", "\u0663", "0x1f", "007")
_MARKUP = ("&lt;a&gt; &amp;amp; &#39;", '<a b="c">\'&')
_COMMANDS = ("a 'b c' \"d\"", "a\\ b --c=d")
_LINES = ("a\nb\r\nc", "a\n\n b\n", "a\x0bb\x0cc", "a\u2028b")
_FORMATS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("loads", "JSONDecoder", "raw_decode"), _JSON),
    "fromisoformat": _MOMENTS,
    **dict.fromkeys(("urlparse", "urlsplit", "urljoin", "urldefrag"), _URLS),
    **dict.fromkeys(("parse_qs", "parse_qsl"), _QUERIES),
    **dict.fromkeys(("unquote", "unquote_plus", "quote", "quote_plus"), _QUOTED),
    **dict.fromkeys(("Path", "PurePath", "PurePosixPath", "splitext", "basename", "dirname", "normpath"), _PATHS),
    **dict.fromkeys(("reader", "DictReader"), _TABLES),
    **dict.fromkeys(("int", "float", "Decimal", "isdigit", "isdecimal", "isnumeric"), _NUMBERS),
    **dict.fromkeys(("unescape", "escape"), _MARKUP),
    "literal_eval": ("[1, 'a']", "{'a': (1, None)}", " 1 + 2j"),
    **dict.fromkeys(("shlex", "quote"), _COMMANDS),
    **dict.fromkeys(("fromhex", "unhexlify"), ("00ff", "DE AD")),
    **dict.fromkeys(("ip_address", "ip_network", "IPv4Address"), ("127.0.0.1", "::1", "10.0.0.0/8", "1.2.3.04")),
    **dict.fromkeys(("read_string", "ConfigParser"), ("[a]\nb = 1\n; c\nD: %(b)s\n",)),
    **dict.fromkeys(("splitlines", "StringIO", "readline", "dedent"), _LINES),
}
"""What functions and methods read, by their names."""
_READ_NUMBERS = frozenset({"int", "float", "Decimal", "Fraction"})
_LARGEST = 1 << 40
_TIMES = (dt.datetime(2024, 2, 29, 12, 30, 5), dt.datetime(1999, 12, 31, 23, 59), dt.datetime(2005, 1, 2))  # noqa: DTZ001
_PADDING = re.compile(r"\b0(?=\d)")
_DIRECTIVE = re.compile(r"%[YymdHIMSjpbBaA]")


def formatted(source: str) -> Iterator[str]:
    """Yield texts that what a text calls can read: its numbers and those beside them, and times by its formats too."""
    tree = parse(source)
    if isinstance(tree, ParseFailure):
        return
    names = {last_name(node) for node in ast.walk(tree) if isinstance(node, (ast.Name, ast.Attribute))}
    for name in sorted(names & _FORMATS.keys()):
        yield from _FORMATS[name]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) is int and not names.isdisjoint(_READ_NUMBERS):
            yield from (str(node.value + step) for step in (0, -1, 1) if abs(node.value) < _LARGEST)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _DIRECTIVE.search(node.value):
            yield from _times(node.value)


def _times(form: str) -> Iterator[str]:
    """Yield times in a format, with and without zeros before their numbers; none where it cannot be written."""
    with suppress(ValueError):
        times = [time.strftime(form) for time in _TIMES]
        yield from (*times, *(_PADDING.sub("", time) for time in times))
