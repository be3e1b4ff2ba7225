"""Ways to continue a series. Each gives None where the history is too short for it."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from easynet.core.language import Language, say
from easynet.specialists.trend import decompose

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Forecaster = Callable[["NDArray[np.float64]", int, int], "NDArray[np.float64] | None"]
"""History, periods to forecast, periods in a season."""


def last_value(history: "NDArray[np.float64]", horizon: int, season: int) -> "NDArray[np.float64] | None":
    """The last period again and again."""
    import numpy as np  # heavy

    return np.full(horizon, history[-1])


def seasonal_naive(history: "NDArray[np.float64]", horizon: int, season: int) -> "NDArray[np.float64] | None":
    """The last season again and again."""
    import numpy as np  # heavy

    if len(history) < season:
        return None
    return history[-season:][np.arange(horizon) % season]


def seasonal_growth(
    history: "NDArray[np.float64]", horizon: int, season: int
) -> "NDArray[np.float64] | None":
    """The last season, scaled by its growth over the season before."""
    repeated = seasonal_naive(history, horizon, season)
    seen = min(season, len(history) - season)
    if repeated is None or seen < max(2, season // 4):
        return None
    before = float(history[-season - seen : len(history) - season].sum())
    if before <= 0:
        return None
    growth = float(history[-seen:].sum()) / before
    # A doubling within a season is a change of kind, not a rate to go on with.
    return repeated * min(2.0, max(0.5, growth))


def damped_trend(history: "NDArray[np.float64]", horizon: int, season: int) -> "NDArray[np.float64] | None":
    """Holt's exponential smoothing with a damped trend (Gardner and McKenzie 1985)."""
    import numpy as np  # heavy
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    if len(history) < 5:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = ExponentialSmoothing(
                history, trend="add", damped_trend=True, initialization_method="estimated"
            ).fit()
            ahead = np.asarray(fitted.forecast(horizon), dtype=np.float64)
        except (ValueError, FloatingPointError, np.linalg.LinAlgError):
            return None
    return ahead if bool(np.isfinite(ahead).all()) else None


def seasonal_decomposition(
    history: "NDArray[np.float64]", horizon: int, season: int
) -> "NDArray[np.float64] | None":
    """The season by STL repeated, on top of a damped trend of the rest."""
    import numpy as np  # heavy

    if len(history) < 2 * season + 1 or season < 2:
        return None
    _, seasonal, _ = decompose(history, season)
    ahead = damped_trend(history - seasonal, horizon, season)
    return None if ahead is None else ahead + seasonal[-season:][np.arange(horizon) % season]


FORECASTERS: dict[str, Forecaster] = {
    "last_value": last_value,
    "seasonal_naive": seasonal_naive,
    "seasonal_growth": seasonal_growth,
    "damped_trend": damped_trend,
    "seasonal_decomposition": seasonal_decomposition,
}
"""Simplest first; of equally good ones the simpler is taken."""

_NAMES = {
    "last_value": ("last value", "沿用上一期"),
    "seasonal_naive": ("same season of last cycle", "沿用上一周期同期"),
    "seasonal_growth": ("last season times growth", "上一周期同期乘以增长率"),
    "damped_trend": ("damped trend (Holt)", "阻尼趋势（Holt）"),
    "seasonal_decomposition": ("STL season + damped trend", "STL 季节分解 + 阻尼趋势"),
}


def forecaster_name(method: str, language: Language) -> str:
    return say(language, *_NAMES.get(method, (method, method)))
