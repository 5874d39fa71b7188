"""Task files: read, and refused with the place and the name of what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codeens_server.errors import ConfigError
from codeens_server.tasks.schema import OutputChecker, Task

GOOD: dict[str, Any] = {
    "id": "sum/1",
    "prompt": "Add the numbers.",
    "entry_point": "add",
    "test_cases": [{"args": [[1, 2]], "expected_output": 3}, {"stdin": "1 2\n", "expected_output": "3\n"}],
}


def refused(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Task.from_file(path)
    message = str(caught.value)
    assert str(path) in message
    return message


def refused_with(folder: Path, **changes: Any) -> str:
    return refused(folder / "task.json", json.dumps(GOOD | changes))


def test_json_and_yaml_say_the_same(tmp_path: Path) -> None:
    as_json, as_yaml = tmp_path / "task.json", tmp_path / "task.yaml"
    as_json.write_text(json.dumps(GOOD), encoding="utf-8")
    as_yaml.write_text(
        "id: sum/1\nprompt: Add the numbers.\nentry_point: add\ntest_cases:\n"
        '  - {args: [[1, 2]], expected_output: 3}\n  - {stdin: "1 2\\n", expected_output: "3\\n"}\n',
        encoding="utf-8",
    )

    task = Task.from_file(as_json)

    assert task == Task.from_file(as_yaml)
    assert task.test_cases[0].args == [[1, 2]]
    assert task.test_cases[1].stdin == "1 2\n"


def test_a_checker_and_several_right_texts_are_read(tmp_path: Path) -> None:
    cases = [{"stdin": "", "expected_output": ["a", "b"]}]
    path = tmp_path / "task.json"
    path.write_text(json.dumps(GOOD | {"checker": {"compare": "tokens"}, "test_cases": cases}), encoding="utf-8")

    task = Task.from_file(path)

    assert task.checker == OutputChecker(compare="tokens")
    assert task.test_cases[0].expected_output == ["a", "b"]


@pytest.mark.parametrize("field", ["id", "prompt", "entry_point"])
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    fields = {name: value for name, value in GOOD.items() if name != field}

    assert f"task.json: {field}: is missing." in refused(tmp_path / "task.json", json.dumps(fields))


def test_a_case_without_an_expected_output_is_named(tmp_path: Path) -> None:
    message = refused_with(tmp_path, test_cases=[{"args": [1], "expected_output": 1}, {"args": [2]}])

    assert "test_cases[1].expected_output: is missing." in message


def test_an_unknown_field_is_named_with_the_nearest(tmp_path: Path) -> None:
    assert "Did you mean 'entry_point'?" in refused_with(tmp_path, entrypoint="add")
    assert "Did you mean 'stdin'?" in refused_with(tmp_path, test_cases=[{"stdn": "", "expected_output": ""}])


def test_broken_syntax_is_placed(tmp_path: Path) -> None:
    assert "task.json:2:6: broken JSON" in refused(tmp_path / "task.json", '{"id": "a",\n "p" 1}')
    assert "task.yaml:2:" in refused(tmp_path / "task.yaml", 'id: a\nprompt: "x" y\n')


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"test_cases": []}, "the field test_cases or tests is missing"),
    ({"entry_point": "a b"}, "no name of a function"),
    ({"test_cases": [{"expected_output": 1, "timeout": 0}]}, "test_cases[0].timeout: must be more than 0, not 0."),
    ({"test_cases": [{"expected_output": 1, "weight": 0}, {"expected_output": 1, "weight": 0}]}, "add up to nothing"),
    (
        {"test_cases": [{"expected_output": 1, "weight": -1}, {"expected_output": 1, "weight": 5}]},
        "test_cases[0].weight: must be 0 or more, not -1.",
    ),
    ({"test_cases": [{"expected_output": 3, "stdin": ""}]}, "must be a text"),
    ({"test_cases": [{"expected_output": "", "stdin": "", "args": [1]}]}, "both stdin and arguments"),
    ({"test_cases": [{"expected_output": ["1", 1], "stdin": ""}]}, "must be a text, or a list of texts"),
    ({"test_cases": [{"expected_output": [], "stdin": ""}]}, "must be a text, or a list of texts"),
    ({"checker": {"compare": "words"}}, "checker.compare: must be one of exact, lines, tokens"),
    ({"checker": {"ignorecase": True}}, "Did you mean 'ignore_case'?"),
    ({"checker": {"absolute_tolerance": -1}}, "checker.absolute_tolerance: must be 0 or more, not -1."),
    ({"checker": {"compare": "exact", "any_order": True}}, "leaves no room"),
    ({"checker": {"any_order": True, "relative_tolerance": 1e-6}}, 'must be "tokens"'),
    (
        {"checker": {"any_order": True}, "test_cases": [{"expected_output": 1}]},
        "checker is for test_cases with stdin",
    ),
    ({"test_cases": "none"}, "test_cases: must be a list, not 'none'."),
    ({"id": 5}, "id: must be a text in quotes, not 5."),
    ({"tests": "  "}, "tests is empty"),
]


@pytest.mark.parametrize(("changes", "part"), WRONG)
def test_a_wrong_value_is_named(tmp_path: Path, changes: dict[str, Any], part: str) -> None:
    assert part in refused_with(tmp_path, **changes)


def test_what_is_no_task_at_all_is_refused(tmp_path: Path) -> None:
    assert "a task is one object" in refused(tmp_path / "task.json", "[]")
    assert "ends in .json" in refused(tmp_path / "task.toml", "")
    assert "broken" in refused(tmp_path / "task.yml", "a: &a [*b]")
    with pytest.raises(ConfigError, match="cannot be read"):
        Task.from_file(tmp_path / "absent.json")


@pytest.mark.parametrize("name", ["t.json", "t.yaml"])
def test_integers_of_any_length_are_read(tmp_path: Path, name: str) -> None:
    digits = "-" + "7" * 5000
    cases = f'"test_cases": [{{"args": [{digits}], "expected_output": {digits}}}]'
    (tmp_path / name).write_text(f'{{"id": "t", "prompt": "", "entry_point": "f", {cases}}}', encoding="utf-8")
    case = Task.from_file(tmp_path / name).test_cases[0]
    assert case.args == [case.expected_output] == [-7 * (10**5000 - 1) // 9]
