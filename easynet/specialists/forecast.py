"""Sales to come, with an error measured on the past."""

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.call import progress
from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.specialists.backtest import Backtest, backtest, predict, wape
from easynet.specialists.forecasters import SIMPLE_RULES
from easynet.specialists.horizon import read_horizon
from easynet.specialists.libraries import require
from easynet.specialists.periods import PERIODICITY, Grain, count_of, next_starts
from easynet.specialists.sales import SalesTable, totals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NOMINAL_COVERAGE = 0.9
_FEWEST_FOR_QUANTILES = 20


class TriedForecaster(TypedDict):
    """A method and its error in the back-test."""

    method: str
    wape: float


class Forecast(TypedDict):
    """Total sales of the periods to come."""

    grain: Grain
    currency: str
    asked: str
    """The horizon in the words of the request, where it is not in periods of this grain; else ""."""
    method: str
    tried: list[TriedForecaster]
    """Best first."""
    origins: int
    """Windows that the choice rests on."""
    periods: list[str]
    history: list[float]
    future_periods: list[str]
    mean: list[float]
    low: list[float]
    high: list[float]
    """The interval that should hold nine of ten values."""
    test_periods: list[str]
    """The last window, which no choice has seen."""
    test_actual: list[float]
    test_predicted: list[float]
    test_low: list[float]
    test_high: list[float]
    baseline: str
    """The simple rule that did best in the back-test."""
    baseline_predicted: list[float]
    notes: list[str]


class ForecastCheck(TypedDict):
    """How wrong the forecast was on the window that no choice has seen."""

    metrics: dict[str, float]
    """`wape` and `baseline_wape` as shares of sales, `coverage` of the interval."""
    periods: int
    inside: int
    """Periods whose value lay in the interval."""


@contribute(
    en="Forecast future sales: with an uncertainty range; the method is chosen by rolling back-test on"
    " the past.",
    zh="预测未来销售额：给出不确定区间；通过滚动回测选择预测方法。",
    specialization="forecasting",
    tags=(
        "forecast", "predict", "future", "next months", "projection", "demand", "sales", "预测", "未来",
        "下个月", "需求", "销售预测", "展望",
    ),
    examples=(
        "how much will we sell next quarter?", "predict revenue for the coming weeks",
        "estimate demand over the next months",
        "what turnover can we expect by the end of the year, and how certain is that?",
        "what will we earn next month?", "expected orders for the following quarter", "the outlook for sales",
        "what will sales look like next year?", "how many orders will come in over the next weeks?",
        "expected income until December", "give me a prediction with a range",
        "how much stock will we need in the coming months?", "project the revenue forward",
        "are we going to reach our sales target this year?", "how much business can we count on in summer?",
        "likely sales in the coming season", "what turnover should we plan with for next year?",
        "预测下个季度的销售额", "未来几周能卖多少", "估计接下来几个月的需求",
        "到年底营业额预计是多少，把握有多大", "下个月能收入多少", "下一季度预计订单量", "销售前景",
        "明年销售会怎样", "接下来几周会来多少订单", "到十二月预计收入多少", "给出带区间的预测",
        "今后几个月需要多少库存", "把营收往后推算", "今年能完成销售目标吗", "夏天大概能做多少生意",
        "下一季可能卖多少", "做明年预算，营业额按多少算", "预估后面几个月的收入",
    ),
    price=4,
    expected_s=2.0,
)  # fmt: skip
def forecast_sales(sales: SalesTable, horizon: str | None = None, language: Language = "en") -> Forecast:
    """The total of the coming periods by the method with the least back-test error.

    `horizon` is a time such as `3 months`, or a number of the data's own periods. The last window is kept
    out of the choice and measures it. Raises BadData for a horizon that is impossible or unreadable.
    """
    require("pandas", "statsmodels")
    import numpy as np  # heavy
    import pandas as pd

    grain, values = sales["grain"], totals(sales)
    season = PERIODICITY[grain].season
    asked = read_horizon(horizon, len(values), grain, language)
    ahead = asked.periods
    window = min(ahead, max(1, len(values) // 4))
    seen, test = values[:-window], values[-window:]
    tested = backtest(seen, window, season, language)
    method = min(tested.wape, key=lambda m: tested.wape[m])
    progress(0.9, say(language, "Forecasting", "正在预测"))
    baseline = min((m for m in SIMPLE_RULES if m in tested.wape), key=lambda m: tested.wape[m])
    predicted = _predicted(method, seen, window, season)
    mean = _predicted(method, values, ahead, season)
    errors = tested.errors[method]
    is_positive = bool(values.min() >= 0)
    test_low, test_high = interval(predicted, errors, tested.origins, is_positive=is_positive)
    all_errors = np.concatenate([errors, test - predicted])
    low, high = interval(mean, all_errors, tested.origins + 1, is_positive=is_positive)
    last = pd.Timestamp(sales["periods"][-1])
    starts = next_starts(last, ahead + 1, grain)[1:]
    return Forecast(
        grain=grain,
        currency=sales["currency"],
        asked=asked.asked,
        method=method,
        tried=[TriedForecaster(method=m, wape=w) for m, w in sorted(tested.wape.items(), key=lambda i: i[1])],
        origins=tested.origins,
        periods=sales["periods"],
        history=values.tolist(),
        future_periods=[s.date().isoformat() for s in starts],
        mean=mean.tolist(),
        low=low.tolist(),
        high=high.tolist(),
        test_periods=sales["periods"][-window:],
        test_actual=test.tolist(),
        test_predicted=predicted.tolist(),
        test_low=test_low.tolist(),
        test_high=test_high.tolist(),
        baseline=baseline,
        baseline_predicted=_predicted(baseline, seen, window, season).tolist(),
        notes=_notes(len(values), season, tested, window, ahead, grain, language),
    )


@contribute(
    en="Check a sales forecast: against the last, unseen stretch of the data; percentage error, baseline"
    " error and"
    " interval coverage.",
    zh="检验销售预测：用最后一段未参与选择的数据，误差率、基准误差和区间覆盖率。",
    specialization="forecasting",
    role="check",
    tags=("forecast accuracy", "error", "wape", "backtest", "check", "预测准确度", "误差", "回测", "检验"),
    price=1,
    expected_s=0.2,
)
def check_forecast(forecast: Forecast) -> ForecastCheck:
    """The error of the chosen method and of the baseline on the last window."""
    require("numpy")
    import numpy as np  # heavy

    actual = np.array(forecast["test_actual"])
    inside = (actual >= np.array(forecast["test_low"])) & (actual <= np.array(forecast["test_high"]))
    return ForecastCheck(
        metrics={
            "wape": wape(actual, np.array(forecast["test_predicted"])),
            "baseline_wape": wape(actual, np.array(forecast["baseline_predicted"])),
            "coverage": float(inside.mean()),
        },
        periods=len(actual),
        inside=int(inside.sum()),
    )


def _predicted(
    method: str, history: "NDArray[np.float64]", horizon: int, season: int
) -> "NDArray[np.float64]":
    import numpy as np  # heavy

    predicted = predict(method, history, horizon, season)
    # A method that worked at every origin may still not converge once.
    return np.full(horizon, float(history[-1])) if predicted is None else predicted


def interval(
    mean: "NDArray[np.float64]", errors: "NDArray[np.float64]", origins: int, *, is_positive: bool
) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """The range that should hold nine of ten values, judging by the errors at some origins."""
    import numpy as np  # heavy

    if len(errors) >= _FEWEST_FOR_QUANTILES:
        # The quantile of split conformal prediction, which allows for the number of errors.
        share = min(1.0, np.ceil((len(errors) + 1) * NOMINAL_COVERAGE) / len(errors))
        half = float(np.quantile(abs(errors), share, method="higher"))
    else:
        half = 1.645 * float(np.sqrt((errors**2).mean())) * (1 + 2 / len(errors))
    # The method was chosen for being right on these very windows, so its errors there flatter it.
    half *= 1 + 1 / (1 + origins)
    low, high = mean - half, mean + half
    return (low.clip(min=0.0) if is_positive else low), high


def _notes(
    length: int, season: int, tested: Backtest, window: int, ahead: int, grain: Grain, language: Language
) -> list[str]:
    notes: list[str] = []
    if length < 2 * season + 1 and season > 1:
        notes.append(
            say(
                language,
                f"The history ({count_of(length, grain, language)}) is shorter than two seasons, so seasonal"
                " patterns could hardly be used.",
                f"历史数据（{count_of(length, grain, language)}）不足两个完整季节周期，"
                "几乎无法利用季节规律。",
            )
        )
    if tested.origins < 3:
        notes.append(
            say(
                language,
                f"The method was chosen on {tested.origins} window(s) only.",
                f"预测方法仅凭 {tested.origins} 个时间窗选出。",
            )
        )
    if window < ahead:
        notes.append(
            say(
                language,
                f"The error was measured {count_of(window, grain, language)} ahead; further ahead it is"
                " larger.",
                f"误差只按提前 {count_of(window, grain, language)}测得；更远的预测误差更大。",
            )
        )
    return notes
