"""The table of `codeens check`."""

from __future__ import annotations

from codeens_server.changes.checking import ChangedBehaviour, CheckDocument, CheckedFunction
from codeens_server.changes.table import failing, markdown
from codeens_server.domain.measurement import Interval


def same(name: str, ratio: float, low: float, high: float) -> CheckedFunction:
    speed = Interval(ratio=ratio, low=low, high=high)
    return CheckedFunction(
        function=f"app.py::{name}", line=3, behaviour="same", evidence="12/12 tests and 164 inputs equal", speed=speed
    )


def document(*functions: CheckedFunction, added: int = 0) -> CheckDocument:
    return CheckDocument(since="a" * 40, functions=functions, added=added)


def test_a_row_says_what_was_measured_and_what_fails_is_what_was_asked_for() -> None:
    faster, slower, level = same("f", 3.1, 2.9, 3.4), same("g", 0.5, 0.4, 0.6), same("h", 1.0, 0.9, 1.1)

    told = document(faster, slower, level, added=2)

    assert markdown(told).splitlines() == [
        "### codeens: 3 functions changed: 3 do what they did, 1 is faster, 1 is slower",
        "",
        "| function | behaviour | speed |",
        "| --- | --- | --- |",
        "| `f` (app.py:3) | the same: 12/12 tests and 164 inputs equal | 3.1× faster [2.9, 3.4] |",  # noqa: RUF001
        "| `g` (app.py:3) | the same: 12/12 tests and 164 inputs equal | **slower**: 0.50× [0.40, 0.60] |",  # noqa: RUF001
        "| `h` (app.py:3) | the same: 12/12 tests and 164 inputs equal | no difference shown: 1.00× [0.90, 1.10] |",  # noqa: RUF001
        "",
        "2 functions new, with nothing to be held against.",
        "Compared with aaaaaaaaaaaa. The same: on all that was tried; what none of it shows is not excluded.",
    ]
    assert failing(told, ["slower", "differs"]) == [slower]
    assert failing(told, []) == []


def test_what_code_says_cannot_leave_its_cell_name_a_person_or_be_a_link() -> None:
    hostile = "x`|\n@someone [a](https://a.example) <img>"
    differs = CheckedFunction(
        function="app.py::f",
        line=1,
        behaviour="differs",
        difference=ChangedBehaviour(call=hostile, before="``", now="a"),
    )
    unknown = CheckedFunction(function="app.py::g", line=1, behaviour="unknown", why=hostile)

    rows = markdown(document(differs, unknown)).splitlines()[4:6]

    code = "``x`\\| @someone [a](https://a.example) <img>``"
    assert rows == [
        f"| `f` (app.py:1) | **differs** on {code}: was ``` `` ```, is `a` | - |",
        f"| `g` (app.py:1) | not compared: {code} | - |",
    ]
