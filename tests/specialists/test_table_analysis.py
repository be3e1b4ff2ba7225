from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from easynet.core.errors import BadData, InputNeeded
from easynet.specialists.cleaning import CleanTable
from easynet.specialists.correlations import correlate_columns
from easynet.specialists.groups import summarise_by_group
from easynet.specialists.outliers import detect_outliers
from easynet.specialists.present_groups import present_groups
from easynet.specialists.statistic import likely_statistic

Clean = Callable[[pd.DataFrame], CleanTable]


def normals(rows: int = 200, **more: Any) -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=rows), "b": random.normal(size=rows)})
    frame["c"] = frame["a"] * -2 + random.normal(0, 0.2, rows)
    return frame.assign(**more)


def test_strongest_correlation_comes_first_with_its_sign(clean: Clean) -> None:
    found = correlate_columns(clean(normals()))
    best = found["pairs"][0]
    assert (best["first"], best["second"]) == ("a", "c")
    assert best["low"] < best["spearman"] < best["high"] < -0.9
    assert found["pairs_seen"] == 3


def test_unrelated_columns_have_an_interval_with_zero(clean: Clean) -> None:
    pairs = {(p["first"], p["second"]): p for p in correlate_columns(clean(normals()))["pairs"]}
    assert pairs["a", "b"]["low"] < 0 < pairs["a", "b"]["high"]


def test_correlation_needs_two_numeric_columns(clean: Clean) -> None:
    with pytest.raises(BadData, match="needs two numeric columns; the table has 1"):
        correlate_columns(clean(normals()[["a"]].assign(kind="x")))


def test_planted_outlier_is_found_and_explained(clean: Clean) -> None:
    frame = normals()
    frame.loc[41, "b"] = 25.0
    found = detect_outliers(clean(frame))
    assert found["unusual"][0]["row"] == 42
    assert "b = 25 (high" in found["unusual"][0]["why"]
    assert 1 <= found["flagged"] < 15


def test_gaps_and_constant_columns_do_not_disturb_the_search(clean: Clean) -> None:
    frame = normals(k=1.0)
    frame.loc[::3, "a"] = None
    found = detect_outliers(clean(frame))
    assert found["columns"] == ["a", "b", "c"]
    assert np.isfinite(found["scores"]).all()


def test_outliers_need_enough_rows(clean: Clean) -> None:
    with pytest.raises(BadData, match="20 rows"):
        detect_outliers(clean(normals(rows=5)))


def test_groups_are_compared_with_intervals(clean: Clean) -> None:
    frame = pd.DataFrame({"team": ["x", "y"] * 50, "score": np.tile([10.5, 20.5], 50)})
    frame["score"] += np.random.default_rng(0).normal(0, 1, 100)
    summary = summarise_by_group(clean(frame))
    assert [g["group"] for g in summary["groups"]] == ["y", "x"]
    top = summary["groups"][0]
    assert top["low"] < top["mean"] < top["high"]
    assert top["total"] == pytest.approx(frame.loc[frame["team"] == "y", "score"].sum())


def test_unclear_group_or_value_is_asked_for(clean: Clean) -> None:
    frame = normals(team=["x", "y"] * 100, city=["Rome", "Rome", "Oslo", "Oslo"] * 50)
    with pytest.raises(InputNeeded) as asked:
        summarise_by_group(clean(frame))
    assert (asked.value.name, asked.value.choices) == ("group", ("team", "city"))
    with pytest.raises(InputNeeded) as asked:
        summarise_by_group(clean(frame), group="team")
    assert (asked.value.name, asked.value.choices) == ("value", ("a", "b", "c"))
    assert summarise_by_group(clean(frame), group="Team", value="a")["group"] == "team"


def test_group_and_value_may_be_named_loosely(clean: Clean) -> None:
    frame = normals(Team=["x", "y"] * 100, city=["Rome", "Rome", "Oslo", "Oslo"] * 50)
    frame = frame.rename(columns={"a": "Unit Price"})
    for group, value in (
        ("TEAM", "unit_price"),
        ("the team column", "price"),
        ("by Team", "average unit price"),
    ):
        summary = summarise_by_group(clean(frame), group=group, value=value)
        assert (summary["group"], summary["value"]) == ("Team", "Unit Price")


def test_currency_of_a_value_is_shown_with_it(clean: Clean) -> None:
    frame = normals(team=["x", "y"] * 100)[["team"]]
    frame["pay"] = [f"€{1000 + i % 7},00" for i in range(200)]
    section = present_groups(summarise_by_group(clean(frame)))
    assert "mean €1,003)" in section["headline"][0]


def few_large_and_many_small() -> pd.DataFrame:
    """South sells rarely but much at a time; North has the higher total."""
    return pd.DataFrame({"region": ["North"] * 80 + ["South"] * 20, "revenue": [10.5] * 80 + [20.5] * 20})


@pytest.mark.parametrize(
    ("statistic", "first"),
    [
        (None, "North"), ("Total", "North"), ("sum", "North"), ("合计", "North"), ("总", "North"),
        ("汇总", "North"), ("mean", "South"), ("average", "South"), ("平均", "South"), ("median", "South"),
        ("中位数", "South"),
    ],
)  # fmt: skip
def test_groups_are_ranked_by_the_statistic_asked_for(clean: Clean, statistic: Any, first: str) -> None:
    summary = summarise_by_group(clean(few_large_and_many_small()), statistic=statistic)
    section = present_groups(summary)
    assert summary["groups"][0]["group"] == section["tables"][0]["rows"][0][0] == first
    assert f"the {summary['statistic']} is highest in {first}" in section["headline"][0]
    assert f"1. {first} " in section["figures"][0]["alt"]
    assert section["figures"][0]["title"] == f"revenue by region: {summary['statistic']}"


def test_headline_of_groups_names_total_and_mean(clean: Clean) -> None:
    table = clean(few_large_and_many_small())
    assert present_groups(summarise_by_group(table))["headline"] == [
        "revenue by region: the total is highest in North (total 840, mean 10.50), lowest in South (total"
        " 410, mean 20.50); overall total 1,250, mean 12.50."
    ]
    line = present_groups(summarise_by_group(table, language="zh"), "zh")["headline"][0]
    assert line.startswith("按 region 的 revenue：合计最高的是 North（合计 840，平均值 10.50）")


def test_unknown_statistic_is_refused_with_those_there_are(clean: Clean) -> None:
    with pytest.raises(BadData, match="cannot be compared by 'mode'") as refused:
        summarise_by_group(clean(few_large_and_many_small()), statistic=cast("Any", "mode"))
    assert "total, mean or median" in refused.value.hint


@pytest.mark.parametrize(
    ("column", "currency", "statistic"),
    [
        ("Revenue", "", "total"), ("units sold", "", "total"), ("visit count", "", "total"),
        ("销售额", "", "total"), ("pay", "€", "total"), ("unit price", "€", "mean"), ("tax rate", "", "mean"),
        ("total protein", "", "mean"), ("glucose", "", "mean"), ("人均收入", "", "mean"),
    ],
)  # fmt: skip
def test_money_and_counts_are_added_and_other_numbers_averaged(
    column: str, currency: str, statistic: str
) -> None:
    assert likely_statistic(column, currency) == statistic


def test_highest_total_is_kept_among_many_groups(clean: Clean) -> None:
    small = [f"shop {i}" for i in range(40)] * 3
    frame = pd.DataFrame({"shop": [*small, "rare"], "revenue": [1.5] * 120 + [900.5]})
    summary = summarise_by_group(clean(frame))
    assert summary["groups"][0]["group"] == "rare"
    assert summary["groups_left_out"] == 11


def test_text_cannot_be_summed_up(clean: Clean) -> None:
    frame = normals(team=["x", "y"] * 100)
    with pytest.raises(BadData, match="'team' holds no numbers"):
        summarise_by_group(clean(frame), group="a", value="team")
