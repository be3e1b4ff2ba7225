"""Rows of tables and arrays, seen without decoding them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.fabric.wire.decoding import TABLES, Opaque, decode_opaque
from easynet.fabric.wire.encoding import encode
from easynet.fabric.wire.table_size import rows_of

KINDS: dict[str, Callable[[int], Any]] = {
    "array": np.zeros,
    "matrix": lambda n: np.zeros((n, 3)),
    "objects": lambda n: np.array(["x"] * n, dtype=object),
    "frame": lambda n: pd.DataFrame({"a": range(n), "b": ["x"] * n}),
    "frame without columns": lambda n: pd.DataFrame(index=range(n)),
    "frame by name": lambda n: pd.DataFrame({"a": range(n)}, index=[f"row {i}" for i in range(n)]),
    "frame by two": lambda n: pd.DataFrame({"a": range(n), "b": range(n), "c": range(n)}).set_index(
        ["a", "b"]
    ),
    "frame by day": lambda n: pd.DataFrame({"a": range(n)}, index=pd.date_range("2024-01-01", periods=n)),
    "frame by zoned day": lambda n: pd.DataFrame(
        {"a": range(n)}, index=pd.date_range("2024-01-01", periods=n, tz="Asia/Shanghai")
    ),
    "frame by kind": lambda n: pd.DataFrame({"a": range(n)}, index=pd.CategoricalIndex(["x"] * n)),
    "frame by gaps": lambda n: pd.DataFrame({"a": range(n)}, index=pd.Index([1] * n, dtype="Int64")),
    "frame by text": lambda n: pd.DataFrame({"a": range(n)}, index=pd.Index(["x"] * n, dtype="string")),
    "series": lambda n: pd.Series([1.5] * n, name="y"),
    "index": lambda n: pd.Index([f"row {i}" for i in range(n)]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [0, 1, 7])
def test_rows_are_those_of_the_decoded_value(kind: str, rows: int) -> None:
    opaque = decode_opaque(encode(KINDS[kind](rows)))
    assert rows_of(opaque) == rows


def test_number_and_moment_have_no_rows() -> None:
    assert rows_of(decode_opaque(encode(np.array(3.5)))) is None
    assert rows_of(decode_opaque(encode(pd.Timestamp("2024-01-01")))) is None


@given(st.sampled_from([*TABLES.values(), 3, 99]), st.binary(max_size=60))
def test_bytes_that_are_no_table_have_no_rows_and_break_nothing(code: int, data: bytes) -> None:
    rows = rows_of(Opaque(code, data))
    assert rows is None or rows >= 0


@given(st.data(), st.sampled_from(sorted(KINDS)))
def test_table_that_breaks_off_breaks_nothing(data: st.DataObject, kind: str) -> None:
    whole = decode_opaque(encode(KINDS[kind](5)))
    length = data.draw(st.integers(0, len(whole.data)))
    assert rows_of(Opaque(whole.code, whole.data[:length])) in (None, 5)
