from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from easynet.core.errors import BadData, InputNeeded
from easynet.specialists.sales import sales_table, totals
from easynet.specialists.table_io import RawTable

Frames = Callable[..., pd.DataFrame]


def table(frame: pd.DataFrame) -> RawTable:
    return RawTable(frame=frame, notes=[])


@pytest.mark.parametrize(
    ("names", "language"),
    [
        (["date", "region", "product", "amount"], "en"),
        (["Order Date", "Sales_Region", "Item", "Net Sales"], "en"),
        (["订单日期", "大区", "产品名称", "销售额"], "zh"),
        (["日期", "省份", "品类", "成交金额"], "zh"),
        (["订单日期", "渠道", "商品", "金额"], "zh"),
        (["Datum", "Filiale", "Artikel", "Umsatz"], "en"),
        (["Bestelldatum", "Kanal", "Kategorie", "Betrag (EUR)"], "en"),
        (["ORDERDATE", "TERRITORY", "PRODUCTLINE", "SALES"], "en"),
        (["order_date", "store", "sku", "turnover"], "en"),
        (["sale date", "channel", "item", "net_sales"], "en"),
    ],
)
def test_columns_are_found_by_name(sales_frame: Frames, names: list[str], language: Any) -> None:
    frame = sales_frame(days=200)
    frame.columns = pd.Index(names)
    sales = sales_table(table(frame), language=language)
    assert [sales["columns"][role] for role in ("date", "region", "product", "amount")] == names
    assert repr(names[0]) in sales["notes"][0]


def test_other_columns_do_not_confuse(sales_frame: Frames) -> None:
    frame = sales_frame(days=200).rename(columns={"amount": "sales"})
    frame.insert(0, "order id", [f"A{i}" for i in range(len(frame))])
    frame["sales quantity"] = 3
    frame["unit price"] = 9.5
    frame["status"] = np.where(np.arange(len(frame)) % 2 == 0, "paid", "open")
    columns = sales_table(table(frame))["columns"]
    assert columns == {"date": "date", "amount": "sales", "region": "region", "product": "product"}


def test_amount_is_quantity_times_unit_price_where_there_is_no_amount(sales_frame: Frames) -> None:
    frame = sales_frame(days=60).drop(columns="amount").assign(quantity=3, unit_price=2.5)
    frame["quantity"] += np.arange(len(frame)) % 2
    frame["unit_price"] += np.arange(len(frame)) % 3
    sales = sales_table(table(frame))
    assert sales["columns"]["amount"] == "quantity × unit_price"
    assert totals(sales).sum() == pytest.approx((frame["quantity"] * frame["unit_price"]).sum())


def test_given_columns_win(sales_frame: Frames) -> None:
    frame = sales_frame(days=60).assign(profit=5.0)
    frame["profit"] += np.arange(len(frame))
    assert sales_table(table(frame), amount="profit")["columns"]["amount"] == "profit"


def test_wrong_given_column_names_the_nearest(sales_frame: Frames) -> None:
    with pytest.raises(BadData) as refused:
        sales_table(table(sales_frame(days=60)), region="regions")
    assert "'region'" in refused.value.hint


def test_unclear_amount_is_asked_for(sales_frame: Frames) -> None:
    frame = sales_frame(days=60).rename(columns={"amount": "a"}).assign(b=2.5)
    frame["b"] += np.arange(len(frame))
    with pytest.raises(InputNeeded, match="amount sold") as asked:
        sales_table(table(frame))
    assert (asked.value.name, asked.value.choices) == ("amount", ("a", "b"))


def test_missing_date_is_asked_for_in_the_users_language(sales_frame: Frames) -> None:
    with pytest.raises(InputNeeded, match="哪一列是销售日期"):
        sales_table(table(sales_frame(days=60).drop(columns="date")), language="zh")


def test_segments_that_no_name_tells_are_asked_for(sales_frame: Frames) -> None:
    frame = sales_frame(days=60).rename(columns={"region": "r", "product": "p"})
    with pytest.raises(InputNeeded) as asked:
        sales_table(table(frame))
    assert asked.value.name == "product"
    assert asked.value.choices == ("r", "p")


def test_one_segment_column_is_enough(sales_frame: Frames) -> None:
    sales = sales_table(table(sales_frame(days=60).drop(columns="region")))
    assert "region" not in sales["columns"]
    assert "region: none found" in sales["notes"][0]


@pytest.mark.parametrize(("days", "grain"), [(60, "day"), (300, "week"), (900, "week"), (2200, "month")])
def test_grain_follows_the_span_of_daily_data(sales_frame: Frames, days: int, grain: str) -> None:
    assert sales_table(table(sales_frame(days=days)))["grain"] == grain


@pytest.mark.parametrize(
    ("frequency", "grain"), [("W-FRI", "week"), ("MS", "month"), ("ME", "month"), ("QS", "quarter")]
)
def test_grain_follows_the_rhythm_of_the_data(frequency: str, grain: str) -> None:
    dates = pd.date_range("2021-01-01", periods=40, freq=frequency)
    frame = pd.DataFrame({"date": dates, "shop": ["A", "B"] * 20, "sales": np.arange(40.0) + 0.5})
    sales = sales_table(table(frame))
    assert sales["grain"] == grain
    assert len(sales["periods"]) == 40
    assert totals(sales).tolist() == frame["sales"].tolist()


def test_total_is_kept_apart_from_incomplete_edges(sales_frame: Frames) -> None:
    frame = sales_frame(days=703)  # 100 whole weeks and three days
    sales = sales_table(table(frame))
    assert len(sales["periods"]) == 100
    assert "Incomplete periods" in " ".join(sales["notes"])
    whole = frame[frame["date"] < "2023-12-04"]
    assert totals(sales).sum() == pytest.approx(whole["amount"].sum())


def test_periods_without_rows_sold_nothing(sales_frame: Frames) -> None:
    frame = sales_frame(days=280)
    frame = frame[~frame["date"].between("2022-03-07", "2022-03-13")]
    sales = sales_table(table(frame))
    assert (totals(sales) == 0).sum() == 1
    assert "1 week without any row" in " ".join(sales["notes"])


def test_unreadable_rows_are_left_out_and_counted(sales_frame: Frames) -> None:
    frame = sales_frame(days=280).astype({"amount": object})
    frame.loc[3, "amount"] = "n.a."
    frame.loc[7, "date"] = "soon"
    assert "2 of 1680 rows" in " ".join(sales_table(table(frame))["notes"])


def test_written_amounts_are_understood(sales_frame: Frames) -> None:
    frame = sales_frame(days=60)
    written = frame.assign(amount=[f"¥{a:,.2f}" for a in frame["amount"]])
    assert totals(sales_table(table(written))).sum() == pytest.approx(frame["amount"].sum())


def test_column_that_holds_no_dates_is_refused(sales_frame: Frames) -> None:
    with pytest.raises(BadData, match="'region', taken as date, is unreadable"):
        sales_table(table(sales_frame(days=60)), date="region")
    with pytest.raises(BadData, match="'amount', taken as date, is unreadable"):
        sales_table(table(sales_frame(days=60)), date="amount", amount="amount")


def test_too_short_a_history_is_refused(sales_frame: Frames) -> None:
    with pytest.raises(BadData, match="cover 4 days only"):
        sales_table(table(sales_frame(days=4)))


@pytest.mark.parametrize(
    ("written", "currency"),
    [("${:,.2f}", "$"), ("{:.2f} €", "€"), ("￥{:.2f}", "¥"), ("{:.2f}元", "元"), ("CHF {:.2f}", "CHF")],
)
def test_currency_sign_decides_the_amount_and_is_kept(
    sales_frame: Frames, written: str, currency: str
) -> None:
    frame = sales_frame(days=60).rename(columns={"amount": "x"}).assign(y=2.5)
    frame["y"] += np.arange(len(frame))
    total = frame["x"].sum()
    frame["x"] = [written.format(x) for x in frame["x"]]
    sales = sales_table(table(frame))
    assert (sales["columns"]["amount"], sales["currency"]) == ("x", currency)
    assert totals(sales).sum() == pytest.approx(total)
    assert "'x' was taken as the amount sold because its cells carry a currency sign" in sales["cautions"][0]


def test_money_that_is_not_sold_is_not_the_amount(sales_frame: Frames) -> None:
    frame = sales_frame(days=60).rename(columns={"amount": "x"})
    frame["unit price"] = [f"${x:.2f}" for x in frame["x"] / 3]
    frame["cost"] = [f"${x:.2f}" for x in frame["x"] / 2]
    frame["x"] = [f"${x:.2f}" for x in frame["x"]]
    assert sales_table(table(frame))["columns"]["amount"] == "x"


def test_currency_in_the_name_is_kept(sales_frame: Frames) -> None:
    for name, currency in (("Umsatz (EUR)", "EUR"), ("sales_usd", "USD"), ("销售额（元）", "元")):
        frame = sales_frame(days=60).rename(columns={"amount": name})
        assert sales_table(table(frame))["currency"] == currency
    assert sales_table(table(sales_frame(days=60)))["currency"] == ""


def test_amount_known_by_elimination_is_a_caution(sales_frame: Frames) -> None:
    frame = sales_frame(days=60).rename(columns={"amount": "x"})
    assert "no other column holds amounts" in sales_table(table(frame))["cautions"][0]
    assert "没有其他数值列" in sales_table(table(frame), language="zh")["cautions"][0]
    assert sales_table(table(sales_frame(days=60)))["cautions"] == []


def test_unsettled_date_order_is_a_caution() -> None:
    dates = [f"03/{day:02}/2024" for day in range(1, 13)]
    frame = pd.DataFrame({"date": dates, "shop": ["A", "B"] * 6, "sales": np.arange(12.0) + 0.5})
    assert "month first" in sales_table(table(frame))["cautions"][0]


def test_column_that_is_not_compared_is_named(sales_frame: Frames) -> None:
    frame = sales_frame(days=60)
    frame["status"] = np.where(np.arange(len(frame)) % 3 == 0, "paid", "open")
    assert "Not compared: 'status'. Give --input product=status" in sales_table(table(frame))["cautions"][0]
    caution = sales_table(table(frame.drop(columns="region")), language="zh")["cautions"][0]
    assert "未作比较：'status'。如需比较，请用 --input region=status" in caution


def test_missing_segments_are_a_caution(sales_frame: Frames) -> None:
    frame = sales_frame(days=60)
    assert "no region column" in sales_table(table(frame.drop(columns="region")))["cautions"][0]
    total_only = sales_table(table(frame[["date", "amount"]]))
    assert "only the total" in total_only["cautions"][0]


def test_order_numbers_are_not_offered_as_products(sales_frame: Frames) -> None:
    frame = sales_frame(days=60)[["date", "amount"]]
    frame["order no"] = [f"A{i:04}" for i in range(len(frame))]
    assert "product" not in sales_table(table(frame))["columns"]
