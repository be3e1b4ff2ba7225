"""What annotations promise of a result."""

import collections
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, Flag
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NewType, NotRequired, TypeVar

import pytest
from annotated_types import Ge, Gt, Interval, Le, Len, Lt, MaxLen, MinLen
from pydantic import BaseModel, Field, PositiveInt, StringConstraints
from typing_extensions import TypedDict

from easynet.core.capability import Capability
from easynet.core.declared_schema import schema_of
from easynet.core.schema import NOTHING, Schema
from easynet.core.signature import capability_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

T = TypeVar("T")
Share = Annotated[float, Interval(ge=0, le=1)]
Name = NewType("Name", str)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Way(Flag):
    NORTH = 1
    WEST = 2


class Point(TypedDict):
    x: float
    label: "NotRequired[str]"


class Loose(TypedDict, total=False):
    x: int


@dataclass
class Tree:
    name: str
    parts: "list[Tree]" = field(default_factory=list["Tree"])
    kinds: ClassVar[int] = 3


class Model(BaseModel):
    share: float = Field(ge=0, le=1)
    tags: list[str] = Field(default=[], max_length=3)
    size: PositiveInt


def returning(hint: Any) -> Capability:
    def score() -> None: ...

    score.__annotations__["return"] = hint
    return capability_of(score)


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (int, Schema(kind="int")),
        (int | None, Schema(kind="int", nullable=True)),
        (int | str, NOTHING),
        (None, Schema(kind="none")),
        (Any, NOTHING),
        (object, NOTHING),
        (T, NOTHING),
        (Sequence[int], NOTHING),
        (Callable[[], int], NOTHING),
        (Name, Schema(kind="str")),
        (Path, Schema(kind="File")),
        (date, Schema(kind="date", nullable=True)),
        (datetime, Schema(kind="datetime", nullable=True)),
        (list, Schema(kind="list")),
        (list[list[int]], Schema(kind="list", items=Schema(kind="list", items=Schema(kind="int")))),
        (set[str], Schema(kind="list", items=Schema(kind="str"))),
        (tuple[int, ...], Schema(kind="list", items=Schema(kind="int"))),
        (tuple[int, str], Schema(kind="list", parts=(Schema(kind="int"), Schema(kind="str")))),
        (dict[str, float], Schema(kind="dict", items=Schema(kind="float"))),
        (collections.Counter[str], Schema(kind="dict", items=Schema(kind="int"))),
        (Literal["a", 1, None], Schema(choices=("a", 1), nullable=True)),
        (Colour, Schema(choices=("red", "blue"))),
        (Way, NOTHING),
        (Share, Schema(kind="float", ge=0, le=1)),
        (Annotated[int | None, Gt(0), Lt(9)], Schema(kind="int", nullable=True, gt=0, lt=9)),
        (Annotated[float, Field(ge=0, lt=1)], Schema(kind="float", ge=0, lt=1)),
        (Annotated[str, StringConstraints(min_length=1)], Schema(kind="str", min_len=1)),
        (
            Annotated[list[Share], Len(2, 5)],
            Schema(kind="list", min_len=2, max_len=5, items=schema_of(Share)),
        ),
        (Annotated[float, "in metres", Ge(float("-inf")), Le(10**30)], Schema(kind="float")),
        (Annotated[date, Ge(date(2024, 1, 1))], Schema(kind="date", nullable=True)),
        (Annotated[list[int], MinLen(-1), MaxLen(True)], Schema(kind="list", items=Schema(kind="int"))),
        (
            Point,
            Schema(kind="dict", fields={"x": schema_of(float), "label": schema_of(str)}, required=("x",)),
        ),
        (Loose, Schema(kind="dict", fields={"x": Schema(kind="int")})),
    ],
)
def test_annotation_becomes_a_schema(hint: Any, schema: Schema) -> None:
    assert schema_of(hint) == schema


def test_limits_of_a_models_fields_are_read_and_defaults_may_be_missing() -> None:
    schema = schema_of(Model)
    assert schema.fields["share"] == Schema(kind="float", ge=0, le=1)
    assert schema.fields["tags"] == Schema(kind="list", items=Schema(kind="str"), max_len=3)
    assert schema.fields["size"] == Schema(kind="int", gt=0)
    assert schema.required == ("share", "size")


def test_type_that_holds_itself_ends() -> None:
    schema = schema_of(Tree)
    assert schema.fields["parts"].items == Schema(kind="dict")
    assert schema.fields.keys() == {"name", "parts"}


def test_types_of_libraries_are_known_even_where_these_are_not_loaded() -> None:
    def table() -> "Annotated[pd.DataFrame, MinLen(1)]":
        raise NotImplementedError

    def array() -> "NDArray[Any]":
        raise NotImplementedError

    assert capability_of(table).returns == Schema(kind="table", min_len=1)
    assert capability_of(array).returns == Schema(kind="array")


def test_generator_promises_the_list_of_its_items() -> None:
    def rows() -> Iterator[Share]:
        yield 1.0

    async def ticks() -> "Annotated[AsyncIterator[str], MinLen(1)]":
        yield "tick"

    def anything():  # type: ignore[no-untyped-def]
        yield 1

    assert capability_of(rows).returns == Schema(kind="list", items=schema_of(Share))
    assert capability_of(ticks).returns == Schema(kind="list", items=Schema(kind="str"), min_len=1)
    assert capability_of(anything).returns == Schema(kind="list")


def test_promise_travels_with_the_capability_and_takes_no_room_where_there_is_none() -> None:
    capability = returning(Tree)
    assert Capability.model_validate_json(capability.model_dump_json()) == capability
    assert Capability.model_validate(capability.model_dump(mode="json"), extra="ignore") == capability
    assert returning(Any).model_dump()["returns"] == {}


def test_capability_of_an_older_node_promises_nothing_more_than_its_type() -> None:
    said = capability_of(lambda: 1, name="one").model_dump()
    del said["returns"], said["keeps_rows"]
    assert Capability.model_validate(said).returns == NOTHING


def test_signature_shows_the_limits_of_the_result() -> None:
    hints = (Share, Annotated[list[str], MinLen(1)], Annotated[int, Gt(0)], float)
    signatures = [returning(hint).signature for hint in hints]
    assert signatures == [
        "score() -> float (from 0 to 1)",
        "score() -> list[str] (at least 1 item)",
        "score() -> int (above 0)",
        "score() -> float",
    ]


def test_rows_can_only_be_kept_of_a_parameter() -> None:
    def translate(texts: list[str]) -> list[str]:
        return texts

    assert capability_of(translate, keeps_rows="texts").keeps_rows == "texts"
    with pytest.raises(ValueError, match="no parameter 'text'"):
        capability_of(translate, keeps_rows="text")
