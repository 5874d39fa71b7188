from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.compare import canonical_call
from codeens_sandbox_backends.values.made_up import function_in
from codeens_sandbox_backends.values.sample import kind_of
from codeens_sandbox_backends.worker.values.codec import decode
from codeens_server.evidence.strategies.inputs import generate_inputs, plan_inputs, strategy_for
from tests.server.evidence.workspaces import target_in

_HEAD = """
from __future__ import annotations
import collections, dataclasses, datetime, enum, typing
import typing as t
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Literal, NamedTuple, NewType, Optional, TypedDict, TypeVar, Union

T = TypeVar("T")
Number = TypeVar("Number", int, float)
UserId = NewType("UserId", int)
Rows = list[list[int]]

class Color(enum.Enum):
    RED = 1
    BLUE = 2

@dataclass
class Point:
    kind: ClassVar[str] = "p"
    x: int
    y: float = 0.0

@dataclass(frozen=True)
class Point3(Point):
    z: "Optional[Point3]" = None

@dataclass
class Checked:
    x: int
    def __post_init__(self): self.x += 1

class Pair(NamedTuple):
    left: str
    right: bool

class Movie(TypedDict, total=False):
    title: str
    year: int
"""


def _inputs(
    root: Path, signature: str, count: int = 60, examples: tuple[CallInput, ...] = (), body: str = "..."
) -> list[CallInput]:
    source = f"{_HEAD}\ndef f({signature}):\n    {body}\n"
    return generate_inputs(target_in(root, source), examples, source, count)


def _first(root: Path, annotation: str) -> list[Encoded]:
    return [call.args[0] for call in _inputs(root, f"value: {annotation}", 16)]


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        ("int", int),
        ("float", float),
        ("str", str),
        ("bool", bool),
        ("bytes", bytes),
        ("bytearray", bytearray),
        ("complex", complex),
        ("'int'", int),
        ("UserId", int),
        ("list[int]", list),
        ("t.List[int]", list),
        ("Sequence[str]", list),
        ("list", list),
        ("Rows", list),
        ("tuple[int, str]", tuple),
        ("tuple[int, ...]", tuple),
        ("set[str]", set),
        ("typing.FrozenSet[int]", frozenset),
        ("dict[str, list[int]]", dict),
        ("Mapping[int, float]", dict),
        ("collections.deque[int]", "deque"),
        ("collections.Counter[str]", "Counter"),
        ("collections.OrderedDict[str, int]", "OrderedDict"),
        ("Iterator[int]", "list_iterator"),
        ("datetime.date", "date"),
        ("datetime.datetime", "datetime"),
        ("datetime.time", "time"),
        ("datetime.timedelta", "timedelta"),
        ("Decimal", "Decimal"),
        ("fractions.Fraction", "Fraction"),
        ("pathlib.Path", "PosixPath"),
        ("uuid.UUID", "UUID"),
        ("re.Pattern", "Pattern"),
        ("re.Pattern[str]", "Pattern"),
        ("range", "range"),
        ("datetime.timezone", "timezone"),
    ],
)
def test_annotated_values_have_that_type(tmp_path: Path, annotation: str, kind: Any):
    values = [decode(tree) for tree in _first(tmp_path, annotation)]
    assert len(values) > 1
    assert {type(value).__name__ for value in values} == {kind if isinstance(kind, str) else kind.__name__}


@pytest.mark.parametrize(
    ("annotation", "kinds"),
    [
        ("Optional[int]", {"int", "NoneType"}),
        ("int | str | None", {"int", "str", "NoneType"}),
        ("Union[int, str]", {"int", "str"}),
        ("Literal['a', 2]", {"int", "str"}),
        ("Number", {"int", "float"}),
        ("Color", {"enum"}),
        ("Point", {"object"}),
        ("Pair", {"namedtuple"}),
        ("Movie", {"dict"}),
        ("t.Annotated[int, 'x']", {"int"}),
        ("Optional[Callable[[int], int]]", {"NoneType", "callback", "raising", "turning"}),
        ("Callable[[int], Awaitable[int]]", {"awaited"}),
        ("Optional[Callable[[int], re.Match]]", {"NoneType"}),
    ],
)
def test_annotated_values_are_of_these_kinds(tmp_path: Path, annotation: str, kinds: set[str]):
    assert {kind_of(tree) for tree in _first(tmp_path, annotation)} == kinds


def test_a_dataclass_is_made_from_its_fields_and_those_of_its_bases(tmp_path: Path):
    for tree in _first(tmp_path, "Point3"):
        assert tree[:2] == ["object", "mod:Point3"]
        assert [name for name, _ in tree[2:]] == ["x", "y", "z"]
        x, y, z = (value for _, value in tree[2:])
        assert (type(x), type(y), z is None or z[1] == "mod:Point3") == (int, float, True)


def test_enums_and_named_tuples_name_their_class(tmp_path: Path):
    assert {tuple(tree) for tree in _first(tmp_path, "Color")} == {
        ("enum", "mod:Color", "RED"),
        ("enum", "mod:Color", "BLUE"),
    }
    assert all(
        tree[1] == "mod:Pair" and isinstance(tree[2], str) and isinstance(tree[3], bool)
        for tree in _first(tmp_path, "Pair")
    )


@pytest.mark.parametrize(
    "annotation",
    ["Callable[[int], re.Match]", "torch.Tensor", "re.Pattern[bytes]", "Checked", "Unknown", "list[Unknown]", "1 +"],
)
def test_a_type_that_cannot_be_made_gives_no_strategy_and_says_which(tmp_path: Path, annotation: str):
    source = f"{_HEAD}\ndef f(good: int, bad: {annotation!r}): ...\n"
    plan = plan_inputs(target_in(tmp_path, source), [], source)
    assert plan.strategy is None
    assert "'bad'" in plan.why


def test_a_parameter_that_cannot_be_made_is_left_out_when_it_has_a_default(tmp_path: Path):
    calls = _inputs(tmp_path, "x: int, key: Callable[[int], re.Match] = abs, *, last: bool = False")
    assert all(len(call.args) == 1 and call.kwargs.keys() <= {"last"} for call in calls)


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        ("x: int, f: Callable[[int], bool]", "return x"),
        ("x: int, f: Callable[..., bool]", "return x"),
        ("x: int, f", "return f(x)"),
        ("x: int, f: Callable[[int], typing.Coroutine[None, None, int]]", "return x"),
        ("x: int, f", "return [await f(x)]"),
    ],
)
def test_functions_are_made_that_return_some_values_of_their_type(tmp_path: Path, signature: str, body: str):
    calls = _inputs(tmp_path, signature, body=body)
    given: list[Any] = [function_in(call.args[1]) for call in calls]
    assert {made[0] for made in given} == {"callback", "raising", "turning"}
    kind = int if "bool" not in signature else bool
    returned = [made[-3][1:] for made in given]
    assert all(values and all(type(value) is kind for value in values) for values in returned)


def test_functions_raise_what_the_body_waits_for_and_what_it_does_not(tmp_path: Path):
    body = "try:\n        return f(x)\n    except (OSError, LookupError):\n        return 0"
    given: list[Any] = [call.args[1] for call in _inputs(tmp_path, "x: int, f: Callable[[int], int]", body=body)]
    raised = {made[1] for made in given if made[0] == "raising"}
    assert raised == {f"builtins:{name}" for name in ("OSError", "LookupError", "ValueError", "RuntimeError")}


def test_optional_parameters_are_sometimes_given(tmp_path: Path):
    calls = _inputs(tmp_path, "a: int, /, b: int = 1, c: int = 2, *, d: int = 3")
    assert {len(call.args) for call in calls} == {1, 2, 3}
    assert {frozenset(call.kwargs) for call in calls} >= {frozenset(), frozenset({"d"}), frozenset({"c"})}


def test_the_same_target_gets_the_same_inputs_and_none_twice(tmp_path: Path):
    first, second = (_inputs(tmp_path, "xs: list[int], name: str") for _ in range(2))
    assert first == second
    assert len({canonical_call(call) for call in first}) == len(first) == 60


def test_sizes_reach_from_empty_to_hundreds(tmp_path: Path):
    sizes = [len(call.args[0]) - 1 for call in _inputs(tmp_path, "xs: list[int]", 200)]
    assert min(sizes) == 0
    assert max(sizes) > 100
    assert sorted(sizes)[len(sizes) // 2] < 20


def test_constants_of_the_function_are_tried(tmp_path: Path):
    calls = _inputs(tmp_path, "n: int, s: str", 200, body="return n == 4711 or s == 'magic'")
    assert {4710, 4711, 4712} <= {call.args[0] for call in calls}
    assert any("magic" in call.args[1] for call in calls)


def test_values_are_shared_between_arguments(tmp_path: Path):
    calls = _inputs(tmp_path, "xs: list[str], x: str", 40)
    assert sum(call.args[1] in call.args[0][1:] for call in calls) > 3


def test_examples_are_varied_where_nothing_is_annotated(tmp_path: Path):
    example = CallInput(args=(["list", ["tuple", "2024-01-31", 5]], 2))
    calls = _inputs(tmp_path, "rows, k", 40, (example,))
    assert len(calls) == 40
    for rows, k in (call.args for call in calls):
        assert isinstance(k, int)
        assert k >= 0 or k < -1
        assert all(row[0] == "tuple" and isinstance(row[1], str) and isinstance(row[2], int) for row in rows[1:])
    texts = {row[1] for call in calls for row in call.args[0][1:]}
    assert any(len(text) == 10 and text[4] == text[7] == "-" and text != "2024-01-31" for text in texts)


def test_examples_beyond_what_json_says_by_itself_are_taken_as_they_are(tmp_path: Path):
    examples = tuple(CallInput(args=(tree,)) for tree in (["int", "-fffffffffffffff"], ["float", "inf"], 7, 2.5))
    calls = _inputs(tmp_path, "n", 60, examples)
    assert {kind_of(call.args[0]) for call in calls} == {"[int]", "[float]", "int", "float"}


def test_tables_stay_rectangular(tmp_path: Path):
    example = CallInput(args=(["list", ["list", 1, 2], ["list", 3, 4]],))
    for call in _inputs(tmp_path, "grid", 20, (example,)):
        assert len({len(row) for row in call.args[0][1:]}) == 1


@pytest.mark.parametrize(
    "example",
    [["list", 5, ["list", 7, -1], 3], ["dict", ["a", 1], ["b", ["dict", ["c", 2]]]]],
    ids=["lists", "dicts"],
)
def test_what_holds_its_own_kind_beside_other_values_is_nested_deeper_than_in_the_example(
    tmp_path: Path, example: Encoded
):
    calls = _inputs(tmp_path, "tree", 60, (CallInput(args=(example,)),))
    assert max(_depth(call.args[0]) for call in calls) > _depth(example)


def _depth(tree: Any) -> int:
    if kind_of(tree) not in {"list", "dict"}:
        return 0
    return 1 + max((_depth(item[1] if tree[0] == "dict" else item) for item in tree[1:]), default=0)


def test_what_is_private_by_its_name_is_left_to_its_default(tmp_path: Path):
    assert {
        len(call.args) + len(call.kwargs) for call in _inputs(tmp_path, "n: int, _known: dict[int, int] = {}", 30)
    } == {1}


def test_records_keep_their_keys(tmp_path: Path):
    examples = tuple(CallInput(args=(["dict", ["id", n], ["name", "x" * n]],)) for n in (1, 2, 3))
    for call in _inputs(tmp_path, "record", 20, examples):
        assert [(key, type(value)) for key, value in call.args[0][1:]] == [("id", int), ("name", str)]


def test_what_fills_var_positional_is_varied_like_the_examples(tmp_path: Path):
    examples = (CallInput(args=(1, "a")), CallInput(args=(2, "b", "c")))
    calls = _inputs(tmp_path, "first: int, *rest, last=0", 60, examples)
    rest = [call.args[1:] for call in calls]
    assert {type(item) for items in rest for item in items} == {str}
    assert len({len(items) for items in rest}) > 3
    assert len(set(rest)) > 20


def test_annotated_var_positional_needs_no_example(tmp_path: Path):
    calls = _inputs(tmp_path, "*numbers: int", 40, ())
    assert {type(item) for call in calls for item in call.args} == {int}
    assert len({len(call.args) for call in calls}) > 3


@pytest.mark.parametrize(
    ("signature", "body", "kinds"),
    [
        ("zz", "return len(zz)", "list str"),
        ("zz", "return zz.split(',')", "str"),
        ("zz", "return zz % 7", "int"),
        ("zz", "return [x + 1 - 2 for x in zz]", "list"),
        ("zz", "return zz.items()", "dict"),
        ("zz", "return zz == 'abc'", "str"),
        ("zz", "return isinstance(zz, bytes)", "bytes"),
        ("words", "return words", "list"),
        ("flag", "return flag", "bool"),
    ],
)
def test_without_types_and_examples_the_body_is_asked(tmp_path: Path, signature: str, body: str, kinds: str):
    source = f"def f({signature}):\n    {body}\n"
    plan = plan_inputs(target_in(tmp_path, source), [], source)
    calls = generate_inputs(target_in(tmp_path, source), [], source, 30)
    assert plan.guessed
    assert {kind_of(call.args[0]) for call in calls} == set(kinds.split())


def test_where_nothing_is_known_nothing_is_made_up(tmp_path: Path):
    source = "def f(zz):\n    return zz\n"
    plan = plan_inputs(target_in(tmp_path, source), [], source)
    assert plan.strategy is None
    assert "annotate" in plan.why


def test_a_default_tells_the_type_of_a_parameter(tmp_path: Path):
    calls = _inputs(tmp_path, "x: int, zz=(1, 'a')")
    given = [value for call in calls for value in (*call.args[1:], *call.kwargs.values())]
    assert given
    assert all(value[0] == "tuple" and isinstance(value[1], int) and isinstance(value[2], str) for value in given)


_METHODS = """
from dataclasses import dataclass

@dataclass
class Box:
    size: int
    def grow(self, by: int): return Box(self.size + by)
    @classmethod
    def cube(cls, edge: int): return cls(edge ** 3)
    @staticmethod
    def name(of: str): return of
    @property
    def half(self): return self.size / 2

class Solution:
    base = 10
    def climb(self, n: int): return n

class Child(Solution):
    def climb(self, n: int): return n

class Stack:
    'Keeps.'
    made = 0
    def __init__(self, limit: int, *, name: str = ""):
        'Begin empty.'
        Stack.made += 1
        self.limit = limit
        self.__name = name
        self.items: list[int] = []
        self.open = True
    def push(self, item: int): return item

class Opened:
    def __init__(self, path: str):
        self.file = open(path)
    def read(self, n: int): return n

class Made:
    def __new__(cls): return object.__new__(cls)
    def f(self, n: int): return n

@register
class Registered:
    def f(self, n: int): return n

class Foreign(Base):
    def f(self, n: int): return n
"""


def test_a_dataclass_method_gets_an_instance_first(tmp_path: Path):
    calls = generate_inputs(target_in(tmp_path, _METHODS, "Box.grow"), [], _METHODS, 40)
    assert all(call.args[0][:2] == ["object", "mod:Box"] and isinstance(call.args[1], int) for call in calls)
    assert len(calls) == 40


@pytest.mark.parametrize(("name", "kinds"), [("Box.cube", ["int"]), ("Box.name", ["str"]), ("Box.half", ["object"])])
def test_other_kinds_of_methods_get_what_a_caller_gives(tmp_path: Path, name: str, kinds: list[str]):
    calls = generate_inputs(target_in(tmp_path, _METHODS, name), [], _METHODS, 10)
    assert all([kind_of(tree) for tree in call.args] == kinds for call in calls)


@pytest.mark.parametrize("name", ["Solution", "Child"])
def test_a_class_without_init_has_one_instance(tmp_path: Path, name: str):
    calls = generate_inputs(target_in(tmp_path, _METHODS, f"{name}.climb"), [], _METHODS, 20)
    assert {str(call.args[0]) for call in calls} == {str(["object", f"mod:{name}"])}
    assert len({call.args[1] for call in calls}) > 5


def test_instances_are_told_by_an_init_that_keeps_its_parameters_and_literals(tmp_path: Path):
    calls = generate_inputs(target_in(tmp_path, _METHODS, "Stack.push"), [], _METHODS, 20)
    kinds = {tuple((name, kind_of(value)) for name, value in call.args[0][2:]) for call in calls}
    assert kinds == {(("_Stack__name", "str"), ("items", "list"), ("limit", "int"), ("open", "bool"))}
    assert len({str(call.args[0]) for call in calls}) > 5


@pytest.mark.parametrize("name", ["Opened.read", "Made.f", "Registered.f", "Foreign.f"])
def test_instances_of_other_classes_come_from_examples_only(tmp_path: Path, name: str):
    target = target_in(tmp_path, _METHODS, name)
    assert strategy_for(target, [], _METHODS) is None
    seen = CallInput(args=(["object", f"mod:{name.partition('.')[0]}"], 1))
    calls = generate_inputs(target, [seen], _METHODS, 20)
    assert {str(call.args[0]) for call in calls} == {str(seen.args[0])}
    assert len({call.args[1] for call in calls}) > 5


_MONEY = """
class Money:
    def __init__(self, amount: int, unit: str):
        self.amount = amount
        self.unit = unit

    def __eq__(self, other: object): return NotImplemented
    def __add__(self, other): return NotImplemented
    def __sub__(self, other): return Money(self.amount - other.amount, self.unit)
"""


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("__eq__", {"object", "NoneType", "int", "str"}),
        ("__add__", {"object", "NoneType", "int", "str"}),
        ("__sub__", {"object"}),
    ],
)
def test_an_operator_gets_instances_beside_each_other_that_are_equal_nearly_and_not_at_all(
    tmp_path: Path, name: str, others: set[str]
):
    calls = generate_inputs(target_in(tmp_path, _MONEY, f"Money.{name}"), [], _MONEY, 200)
    assert {kind_of(call.args[1]) for call in calls} == others
    alike = [call.args for call in calls if kind_of(call.args[1]) == "object"]
    equal = {tuple(mine == its for mine, its in zip(one[2:], other[2:], strict=True)) for one, other in alike}
    assert equal == {(True, True), (True, False), (False, True), (False, False)}


def test_a_recursive_alias_ends(tmp_path: Path):
    source = "from typing import Union\nJson = Union[None, int, 'list[Json]', 'dict[str, Json]']\ndef f(x: Json): ...\n"
    kinds = {kind_of(call.args[0]) for call in generate_inputs(target_in(tmp_path, source), [], source, 60)}
    assert kinds == {"NoneType", "int", "list", "dict"}


def test_nothing_is_written_into_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    source = "def f(a: str, b: float): ...\n"
    target = target_in(tmp_path, source)
    before = sorted(path.name for path in tmp_path.iterdir())
    worker = threading.Thread(target=generate_inputs, args=(target, [], source, 50))
    worker.start()
    worker.join()
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_what_asks_for_an_iterable_gets_iterators_too(tmp_path: Path):
    values = [decode(tree) for tree in _first(tmp_path, "Iterable[int]")]
    assert {type(value).__name__ for value in values} == {"list", "list_iterator"}


@pytest.mark.parametrize(
    ("signature", "docstring", "has_iterators"),
    [
        ("iterable", "Do it.", True),
        ("src", "Yield elements of the iterable, *src*.", True),
        ("src", "Yield elements of src.", False),
        ("src: list[int]", "Yield elements of the iterable, *src*.", False),
    ],
)
def test_what_is_called_an_iterable_is_given_iterators_with_items_like_those_of_examples(
    tmp_path: Path, signature: str, docstring: str, has_iterators: bool
):
    module = f"def f({signature}):\n    '''{docstring}'''\n    return [*{signature.partition(':')[0]}]\n"
    example = CallInput(args=(["list", "ab", "c"],))
    calls = generate_inputs(target_in(tmp_path, module, "f"), [example], module, 60)
    assert any(call.args and call.args[0][0] == "iter" for call in calls) is has_iterators
    assert any(call.args and call.args[0][0] == "list" for call in calls)


def test_matrices_are_drawn_that_can_be_multiplied(tmp_path: Path) -> None:
    drawn = _inputs(tmp_path, "a: list[list[float]], b: list[list[float]]", 200)
    calls = [[[_items(row) for row in _items(table)] for table in call.args] for call in drawn]
    fit = [(a, b) for a, b in calls if a and b and len(set(map(len, a))) == len(set(map(len, b))) == 1]
    assert any(len(a[0]) == len(b) > 1 and len(a) > 1 for a, b in fit)
    assert any(len(a) == len(a[0]) == len(b) == len(b[0]) > 1 for a, b in fit)


@pytest.mark.parametrize("types", [("list[str]", "list[int]"), ("list[float]", "list[int]", "list[str]")])
def test_lists_are_drawn_that_are_as_long_as_one_another(tmp_path: Path, types: tuple[str, ...]) -> None:
    parameters = ", ".join(f"p{place}: {annotation}" for place, annotation in enumerate(types))
    lengths = [{len(_items(value)) for value in call.args} for call in _inputs(tmp_path, parameters, 200)]
    assert sum(len(each) == 1 and max(each) > 3 for each in lengths) > 10


def test_lines_are_drawn_that_are_as_long_as_one_another(tmp_path: Path) -> None:
    lines = [_items(call.args[0]) for call in _inputs(tmp_path, "grid: list[str]", 200)]
    assert any(len(texts) > 1 and len({*map(len, texts)}) == 1 and len(texts[0]) > 1 for texts in lines)


def _items(value: Any) -> list[Any]:
    return value[1:] if kind_of(value) == "list" else []
