from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from easynet.core.errors import BadData
from easynet.specialists.backtest import backtest, predict, wape
from easynet.specialists.forecast import check_forecast, forecast_sales
from easynet.specialists.forecasters import FORECASTERS, SIMPLE_RULES, damped_trend
from easynet.specialists.present_forecast import present_forecast
from easynet.specialists.sales import SalesTable, sales_table, totals
from easynet.specialists.table_io import RawTable
from easynet.specialists.trend import sales_trend

Frames = Callable[..., pd.DataFrame]


def monthly(values: list[float]) -> SalesTable:
    dates = pd.date_range("2018-01-01", periods=len(values), freq="MS")
    frame = pd.DataFrame({"date": dates, "product": "A", "sales": values})
    return sales_table(RawTable(frame=frame, notes=[]))


def test_trend_sees_the_season(sales_chain: Any) -> None:
    trend = sales_chain.trend
    assert trend["grain"] == "week"
    assert trend["seasonal_strength"] > 0.9
    strongest = max(trend["seasons"], key=lambda s: s["effect"])
    assert strongest["name"] in ("Mar", "Apr")
    assert trend["compared"] == "the last 52 weeks against the 52 weeks before"


def test_steady_growth_is_a_trend() -> None:
    random = np.random.default_rng(1)
    trend = sales_trend(monthly((100 + 2 * np.arange(48) + random.normal(0, 10, 48)).tolist()))
    assert trend["change"]["low"] > 0
    assert trend["change"]["percent"] == pytest.approx(0.15, abs=0.1)
    assert trend["level"][-1] > trend["level"][0] + 60


def test_steady_noise_is_no_trend() -> None:
    random = np.random.default_rng(1)
    trend = sales_trend(monthly((100 + random.normal(0, 10, 48)).tolist()))
    assert not trend["change"]["is_clear"]
    assert trend["change"]["low"] < 0 < trend["change"]["high"]


def test_short_history_says_that_season_and_growth_cannot_be_told_apart() -> None:
    trend = sales_trend(monthly([10.0, 11, 12, 13, 12, 14, 15, 16]))
    assert trend["seasonal_strength"] is None
    assert "cannot be told apart" in " ".join(trend["notes"])
    assert len(trend["level"]) == 8


def test_forecast_beats_the_last_value_on_seasonal_sales(sales_chain: Any) -> None:
    forecast = sales_chain.forecast
    metrics = check_forecast(forecast)["metrics"]
    assert set(metrics) == {"wape", "baseline_wape", "coverage"}
    assert check_forecast(forecast)["inside"] == metrics["coverage"] * 8
    assert metrics["wape"] < 0.05
    assert metrics["coverage"] >= 0.5
    by_method = {m["method"]: m["wape"] for m in forecast["tried"]}
    assert forecast["method"] == min(by_method, key=lambda m: by_method[m])
    assert by_method[forecast["method"]] < by_method["last_value"]
    assert len(forecast["mean"]) == len(forecast["future_periods"]) == 8
    assert forecast["future_periods"][0] > forecast["periods"][-1]
    assert all(
        lo <= m <= hi for lo, m, hi in zip(*(forecast[k] for k in ("low", "mean", "high")), strict=True)
    )


def test_last_window_has_no_part_in_the_choice() -> None:
    season = 100 + 20 * np.sin(2 * np.pi * np.arange(60) / 12)
    random = np.random.default_rng(0)
    values = season + random.normal(0, 3, 60)
    tampered = values.copy()
    tampered[-6:] = random.permutation(tampered[-6:]) * 3
    first, second = forecast_sales(monthly(values.tolist())), forecast_sales(monthly(tampered.tolist()))
    assert first["tried"] == second["tried"]
    assert first["test_predicted"] == second["test_predicted"]
    assert check_forecast(second)["metrics"]["wape"] > check_forecast(first)["metrics"]["wape"]


def test_interval_covers_about_as_often_as_it_says() -> None:
    covered: list[float] = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        values = 200 + 40 * np.sin(2 * np.pi * np.arange(72) / 12) + random.normal(0, 10, 72)
        covered.append(check_forecast(forecast_sales(monthly(values.tolist())))["metrics"]["coverage"])
    assert float(np.mean(covered)) >= 0.8


@pytest.mark.parametrize("length", [6, 7, 9, 13, 20, 25, 30])
def test_any_short_history_is_forecast_and_says_so(length: int) -> None:
    values = [100.0 + 5 * i + 10 * (i % 3) for i in range(length)]
    forecast = forecast_sales(monthly(values))
    assert np.isfinite([*forecast["mean"], *forecast["low"], *forecast["high"]]).all()
    assert min(forecast["mean"]) >= 0
    assert len(forecast["test_actual"]) >= 1
    if length <= 24:
        assert "shorter than two seasons" in " ".join(forecast["notes"])


def test_sales_of_zero_are_survived() -> None:
    forecast = forecast_sales(monthly([*[0.0] * 30, 5.0]))
    assert np.isfinite(list(check_forecast(forecast)["metrics"].values())).all()


def test_long_horizon_says_how_far_the_error_was_measured() -> None:
    values = [100.0 + i for i in range(24)]
    forecast = forecast_sales(monthly(values), horizon="12")
    assert len(forecast["mean"]) == 12
    assert "measured 6 months ahead" in " ".join(forecast["notes"])


@pytest.mark.parametrize("horizon", ["0", "-3", "25", "3 years", "0 weeks"])
def test_impossible_horizon_is_refused(horizon: str) -> None:
    with pytest.raises(BadData, match="cannot be made from a history of 24 months"):
        forecast_sales(monthly([100.0 + i for i in range(24)]), horizon=horizon)


def test_future_months_follow_the_last_one() -> None:
    forecast = forecast_sales(monthly([100.0 + i for i in range(23)]), horizon="3")
    assert forecast["future_periods"] == ["2019-12-01", "2020-01-01", "2020-02-01"]


def test_forecasters_stay_out_where_history_is_too_short() -> None:
    usable = {m for m in FORECASTERS if predict(m, np.arange(1.0, 9.0), 2, 12) is not None}
    assert usable == {"last_value", "recent_mean", "damped_trend"}


def test_backtest_scores_only_methods_usable_at_every_origin() -> None:
    tested = backtest(np.arange(1.0, 19.0), 3, 12, "en")
    assert tested.origins >= 1
    assert "seasonal_decomposition" not in tested.wape
    assert all(len(e) == 3 * tested.origins for e in tested.errors.values())


def test_wape_is_a_share_of_sales() -> None:
    assert wape(np.array([10.0, 30.0]), np.array([12.0, 28.0])) == 0.1
    assert wape(np.zeros(2), np.zeros(2)) == 0.0
    assert wape(np.zeros(2), np.ones(2)) == 1.0


def test_asked_months_become_weeks_and_both_are_said(sales_chain: Any) -> None:
    forecast = forecast_sales(sales_chain.sales, "3 months")
    assert len(forecast["mean"]) == 13
    section = present_forecast(forecast, check_forecast(forecast))
    assert "the next 13 weeks (you asked for 3 months)" in section["headline"][0]


def test_row_order_and_number_format_do_not_change_the_forecast(sales_frame: Frames) -> None:
    frame = sales_frame()
    written = frame.sample(frac=1.0, random_state=3).reset_index(drop=True)
    written["amount"] = [f"${amount:,.2f}" for amount in written["amount"]]
    first, second = (sales_table(RawTable(frame=f, notes=[])) for f in (frame, written))
    assert totals(first).tolist() == totals(second).tolist()
    assert {**forecast_sales(first), "currency": "$"} == forecast_sales(second)


def test_damped_trend_does_not_hang_on_the_last_digit_or_the_scale() -> None:
    random = np.random.default_rng(4)
    values = np.asarray(1000 + 5 * np.arange(60) + random.normal(0, 40, 60), dtype=np.float64)
    ahead = damped_trend(values, 8, 12)
    noisy = damped_trend(np.asarray(values * (1 + 1e-14 * random.normal(size=60)), dtype=np.float64), 8, 12)
    scaled = damped_trend(values * 1e6, 8, 12)
    assert ahead is not None
    assert noisy == pytest.approx(ahead, rel=1e-9)
    assert scaled == pytest.approx(ahead * 1e6, rel=1e-9)


def test_damped_trend_follows_a_trend() -> None:
    ahead = damped_trend(np.linspace(100.0, 178.0, 40), 4, 12)
    assert ahead is not None
    assert ahead == pytest.approx([180, 182, 184, 186], rel=0.01)


def test_baseline_is_the_simple_rule_that_did_best(sales_chain: Any) -> None:
    random = np.random.default_rng(2)
    noise = forecast_sales(monthly((100 + random.normal(0, 20, 40)).tolist()))
    by_method = {m["method"]: m["wape"] for m in noise["tried"]}
    assert noise["baseline"] == min(SIMPLE_RULES, key=lambda m: by_method.get(m, 9.0)) == "recent_mean"
    assert sales_chain.forecast["baseline"] == "seasonal_naive"


def test_method_that_is_no_better_than_a_simple_rule_says_so(sales_chain: Any) -> None:
    forecast, check = sales_chain.forecast.copy(), check_forecast(sales_chain.forecast)
    forecast["method"] = "damped_trend"
    check["metrics"] |= {"wape": 0.2, "baseline_wape": 0.1}
    line = present_forecast(forecast, check)["headline"][1]
    assert "no better than the 10.0% of the best simple rule (same season of last cycle)" in line
    assert f"{check['inside']} of 8 weeks lay inside the 90% range" in line
    check["metrics"]["wape"] = 0.05
    line = present_forecast(forecast, check)["headline"][1]
    assert "wrong by 5.0%; the best simple rule (same season of last cycle) was wrong by 10.0%" in line
