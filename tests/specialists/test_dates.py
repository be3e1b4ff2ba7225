import pandas as pd
import pytest

from easynet.specialists.dates import to_dates


def read(dates: pd.DatetimeIndex, form: str) -> tuple[list[pd.Timestamp], str]:
    column, note = to_dates(pd.Series(dates.strftime(form)), "en")
    return column.tolist(), note


@pytest.mark.parametrize(
    "form", ["%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%Y %H:%M", "%d.%m.%Y", "%d.%m.%y"]
)
def test_one_day_after_the_twelfth_settles_the_order(form: str) -> None:
    dates = pd.DatetimeIndex([*pd.date_range("2024-03-01", periods=600), pd.Timestamp("2025-12-25")])
    found, note = read(dates, form)
    assert found == dates.tolist()
    assert not note


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%m/%d/%Y"])
def test_steady_months_settle_the_order(form: str) -> None:
    dates = pd.date_range("2021-01-01", periods=36, freq="MS")
    assert read(dates, form) == (dates.tolist(), "")
    assert read(dates[::-1], form) == (dates[::-1].tolist(), "")


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%m/%d/%Y"])
def test_rows_in_order_settle_the_order(form: str) -> None:
    dates = pd.DatetimeIndex(
        ["2024-01-03", "2024-02-11", "2024-04-02", "2024-05-09", "2024-08-01", "2024-11-05"]
    )
    assert read(dates, form) == (dates.tolist(), "")


def test_order_that_nothing_settles_is_said() -> None:
    found, note = read(pd.DatetimeIndex(["2024-03-04", "2024-03-05", "2024-03-06"]), "%m/%d/%Y")
    assert found[0] == pd.Timestamp("2024-03-04")
    assert "03/04/2024 were read with the month first" in note


def test_same_day_and_month_need_no_order() -> None:
    assert read(pd.DatetimeIndex(["2024-03-03", "2024-05-05"]), "%d/%m/%Y")[1] == ""
