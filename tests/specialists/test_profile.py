from collections.abc import Callable

import pandas as pd
import pytest

from easynet.core.errors import BadData
from easynet.specialists.cleaning import CleanTable, clean_table
from easynet.specialists.profile import profile_table
from easynet.specialists.table_io import RawTable

Clean = Callable[[pd.DataFrame], CleanTable]


def test_profile_counts_gaps_values_and_repeated_rows() -> None:
    frame = pd.DataFrame({"x": [1.0, None, 3.5, 3.5], "city": ["Rome", "Oslo", "Rome", "Rome"]})
    profile = profile_table(RawTable(frame=frame, notes=["read as gb18030"]))
    x, city = profile["columns"]
    assert (x["kind"], x["missing"], x["unique"]) == ("number", 1, 2)
    assert city["summary"] == "Rome (3), Oslo (1)"
    assert profile["duplicate_rows"] == 1
    assert profile["missing_share"] == 1 / 8
    assert profile["notes"] == ["read as gb18030"]


def test_cleaning_types_columns_and_says_what_was_lost(clean: Clean) -> None:
    frame = pd.DataFrame(
        {
            "price": [*[f"{i}.5" for i in range(39)], "broken"],
            "day": ["2024-01-05"] * 20 + ["2024-01-06"] * 20,
            "city": [" Rome ", "Oslo"] * 20,
        }
    )
    table = clean(frame)
    assert table["frame"]["price"].iloc[0] == 0.5
    assert table["frame"]["day"].dt.day.iloc[0] == 5
    assert set(table["frame"]["city"]) == {"Rome", "Oslo"}
    assert "1 value(s) of 'price'" in " ".join(table["notes"])


def test_cleaning_drops_empty_rows_and_columns_and_copies(clean: Clean) -> None:
    frame = pd.DataFrame({"x": [1.5, None, 2.5, 2.5, 4.0, 5.0, 6.0], "hole": [None] * 7})
    table = clean(frame)
    assert list(table["frame"].columns) == ["x"]
    assert table["dropped"] == {"hole": "empty"}
    assert table["row_numbers"].tolist() == [1, 3, 5, 6, 7]


def test_equal_rows_of_a_coarse_table_are_no_copies(clean: Clean) -> None:
    frame = pd.DataFrame({"smoker": ["yes", "no"] * 20, "ill": ["no", "no", "yes", "yes"] * 10})
    assert len(clean(frame)["frame"]) == 40


def test_table_without_any_value_is_refused() -> None:
    table = RawTable(frame=pd.DataFrame({"a": [None, None], "b": [None, None]}), notes=[])
    with pytest.raises(BadData, match="no values"):
        clean_table(table, profile_table(table))
