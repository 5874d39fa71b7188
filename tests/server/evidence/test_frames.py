"""Tables that are drawn where no example shows one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codeens_sandbox_backends.values.columns import table_of
from codeens_server.evidence.strategies.inputs import generate_inputs
from tests.server.evidence.workspaces import target_in


def drawn(folder: Path, signature: str, body: str, imports: str = "import pandas as pd") -> list[Any]:
    """What is drawn for the only parameter of a function that is given."""
    source = f"{imports}\n\n\ndef f({signature}):\n    {body}\n"
    return [call.args[0] for call in generate_inputs(target_in(folder, source), [], source, 40)]


def columns_of(frame: Any) -> dict[Any, str]:
    table = table_of(frame)
    assert table is not None
    return {name: column.dtype for name, column in table.columns}


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        ("return df.groupby('customer')['amount'].sum()", {"customer": "object", "amount": "float64"}),
        ("return df[df['kind'] == 'b'].sort_values(['qty'])", {"kind": "object", "qty": "int64"}),
        ("return df['day'].dt.month + df['born_at'].dt.month", {"day": "M8[ns]", "born_at": "M8[ns]"}),
        ("return df['note'].str.strip()", {"note": "object"}),
        ("return df.describe()", {"a": "float64", "b": "int64", "name": "object"}),
    ],
)
@pytest.mark.parametrize("signature", ["df: pd.DataFrame", "df: 'pd.DataFrame'", "df: pd.DataFrame | None"])
def test_a_frame_has_the_columns_that_the_function_names(
    tmp_path: Path, signature: str, body: str, columns: dict[str, str]
) -> None:
    frames = [frame for frame in drawn(tmp_path, signature, body) if frame is not None]
    assert {tuple(sorted(columns_of(frame).items())) for frame in frames} == {tuple(sorted(columns.items()))}
    assert len({frame[3][1] for frame in frames}) == 2, "some have an index as filtering leaves it"


def test_a_bare_parameter_of_which_a_frame_is_asked_is_one(tmp_path: Path) -> None:
    frames = drawn(tmp_path, "zz", "return zz.groupby('a')['b'].sum()")
    assert {frozenset(columns_of(frame)) for frame in frames} == {frozenset({"a", "b"})}


def test_a_text_beside_a_frame_is_often_the_name_of_a_column(tmp_path: Path) -> None:
    source = "import pandas as pd\n\n\ndef f(df: pd.DataFrame, column: str):\n    return df[column].sum()\n"
    texts = [call.args[1] for call in generate_inputs(target_in(tmp_path, source), [], source, 60)]
    assert sum(text in {"a", "b", "name"} for text in texts) > 5


@pytest.mark.parametrize(("body", "kind"), [("return zz.str.upper()", "object"), ("return zz * 2", "float64")])
def test_a_series_is_of_what_its_accessors_speak_of(tmp_path: Path, body: str, kind: str) -> None:
    assert {tuple(columns_of(series).values()) for series in drawn(tmp_path, "zz: pd.Series", body)} == {(kind,)}


def test_without_pandas_there_are_no_frames(tmp_path: Path) -> None:
    assert drawn(tmp_path, "df: pd.DataFrame", "return df.head()", imports="import polars as pd") == []
