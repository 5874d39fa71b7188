"""Texts that look as before to some readers."""

from __future__ import annotations

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_server.evidence.strategies.formats import formatted
from codeens_server.evidence.strategies.lookalikes import lookalikes


def _texts(known: Encoded, source: str, *literals: str) -> list[Encoded]:
    return [call.args[0] for call in lookalikes([CallInput(args=(known,))], literals, [source])]


def test_digits_are_those_of_other_scripts_where_digits_are_read() -> None:
    assert {"\u0663h\u0663m", "1h\u00b2m"} <= {*_texts("1h3m", "int(text)")}


def test_lines_end_and_part_in_other_ways_where_texts_are_split() -> None:
    assert {"a\u2028b", "ab\u00a0", "\ufeffab"} <= {*_texts("ab", "text.splitlines()")}
    assert "a\x0bb" in _texts("a\nb", "text.split()")


def test_parts_between_the_marks_of_a_function_are_there_twice_or_empty() -> None:
    assert {"a=1;b=2;a=1", "a=1;b=2;a=7", "b=2;a=1", "a=1;;b=2"} <= {*_texts("a=1;b=2", "", ";", "=")}


def test_all_that_a_function_looks_for_stands_behind_one_another() -> None:
    made = _texts("x", "", "\n", "#;", "[", "]", "=")
    assert {"[a]\nb#1\nb;1\nb=1", "[a]\nb#1\nb;1\nb=1\n[a]\nb#7\nb;7\nb=7\nc"} <= {*made}


def test_one_more_part_stands_behind_each_mark() -> None:
    assert {"a=1=q", "a=q=1"} <= {*_texts("a=1", "", "=")}


def test_letters_stand_before_the_same_ones_of_the_other_case() -> None:
    assert "abBA" in _texts("ab", "text.lower()")


def test_texts_inside_of_other_values_are_changed_too() -> None:
    assert ["list", "a b", "\u0663"] in _texts(["list", "a b", "1"], "int(items[1])")


def test_what_reads_no_text_costs_nothing() -> None:
    assert _texts("ab", "return len(text)") == []


def test_texts_are_of_the_formats_that_the_code_reads() -> None:
    assert '{"a": 1, "a": 2}' in [*formatted("json.loads(text)")]
    assert {"29/02/2024", "2/1/2005"} <= {*formatted("datetime.strptime(text, '%d/%m/%Y')")}
    assert {"65535", "65536"} <= {*formatted("0 < int(text) < 65536")}
    assert [*formatted("text.upper() * 3")] == []


def test_a_format_that_cannot_be_written_is_no_format() -> None:
    assert [*formatted(r"time.strftime('%Y\0 \ud800')")] == []
