"""Results against what was promised: right ones pass, wrong ones are named."""

import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, cast

import numpy as np
import pandas as pd
import pytest
from annotated_types import Gt, Interval, Len, MinLen
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from typing_extensions import TypedDict

from easynet.core.artifact import Artifact
from easynet.core.capability import Capability, TypeRef
from easynet.core.declared_schema import schema_of
from easynet.core.ids import CapabilityName
from easynet.core.language import Language
from easynet.core.schema import Schema
from easynet.execution.result_check import problem_with
from easynet.fabric.wire.decoding import Opaque, decode_opaque
from easynet.fabric.wire.encoding import encode
from tests.patience import Stopwatch

Share = Annotated[float, Interval(ge=0, le=1)]


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Row(TypedDict):
    share: Share
    name: NotRequired[str]


@dataclass
class Findings:
    rows: list[Row]
    table: "Annotated[pd.DataFrame, MinLen(1)]"
    best: "Row | None" = None


class Model(BaseModel):
    size: int
    kind: Literal["a", "b"] = "a"


def promising(hint: Any, **fields: Any) -> Capability:
    schema = schema_of(hint)
    return Capability(name=CapabilityName("score"), description={"en": "Score."}, returns=schema, **fields)


def stored(*pieces: bytes) -> Artifact:
    return Artifact(digest="0" * 64, size_bytes=sum(map(len, pieces)))


def arrived(value: Any) -> Any:
    """A value as it is in the control process."""

    def file_of(path: Path) -> Artifact:
        return Artifact(digest="1" * 64, size_bytes=1, filename=path.name)

    return decode_opaque(encode(value, stored, file_of))


def said(hint: Any, value: Any, language: Language = "en") -> str:
    """What is said of a result; "" where it is right."""
    problem = problem_with(promising(hint), arrived(value), {}, language)
    assert problem is None or (problem.code, bool(problem.hint)) == ("wrong_result", True)
    return problem.message if problem else ""


TABLE = pd.DataFrame({"a": [1, 2]})
HERE = Path(__file__)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (float, 3),
        (float, 2**80),
        (float, math.nan),
        (float, math.inf),
        (float, np.float32(2.5)),
        (int, np.int8(3)),
        (int, 2**80),
        (bool, np.bool_(True)),
        (str, np.str_("a")),
        (str, "x" * 200_000),
        (bytes, bytearray(b"a")),
        (bytes, b"x" * 200_000),
        (int | None, None),
        (None, None),
        (list[float], [1, 2.5, math.nan]),
        (list[float], (1, 2)),
        (list[float], np.array([1.0, 2.0])),
        (list[float], [*map(float, range(100_000))]),
        (set[str], {"b", "a"}),
        (tuple[int, str], (1, "a")),
        (tuple[float, ...], [1.0]),
        (list[list[int]], [[1], []]),
        (dict[str, float], {"a": 1}),
        (dict[str, Any], Model(size=1)),
        (Literal["a", 1], "a"),
        (Colour, Colour.RED),
        (Row, {"share": 0.5}),
        (Row, {"share": 1, "name": "x", "more": None}),
        (Model, Model(size=1)),
        (Model, {"size": 1}),
        (Findings, Findings([{"share": 0.1}], TABLE)),
        (Findings, Findings([], TABLE, {"share": 0.0})),
        (pd.DataFrame, TABLE),
        (pd.DataFrame, pd.DataFrame({"a": np.zeros(100_000)})),
        (Annotated[pd.DataFrame, MinLen(2)], pd.DataFrame({"a": np.zeros(100_000)})),
        (pd.Series, TABLE["a"]),
        (np.ndarray, np.zeros((2, 2))),
        (np.ndarray, np.zeros(3).mean()),
        (pd.Timestamp, pd.Timestamp("2024-01-01")),
        (pd.Timestamp, pd.NaT),
        (Path, HERE),
        (list[Path], [HERE]),
        (Share, 1),
        (Annotated[list[Share], Len(1, 2)], [0.0, 1.0]),
        (Annotated[str, MinLen(1)], "中"),
        (int | str, 2.5),
    ],
)
def test_right_result_passes(hint: Any, value: Any) -> None:
    assert not said(hint, value)


@pytest.mark.parametrize(
    ("hint", "value", "words"),
    [
        (Share, 3.2, "'score' promised a number from 0 to 1 and gave 3.2"),
        (Share, math.nan, "'score' promised a number from 0 to 1 and gave nan"),
        (Share, math.inf, "'score' promised a number from 0 to 1 and gave inf"),
        (Share, "high", "'score' promised a number from 0 to 1 and gave a text"),
        (Annotated[int, Gt(0)], 0, "'score' promised a whole number above 0 and gave 0"),
        (Annotated[int, Gt(0)], -(2**80), "'score' promised a whole number above 0 and gave -2**81"),
        (int, 2.0, "'score' promised a whole number and gave 2"),
        (int, True, "'score' promised a whole number and gave True"),
        (float, False, "'score' promised a number and gave False"),
        (float, None, "'score' promised a number and gave nothing"),
        (bool, 1, "'score' promised true or false and gave 1"),
        (None, 1, "'score' promised nothing and gave 1"),
        (str, b"a", "'score' promised a text and gave bytes"),
        (list[str], "abc", "'score' promised a list and gave a text"),
        (list[str], {"a": 1}, "'score' promised a list and gave a record"),
        (list[float], TABLE, "'score' promised a list and gave a table"),
        (list[int], [1, 2, "3"], "'score' promised a whole number as '[2]' and gave a text"),
        (list[int], [1] * 5000 + [True], "'score' promised a whole number as '[5000]' and gave True"),
        (tuple[int, str], (1,), "'score' promised 2 items and gave 1 item"),
        (tuple[int, str], ("a", 1), "'score' promised a whole number as '[0]' and gave a text"),
        (dict[str, int], {"Mr Wang": 1.5}, "'score' promised a whole number as '[...]' and gave 1.5"),
        (dict[str, int], [1], "'score' promised a record and gave a list"),
        (Literal["a", 1], True, "'score' promised 'a' or 1 and gave True"),
        (Colour, "green", "'score' promised 'red' or 'blue' and gave a text"),
        (Colour, None, "'score' promised 'red' or 'blue' and gave nothing"),
        (Row, {"name": "x"}, "'score' promised 'share' and left it out"),
        (Model, {"size": 1, "kind": "c"}, "'score' promised 'a' or 'b' as 'kind' and gave a text"),
        (
            Findings,
            Findings([{"share": 0.1}, {"share": 2}], TABLE),
            "'score' promised a number from 0 to 1 as 'rows[1].share' and gave 2",
        ),
        (
            Findings,
            Findings([], TABLE[:0]),
            "'score' promised at least 1 row as 'table' and gave 0 rows",
        ),
        (pd.DataFrame, [{"a": 1}], "'score' promised a table and gave a list"),
        (Path, "report.pdf", "'score' promised a file and gave a text"),
        (str, HERE, "'score' promised a text and gave a file"),
        (Annotated[list[int], Len(2, 3)], [1], "'score' promised 2 to 3 items and gave 1 item"),
        (float, "x" * 200_000, "'score' promised a number and gave a large value"),
        (np.ndarray, {"a": 1}, "'score' promised an array and gave a record"),
    ],
)
def test_wrong_result_is_named_with_what_was_promised(hint: Any, value: Any, words: str) -> None:
    assert said(hint, value) == words


def test_problem_is_in_the_users_language() -> None:
    assert said(Share, 3.2, "zh") == "'score' 承诺给出 0 到 1 之间的数字，而实际给出 3.2"
    assert said(Row, {}, "zh") == "'score' 承诺给出 'share'，而结果中没有"
    assert said(list[int], ["a"], "zh") == "'score' 承诺 '[0]' 为整数，而实际给出文本"


def test_texts_and_keys_of_the_result_are_not_told() -> None:
    told = said(dict[str, int], {"Ada Lovelace": "secret"})
    assert "Ada" not in told
    assert "secret" not in told


def test_long_and_strange_names_that_a_node_promises_are_told_in_short() -> None:
    name = "\x1b[2J" + "x" * 100_000
    for schema in (Schema(kind="dict", required=(name,)), Schema(choices=(name,))):
        problem = problem_with(promising(Any).model_copy(update={"returns": schema}), {}, {}, "en")
        assert problem is not None
        assert len(problem.message) < 300
        assert problem.message.isprintable()


# ── any type ────────────────────────────────────────────────────────────────────────────────────

LIST, DICT, TUPLE, RECORD = cast("tuple[Any, ...]", (list, dict, tuple, TypedDict))
"""To make types of others while the program runs."""
LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(),
    float: st.floats() | st.integers(),
    bool: st.booleans(),
    str: st.text(),
    bytes: st.binary(),
    Share: st.floats(0, 1),
    Colour: st.sampled_from(Colour),
    Literal["x", 3]: st.sampled_from(["x", 3]),
    Annotated[str, Len(1, 4)]: st.text(min_size=1, max_size=4),
}


def deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Types made of others, each with a strategy for its values."""
    return (
        inner.map(lambda pair: (LIST[pair[0]], st.lists(pair[1], max_size=4)))
        | inner.map(lambda pair: (DICT[str, pair[0]], st.dictionaries(st.text(), pair[1], max_size=4)))
        | inner.map(lambda pair: (pair[0] | None, st.none() | pair[1]))
        | st.tuples(inner, inner).map(
            lambda two: (TUPLE[two[0][0], two[1][0]], st.tuples(two[0][1], two[1][1]))
        )
        | st.tuples(inner, inner).map(
            lambda two: (
                RECORD("Record", {"a": two[0][0], "b": two[1][0]}),
                st.fixed_dictionaries({"a": two[0][1], "b": two[1][1]}),
            )
        )
    )


TYPED = st.recursive(st.sampled_from([*LEAVES.items()]), deeper, max_leaves=6)


@given(st.data(), TYPED)
def test_every_value_of_a_type_passes(data: st.DataObject, typed: tuple[Any, st.SearchStrategy[Any]]) -> None:
    hint, values = typed
    assert not said(hint, data.draw(values))


@given(st.data(), TYPED.filter(lambda typed: schema_of(typed[0]).kind != "any"))
def test_value_of_another_kind_does_not(
    data: st.DataObject, typed: tuple[Any, st.SearchStrategy[Any]]
) -> None:
    hint, _ = typed
    wrong = {
        "list": "text", "dict": ["list"], "str": 1, "int": "1", "float": "1.5", "bytes": "b", "bool": 0,
    }  # fmt: skip
    assert said(hint, wrong[schema_of(hint).kind])
    assert said(LIST[hint], [wrong[schema_of(hint).kind]])


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.builds(Opaque, st.integers(0, 127), st.binary(max_size=30))
    | st.just(Artifact(digest="0" * 64, size_bytes=3)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4),
    max_leaves=12,
)


@given(anything, TYPED, st.sampled_from(["en", "zh"]))
def test_whatever_comes_something_is_said_or_it_passes(
    value: Any, typed: tuple[Any, st.SearchStrategy[Any]], language: Language
) -> None:
    problem = problem_with(promising(typed[0]), value, {}, language)
    assert problem is None or problem.message


# ── older nodes, streams, rows ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("output", "right", "wrong"),
    [
        (TypeRef(name="float"), [1, 2.5, None], ["a", [1], True]),
        (TypeRef(name="int", many=True), [[1], [[1]], ["a"], None], ["abc", 3, {"a": 1}]),
        (TypeRef(name="Split", fields={"a": TypeRef(name="int")}), [{}, {"a": "x"}, None], [1, []]),
        (TypeRef(name="Split"), [1, [], {}, None], []),
    ],
)
def test_of_an_older_node_only_what_its_type_surely_says_is_checked(
    output: TypeRef, right: list[Any], wrong: list[Any]
) -> None:
    capability = promising(Any, output=output)
    assert all(problem_with(capability, value, {}, "en") is None for value in right)
    assert all(problem_with(capability, value, {}, "en") is not None for value in wrong)


def test_items_of_an_older_nodes_stream_are_checked() -> None:
    capability = promising(Any, output=TypeRef(name="int"), streaming=True)
    assert problem_with(capability, [1, 2], {}, "en") is None
    assert problem_with(capability, [1, "b"], {}, "en") is not None


@pytest.mark.parametrize(
    ("before", "after", "is_right"),
    [
        (["a", "b"], ["c", "d"], True),
        (["a", "b"], ["c"], False),
        (TABLE, TABLE[:1], False),
        (TABLE, [1, 2], True),
        (TABLE, pd.DataFrame({"a": np.zeros(100_000)}), True),  # too large to be seen
        ("ab", ["c"], True),
    ],
)
def test_rows_that_are_to_be_kept_are_counted(before: Any, after: Any, is_right: bool) -> None:
    parameters = [{"name": "texts", "type": {"name": "any"}}]
    capability = promising(Any, keeps_rows="texts", parameters=parameters)
    problem = problem_with(capability, arrived(after), {"texts": arrived(before)}, "en")
    assert (problem is None) == is_right


def test_lost_rows_are_told() -> None:
    parameters = [{"name": "texts", "type": {"name": "any"}}]
    capability = promising(Any, keeps_rows="texts", parameters=parameters)
    problem = problem_with(capability, ["x"], {"texts": ["a", "b"]}, "en")
    assert problem is not None
    assert problem.message == "'score' promised as many as 'texts' has, 2 items, and gave 1 item"
    assert problem_with(capability, ["x"], {}, "en") is None


# ── large and hostile ───────────────────────────────────────────────────────────────────────────


def test_a_million_items_take_little_time() -> None:
    values = [float(i) for i in range(1_000_000)]
    rows = [{"share": 0.5} for _ in range(1_000_000)]
    with Stopwatch() as watch:
        assert problem_with(promising(list[float]), values, {}, "en") is None
        assert problem_with(promising(list[Annotated[float, Interval(ge=0)]]), values, {}, "en") is None
        assert problem_with(promising(list[Row]), rows, {}, "en") is None
    assert watch.seconds < 5


def test_wrong_item_of_a_million_is_found_where_its_type_shows_it() -> None:
    values: list[Any] = [1.0] * 1_000_000
    values[777_777] = "x"
    assert problem_with(promising(list[float]), values, {}, "en") is not None


def test_deep_nesting_of_value_and_of_schema_is_no_error() -> None:
    value: Any = 1
    schema = Schema(kind="int")
    for _ in range(400):
        value, schema = [value], Schema(kind="list", items=schema)
    capability = promising(Any).model_copy(update={"returns": schema})
    assert problem_with(capability, value, {}, "en") is None
    assert problem_with(capability, "x", {}, "en") is not None


def test_many_promised_fields_times_many_records_end_soon() -> None:
    row = Schema(kind="dict", fields={f"f{i}": Schema(kind="int") for i in range(10_000)})
    capability = promising(Any).model_copy(update={"returns": Schema(kind="list", items=row)})
    with Stopwatch() as watch:
        assert problem_with(capability, [{"f1": 1}] * 50_000, {}, "en") is None
    assert watch.seconds < 5
