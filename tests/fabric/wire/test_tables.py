"""Arrays and tables as bytes and back."""

import contextlib
import subprocess
import sys
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import BadData, Unencodable
from easynet.fabric.wire.decoding import Opaque, decode, decode_opaque
from easynet.fabric.wire.encoding import encode

FRAME = pd.DataFrame(
    {
        "int": [1, 2, 3],
        "float": [1.5, np.nan, 2],
        "bool": [True, False, True],
        "text": ["a", None, "日本"],
        "mixed": [1, "x", None],
        "day": pd.to_datetime(["2024-01-01", "NaT", "2024-01-03"]),
        "zoned": pd.to_datetime(["2024-01-01", "NaT", "2024-01-03"]).tz_localize("Europe/Berlin"),
        "kind": pd.Categorical(["u", "v", None], ordered=True),
        "span": pd.to_timedelta([1, 2, None], unit="h"),
        "Int64": pd.array([1, None, 3], dtype="Int64"),
        "boolean": pd.array([True, None, False], dtype="boolean"),
        "Float32": pd.array([1.0, None, 3], dtype="Float32"),
        "string": pd.array(["a", None, "c"], dtype="string"),
        "date": [date(2024, 1, 1)] * 3,
        5: np.array([1, 2, 3], dtype="int8"),
    }
)
INDEXES = [
    pd.RangeIndex(3, 9, 2, name="step"),
    pd.Index(["x", "y", "z"], name="key"),
    pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-05"]),
    pd.MultiIndex.from_tuples([(1, "a"), (1, "b"), (2, "c")], names=["p", "q"]),
    pd.CategoricalIndex(["a", "b", "a"]),
]


def test_a_table_keeps_columns_kinds_and_missing_values() -> None:
    pd.testing.assert_frame_equal(decode(encode(FRAME)), FRAME)


@pytest.mark.parametrize("index", INDEXES, ids=lambda i: type(i).__name__)
def test_an_index_comes_back(index: Any) -> None:
    frame = FRAME.set_axis(index)
    pd.testing.assert_frame_equal(decode(encode(frame)), frame)
    pd.testing.assert_series_equal(decode(encode(frame["float"])), frame["float"])
    pd.testing.assert_index_equal(decode(encode(index)), index)


def test_an_empty_table_and_one_with_twin_columns_come_back() -> None:
    pd.testing.assert_frame_equal(decode(encode(FRAME.iloc[:0])), FRAME.iloc[:0])
    twins = pd.DataFrame([[1, "a"], [2, "b"]], columns=["x", "x"])
    pd.testing.assert_frame_equal(decode(encode(twins)), twins)
    nothing = decode(encode(pd.DataFrame()))
    assert nothing.shape == (0, 0)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array(5, dtype=">i2"),
        np.array(["a", "bb"]),
        np.array([1, "x", None], dtype=object),
        np.zeros((0, 3), dtype=complex),
        np.array(["2024-01-01"], dtype="M8[D]"),
    ],
)
def test_an_array_keeps_kind_and_shape_and_can_be_written_to(array: Any) -> None:
    again = decode(encode(array))
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)
    assert again.flags.writeable


def test_numbers_of_numpy_travel_as_plain_numbers() -> None:
    value = {
        "f": np.float64(1.5),
        "g": np.float32(0.5),
        "i": np.int32(3),
        "b": np.bool_(True),
        "s": np.str_("x"),
    }
    again = decode_opaque(encode({**value, np.int64(7): np.longdouble(2)}))
    assert again == {"f": 1.5, "g": 0.5, "i": 3, "b": True, "s": "x", 7: 2.0}
    assert [type(v) for v in again.values()] == [float, float, int, bool, str, float]


def test_what_pandas_calls_missing_is_none() -> None:
    assert decode(encode([pd.NA, pd.NaT, np.datetime64("NaT")])) == [None, None, None]
    assert decode(encode(pd.Timestamp("2024-01-02"))) == pd.Timestamp("2024-01-02")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (pd.DataFrame({("a", "b"): [1]}), "several levels"),
        (pd.DataFrame({"x": [object()]}), "result['x'][0] is an object"),
        (
            pd.DataFrame({"x": pd.period_range("2024", periods=2, freq="M")}),
            "result['x'] is a column of period",
        ),
        (np.zeros(3, dtype=[("a", "i4")]), "which cannot travel"),
        (np.array([len], dtype=object), "result[0] is a builtin"),
    ],
)
def test_tables_that_cannot_travel_are_named(value: Any, says: str) -> None:
    with pytest.raises(Unencodable) as caught:
        encode(value)
    assert says in str(caught.value)


plain = st.recursive(
    st.none() | st.integers(-100, 100) | st.text(max_size=5) | st.binary(max_size=9), st.lists, max_leaves=12
)


@given(st.integers(16, 19), plain)
def test_a_forged_table_is_a_value_or_bad_data(code: int, fields: Any) -> None:
    with contextlib.suppress(BadData):
        decode(encode(Opaque(code, encode(fields))))


@pytest.mark.parametrize("dtype", ["O", "V8", "i4,O", "|O"])
def test_an_array_of_pointers_is_never_made_from_bytes(dtype: str) -> None:
    with pytest.raises(BadData):
        decode(encode(Opaque(16, encode([dtype, [1], b"\x01" * 8]))))


def test_a_process_passes_tables_on_without_importing_pandas() -> None:
    data = encode({"frame": FRAME, "n": 1})
    code = (
        "import sys\n"
        "from easynet.fabric.wire.decoding import decode_opaque\n"
        "from easynet.fabric.wire.encoding import encode\n"
        f"data = bytes.fromhex({data.hex()!r})\n"
        "assert encode(decode_opaque(data)) == data\n"
        "assert not {'pandas', 'numpy'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
