"""Arrays of numpy among the inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codeens_sandbox_backends.programs import CallInput
from codeens_server.evidence.strategies.inputs import generate_inputs
from tests.server.evidence.workspaces import target_in


@pytest.mark.parametrize(
    ("signature", "body", "types"),
    [
        ("x: np.ndarray", "return x", {"<f8", "<i8"}),
        ("x: 'numpy.typing.NDArray[np.int32]'", "return x", {"<i4"}),
        ("x: np.ndarray[tuple[int], np.dtype[np.bool_]]", "return x", {"|b1"}),
        ("x", "return np.sqrt(x)", {"<f8", "<i8"}),
        ("x", "return (x - x.mean()) / x.std()", {"<f8", "<i8"}),
    ],
)
def test_arrays_are_drawn_where_an_annotation_or_the_body_speaks_of_one(
    tmp_path: Path, signature: str, body: str, types: set[str]
):
    source = f"import numpy as np\n\n\ndef f({signature}):\n    {body}\n"
    arrays: list[Any] = [call.args[0] for call in generate_inputs(target_in(tmp_path, source), [], source, 60)]
    assert {array[1] for array in arrays} == types
    assert {len(array[2]) for array in arrays} == {1}


def test_arrays_have_as_many_dimensions_as_those_of_known_calls(tmp_path: Path):
    source = "import numpy as np\n\n\ndef f(x: np.ndarray):\n    return x.sum(axis=-1)\n"
    known = CallInput(args=(["ndarray", "|u1", [3], "C", "AQID"],))
    arrays: list[Any] = [call.args[0] for call in generate_inputs(target_in(tmp_path, source), [known], source, 60)]
    assert {len(array[2]) for array in arrays} == {1}


def test_without_numpy_nothing_is_an_array(tmp_path: Path):
    source = "def f(zz):\n    return zz.mean()\n"
    assert generate_inputs(target_in(tmp_path, source), [], source, 5) == []


@pytest.mark.parametrize(
    ("body", "shapes"),
    [
        ("return x - y", {(1, 1)}),
        ("return (x - y).sum(axis=-1)", {(1, 1), (2, 2)}),
        ("return x @ y", {(1, 1), (2, 2), (2, 1)}),
    ],
)
def test_arrays_beside_each_other_fit_and_have_rows_only_where_the_function_speaks_of_any(
    tmp_path: Path, body: str, shapes: set[tuple[int, int]]
):
    source = f"import numpy as np\n\n\ndef f(x: np.ndarray, y: np.ndarray):\n    {body}\n"
    pairs: list[Any] = [call.args for call in generate_inputs(target_in(tmp_path, source), [], source, 60)]
    assert {(len(one[2]), len(other[2])) for one, other in pairs} == shapes
    assert all(other[2] in (one[2], one[2][1:]) for one, other in pairs)
    assert {0, 1} < {one[2][0] for one, _ in pairs}
