"""Where sales are going, apart from the season."""

import warnings
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.specialists.comparison import Change, compare, comparison_for
from easynet.specialists.libraries import require
from easynet.specialists.periods import PERIODICITY, Grain
from easynet.specialists.sales import SalesTable, totals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SeasonEffect(TypedDict):
    """A part of the year or week, and how far it lies from the average."""

    name: str
    effect: float
    """As a share of the average period: 0.1 is ten per cent more."""


class Trend(TypedDict):
    """The course of total sales."""

    grain: Grain
    currency: str
    periods: list[str]
    values: list[float]
    level: list[float]
    """The smoothed course without the season."""
    change: Change
    compared: str
    """What the change compares, as a phrase."""
    seasonal_strength: float | None
    """From 0 (no season) to 1 (nothing but season); absent where two seasons are not covered."""
    seasons: list[SeasonEffect]
    notes: list[str]


@contribute(
    en="Find the sales trend: growth or decline of the total over time, the seasonal pattern, strong and weak"
    " months.",
    zh="分析销售趋势：总体随时间的增长或下降、季节规律、旺季和淡季。",
    specialization="forecasting",
    tags=(
        "trend", "growth", "decline", "season", "seasonality", "over time", "sales", "趋势", "增长", "下降",
        "季节", "季节性", "旺季", "淡季", "走势", "销售",
    ),
    examples=(
        "how are my sales developing?", "is our revenue rising or falling?",
        "which months are strong and which are weak?", "has business improved over the years?",
        "are we doing better than last year?", "how does turnover change with the season?",
        "the course of revenue over time", "compare this year's sales with earlier years",
        "does business slow down in winter?", "when in the year do we sell best?",
        "have revenues grown or shrunk recently?", "is there a seasonal cycle in our orders?",
        "which time of year is quiet?", "is the firm getting bigger or smaller?",
        "what direction is turnover taking?", "do holidays bring in more?",
        "我的销售趋势怎么样", "收入是在上升还是下降", "哪几个月是旺季",
        "这几年业绩有没有变好", "比去年做得好吗", "营业额随季节怎么变化", "收入随时间的变化",
        "今年和往年的销售比一比", "冬天生意会变淡吗", "一年里什么时候卖得最好", "最近收入是涨了还是跌了",
        "订单有没有季节周期", "一年中哪段时间清淡", "我们在增长吗", "营业额朝哪个方向走",
        "节假日会多卖一些吗", "生意越来越好还是越来越差",
    ),
    price=2,
    expected_s=1.0,
)  # fmt: skip
def sales_trend(sales: SalesTable, language: Language = "en") -> Trend:
    """Level, change and season of the total."""
    require("pandas", "scipy", "statsmodels")
    grain, values = sales["grain"], totals(sales)
    comparison = comparison_for(len(values), grain)
    season = PERIODICITY[grain].season
    notes: list[str] = []
    if not comparison.is_year_before:
        notes.append(
            say(
                language,
                "The data covers too little for a comparison with the year before, so season and growth"
                " cannot"
                " be told apart.",
                "数据时间太短，无法与去年同期比较，因此季节变化与增长无法区分。",
            )
        )
    strength: float | None = None
    effects: list[SeasonEffect] = []
    if len(values) >= 2 * season + 1:
        level, seasonal, rest = decompose(values, season)
        spread = float((seasonal + rest).var())
        strength = max(0.0, 1 - float(rest.var()) / spread) if spread > 0 else 0.0
        effects = _effects(sales["periods"], seasonal, float(values.mean()), grain, language)
    else:
        level = _smoothed(values)
    return Trend(
        grain=grain,
        currency=sales["currency"],
        periods=sales["periods"],
        values=values.tolist(),
        level=level.tolist(),
        change=compare(values, comparison),
        compared=comparison.words(grain, language),
        seasonal_strength=strength,
        seasons=effects,
        notes=notes,
    )


def decompose(
    values: "NDArray[np.float64]", season: int
) -> "tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]":
    """Level, season and rest by robust STL (Cleveland et al. 1990)."""
    import numpy as np  # heavy
    from statsmodels.tsa.seasonal import STL

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = STL(values, period=season, robust=True).fit()
    return (
        np.asarray(parts.trend, dtype=np.float64),
        np.asarray(parts.seasonal, dtype=np.float64),
        np.asarray(parts.resid, dtype=np.float64),
    )


def _smoothed(values: "NDArray[np.float64]") -> "NDArray[np.float64]":
    import numpy as np  # heavy
    from statsmodels.nonparametric.smoothers_lowess import lowess

    steps = np.arange(len(values), dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        smooth = np.asarray(lowess(values, steps, frac=0.6, return_sorted=False), dtype=np.float64)
    return np.where(np.isfinite(smooth), smooth, values)


def _effects(
    periods: list[str], seasonal: "NDArray[np.float64]", mean: float, grain: Grain, language: Language
) -> list[SeasonEffect]:
    """The average seasonal part by month (by weekday for daily data), in calendar order."""
    import numpy as np  # heavy
    import pandas as pd

    starts = pd.DatetimeIndex(periods)
    keys = starts.day_of_week if grain == "day" else starts.quarter if grain == "quarter" else starts.month
    by_key = pd.Series(seasonal).groupby(np.asarray(keys)).mean()
    return [
        SeasonEffect(
            name=_season_name(int(str(key)), grain, language), effect=float(value) / mean if mean else 0.0
        )
        for key, value in by_key.items()
    ]


def _season_name(key: int, grain: Grain, language: Language) -> str:
    match grain:
        case "day":
            english, chinese = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "一二三四五六日"
            return say(language, english[key], f"周{chinese[key]}")
        case "quarter":
            return say(language, f"Q{key}", f"{key}季度")
        case _:
            english = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            return say(language, english[key - 1], f"{key}月")
