import math

import pandas as pd
import pytest

from easynet.core.errors import BadData
from easynet.specialists.columns import column_kind, find_by_name, given_column, to_numbers, words_of
from easynet.specialists.dates import to_dates


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1,234.50", "2,000", "7"], [1234.5, 2000.0, 7.0]),
        (["1.234,50", "12,5", "7"], [1234.5, 12.5, 7.0]),
        (["$12", "¥1 200", "€ 3"], [12.0, 1200.0, 3.0]),
        (["(12)", "45 %", "-3"], [-12.0, 45.0, -3.0]),
        (["300元", "1,000元", "2元"], [300.0, 1000.0, 2.0]),
    ],
)
def test_written_numbers_are_understood(texts: list[str], numbers: list[float]) -> None:
    assert to_numbers(pd.Series(texts)).tolist() == numbers


def test_what_is_no_number_becomes_nan() -> None:
    assert math.isnan(to_numbers(pd.Series(["12", "twelve"])).tolist()[1])


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("x", [None, None], "empty"),
        ("x", [3, 3, 3], "constant"),
        ("x", [1.5, 2.5, 9.1], "number"),
        ("x", ["1.5", "2,000.5", "9"], "number"),
        ("x", [True, False, True], "category"),
        ("x", ["是", "否", "是", "是"], "category"),
        ("x", list(range(100)), "id"),
        ("patient_id", [9, 4, 7, 1], "id"),
        ("customer", [f"C{i}" for i in range(200)], "id"),
        ("notes", [f"a long remark about case {i}" for i in range(200)], "text"),
        ("when", ["2024-01-01", "2024-02-01", "2024-03-05"], "date"),
        ("日期", [20240101, 20240215, 20240301], "date"),
        ("age", [31, 42, 31, 55, 60, 31], "number"),
    ],
)
def test_columns_are_told_apart(name: str, values: list[object], kind: str) -> None:
    assert column_kind(name, pd.Series(values)) == kind


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-01-31", "2024-02-01"],
        ["2024/1/31", "2024/2/1"],
        ["31.01.2024", "01.02.2024"],
        ["31/01/2024", "01/02/2024"],
        ["01/31/2024", "02/01/2024"],
        ["2024年1月31日", "2024年2月1日"],
        ["31 Jan 2024", "1 Feb 2024"],
        ["Jan 31, 2024", "Feb 1, 2024"],
        ["20240131", "20240201"],
        ["2024-01-31T08:00:00Z", "2024-02-01T09:30:00Z"],
    ],
)
def test_dates_are_read_in_many_forms(texts: list[str]) -> None:
    dates, note = to_dates(pd.Series(texts), "en")
    assert [d.date().isoformat() for d in dates] == ["2024-01-31", "2024-02-01"]
    assert note == ""


def test_dates_that_could_be_either_are_read_month_first_and_said() -> None:
    dates, note = to_dates(pd.Series(["03/04/2024", "05/06/2024"]), "en")
    assert dates.dt.month.tolist() == [3, 5]
    assert "month first" in note


def test_numbers_are_not_dates_by_accident() -> None:
    dates, _ = to_dates(pd.Series([12.5, 13.75]), "en")
    assert dates.isna().all()


def test_whole_name_beats_part_of_a_name() -> None:
    assert find_by_name(["Total Sales Region", "Region"], ["region"])[0] == "Region"
    assert find_by_name(["产品大类", "地区"], ["产品"]) == ["产品大类"]
    assert find_by_name(["status"], ["state"]) == []


def test_names_are_compared_as_words() -> None:
    assert words_of("saleDate") == words_of("Sale_Date") == "sale date"


def test_given_column_may_differ_in_capitals() -> None:
    assert given_column("order date", ["Order_Date", "x"], "date", "en") == "Order_Date"


def test_wrong_given_column_names_the_nearest() -> None:
    with pytest.raises(BadData) as refused:
        given_column("regoin", ["region", "amount"], "region", "en")
    assert "Did you mean 'region'?" in refused.value.hint
