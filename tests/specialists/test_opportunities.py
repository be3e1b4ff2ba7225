from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from easynet.specialists.comparison import compare, comparison_for
from easynet.specialists.forecast import forecast_sales
from easynet.specialists.opportunities import growth_opportunities
from easynet.specialists.present_opportunities import present_opportunities
from easynet.specialists.sales import sales_table
from easynet.specialists.table_io import RawTable
from easynet.specialists.trend import sales_trend

Frames = Callable[..., pd.DataFrame]


def test_growth_comes_first_and_decline_last(sales_chain: Any) -> None:
    regions = sales_chain.opportunities["regions"]
    assert [r["segment"] for r in regions] == ["North", "South", "West"]
    north, south, west = (r["change"] for r in regions)
    assert north["is_clear"]
    assert north["low"] > 0
    assert not south["is_clear"]
    assert south["low"] < 0 < south["high"]
    assert west["is_clear"]
    assert west["high"] < 0


def test_pairs_add_up_to_their_regions(sales_chain: Any) -> None:
    opportunities = sales_chain.opportunities
    north = next(r for r in opportunities["regions"] if r["segment"] == "North")
    pairs = [p for p in opportunities["pairs"] if p["segment"].startswith("North · ")]
    assert len(pairs) == 2
    assert sum(p["change"]["change"] for p in pairs) == pytest.approx(north["change"]["change"])
    assert sum(r["share"] for r in opportunities["regions"]) == pytest.approx(1.0)
    expected = sum(r["expected"] for r in opportunities["regions"])
    assert expected == pytest.approx(sum(sales_chain.forecast["mean"]))


def test_only_the_largest_segments_are_looked_at_and_the_rest_counted(sales_frame: Frames) -> None:
    frame = sales_frame(days=200)
    frame["product"] = [f"item {i % 50}" for i in range(len(frame))]
    sales = sales_table(RawTable(frame=frame, notes=[]))
    found = growth_opportunities(sales, sales_trend(sales), forecast_sales(sales))
    assert len(found["products"]) == 30
    assert found["left_out"] >= 20
    assert not found["is_year_before"]


def test_data_without_segments_gives_the_total_only(sales_frame: Frames) -> None:
    frame = sales_frame(days=200)[["date", "amount"]]
    sales = sales_table(RawTable(frame=frame, notes=[]))
    found = growth_opportunities(sales, sales_trend(sales), forecast_sales(sales))
    assert [found["regions"], found["products"], found["pairs"]] == [[], [], []]
    headline = present_opportunities(found)["headline"]
    assert headline[0].startswith("The data does not tell regions or products apart. The total changed by ")


@pytest.mark.parametrize(
    ("periods", "grain", "length", "lag"),
    [
        (143, "week", 52, 52),
        (70, "week", 18, 52),
        (55, "week", 27, 27),
        (36, "month", 12, 12),
        (18, "month", 6, 12),
        (8, "month", 4, 4),
        (60, "day", 28, 28),
        (9, "quarter", 4, 4),
        (6, "day", 3, 3),
    ],
)
def test_the_same_season_is_compared_where_the_data_allows(
    periods: int, grain: Any, length: int, lag: int
) -> None:
    comparison = comparison_for(periods, grain)
    assert (comparison.length, comparison.lag) == (length, lag)
    assert comparison.length + comparison.lag <= periods


@pytest.mark.parametrize(("periods", "grain"), [(104, "week"), (24, "month"), (60, "day"), (8, "quarter")])
def test_interval_of_no_change_holds_zero_about_as_often_as_it_says(periods: int, grain: Any) -> None:
    clear = 0
    for seed in range(200):
        values = np.random.default_rng(seed).normal(100, 20, periods)
        clear += compare(values, comparison_for(periods, grain))["is_clear"]
    assert clear <= 18  # 10 expected


def test_segment_that_is_new_has_no_percentage() -> None:
    values = np.r_[np.zeros(12), np.full(12, 10.0)]
    change = compare(values, comparison_for(24, "month"))
    assert change["percent"] is None
    assert change["change"] == 120.0
    assert change["is_clear"]


def test_segments_are_told_by_the_name_of_their_column(sales_frame: Frames) -> None:
    sales = sales_table(RawTable(frame=sales_frame().rename(columns={"region": "Filiale"}), notes=[]))
    found = growth_opportunities(sales, sales_trend(sales), forecast_sales(sales))
    section = present_opportunities(found)
    assert section["headline"][0].startswith("The region that grew most is North (by 'Filiale'): +")
    assert section["tables"][0]["title"] == "Regions (Filiale)"
