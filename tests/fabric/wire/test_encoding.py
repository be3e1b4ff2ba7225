"""Values as bytes and back."""

import contextlib
import dataclasses
import hashlib
from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from easynet.core.artifact import Artifact
from easynet.core.errors import BadData, Unencodable
from easynet.fabric.wire.decoding import Opaque, decode, decode_opaque
from easynet.fabric.wire.encoding import encode
from easynet.fabric.wire.limits import MAX_BYTES, MAX_DEPTH
from easynet.fabric.wire.references import references


class Store:
    """Artifacts in memory."""

    def __init__(self) -> None:
        self.data_by_digest: dict[str, bytes] = {}

    def put(self, *pieces: bytes) -> Artifact:
        data = b"".join(pieces)
        digest = hashlib.sha256(data).hexdigest()
        self.data_by_digest[digest] = data
        return Artifact(digest=digest, size_bytes=len(data))

    def fetch(self, artifact: Artifact) -> bytes:
        return self.data_by_digest[artifact.digest]


class Color(Enum):
    RED = "red"


class Level(StrEnum):
    HIGH = "high"


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Box:
    name: str
    corners: list[Point]


class Model(BaseModel):
    at: datetime
    box: Box
    tags: set[str]


scalars = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**200), max_value=2**200)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=5, minutes=30))))
    | st.dates()
    | st.times()
    | st.timedeltas()
)
keys = st.text() | st.integers(-(2**63), 2**64 - 1) | st.binary()
values = st.recursive(scalars, lambda v: st.lists(v) | st.dictionaries(keys, v), max_leaves=20)


@given(values)
def test_values_come_back_equal(value: Any) -> None:
    assert decode(encode(value)) == value


@given(values)
def test_an_opaque_value_encodes_to_the_very_same_bytes(value: Any) -> None:
    data = encode(value)
    assert encode(decode_opaque(data)) == data


@given(st.binary(max_size=200))
def test_strange_bytes_are_a_value_or_bad_data(data: bytes) -> None:
    for read in (decode, decode_opaque, references):
        with contextlib.suppress(BadData):
            read(data)


@given(st.binary(max_size=60), st.integers(0, 127))
def test_strange_extensions_are_a_value_or_bad_data(payload: bytes, code: int) -> None:
    data = encode(Opaque(code, payload))
    with contextlib.suppress(BadData):
        decode(data)


def test_models_and_data_classes_arrive_as_dictionaries() -> None:
    at = datetime(2024, 1, 2, tzinfo=UTC)
    model = Model(at=at, box=Box("b", [Point(1, 2)]), tags={"y", "x"})
    assert decode(encode(model)) == {"at": at, "box": {"name": "b", "corners": [[1, 2]]}, "tags": ["x", "y"]}


def test_near_relations_of_plain_types_arrive_as_those() -> None:
    value = {
        "e": Color.RED,
        Level.HIGH: Level.HIGH,
        "o": OrderedDict(a=1),
        "f": frozenset({1}),
        "b": bytearray(b"x"),
    }
    assert decode(encode(value)) == {"e": "red", "high": "high", "o": {"a": 1}, "f": [1], "b": b"x"}


@pytest.mark.parametrize(
    "moment", [datetime(2024, 1, 2, 3, 4, 5, 6), date(2024, 1, 2), time(3, 4), timedelta(1, 2, 3)]
)
def test_times_keep_their_kind(moment: Any) -> None:
    assert type(decode(encode(moment))) is type(moment)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"model": [1, object()]}, "result['model'][1] is an object"),
        ({"f": len}, "result['f'] is a builtin_function_or_method"),
        ([(x for x in [1])], "result[0] is a generator"),
        ({(1, 2): 3}, "key (1, 2)"),
        (1j, "result is a complex"),
        (Store(), "Store"),
        ("\ud800", "result cannot travel"),
    ],
)
def test_what_cannot_travel_is_named_by_its_path_and_type(value: Any, says: str) -> None:
    with pytest.raises(Unencodable) as caught:
        encode(value)
    assert says in str(caught.value)


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(Unencodable, match="nested"):
        encode(loop)
    deep: Any = 0
    for _ in range(MAX_DEPTH + 1):
        deep = {"in": deep}
    with pytest.raises(Unencodable, match="nested"):
        encode(deep)


def test_large_parts_become_references_and_come_back() -> None:
    store = Store()
    value = {"text": "x" * 100_000, "small": [1, 2], "deep": {"rows": list(range(50_000)), "n": 1}}
    data = encode(value, store.put)
    assert len(data) < 1000
    seen = decode_opaque(data)
    assert isinstance(seen["text"], Artifact)
    assert seen["small"] == [1, 2]
    assert isinstance(seen["deep"]["rows"], Artifact)
    assert seen["deep"]["n"] == 1
    assert encode(seen, store.put) == data
    assert len(references(data)) == 2
    assert decode(data, store.fetch) == value


def test_a_record_of_many_middling_parts_is_stored_whole() -> None:
    store = Store()
    value = {str(i): "x" * 60_000 for i in range(50)}
    data = encode(value, store.put)
    assert isinstance(decode_opaque(data), Artifact)
    assert decode(data, store.fetch) == value


def test_without_a_store_a_large_value_is_refused_clearly() -> None:
    with pytest.raises(Unencodable, match="more than one message holds"):
        encode("x" * (MAX_BYTES + 1))


def test_a_path_is_sent_as_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("hello")
    sent: list[Path] = []

    def put_file(path: Path) -> Artifact:
        sent.append(path)
        return Artifact(digest="0" * 64, size_bytes=5, filename=path.name)

    value = decode(encode({"report": path}, put_file=put_file), lambda _: b"")
    assert value == {"report": Artifact(digest="0" * 64, size_bytes=5, filename="a.txt")}
    assert sent == [path]


def test_a_path_without_a_file_or_without_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unencodable, match="does not exist"):
        encode([tmp_path / "missing"])
    with pytest.raises(Unencodable, match="does not exist"):
        encode(tmp_path)
    path = tmp_path / "a"
    path.touch()
    with pytest.raises(Unencodable, match="no store"):
        encode(path)


def test_a_reference_chain_that_never_ends_is_bad_data() -> None:
    artifact = Artifact(digest="0" * 64, size_bytes=1)
    again = encode(artifact)
    with pytest.raises(BadData, match="nested"):
        decode(again, lambda _: again)
