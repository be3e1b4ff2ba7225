"""Ways to continue a series. Each gives None where the history is too short for it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from easynet.core.language import Language, say
from easynet.specialists.trend import decompose

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Forecaster = Callable[["NDArray[np.float64]", int, int], "NDArray[np.float64] | None"]
"""History, periods to forecast, periods in a season."""

_LEVEL_WEIGHTS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_TREND_WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
_DAMPING = (0.8, 0.85, 0.9, 0.95, 0.98)


def last_value(history: "NDArray[np.float64]", horizon: int, season: int) -> "NDArray[np.float64] | None":
    """The last period again and again."""
    import numpy as np  # heavy

    return np.full(horizon, history[-1])


def recent_mean(history: "NDArray[np.float64]", horizon: int, season: int) -> "NDArray[np.float64] | None":
    """The mean of the last four periods."""
    import numpy as np  # heavy

    return np.full(horizon, history[-4:].mean()) if len(history) >= 4 else None


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
    """Holt's exponential smoothing with a damped trend (Gardner and McKenzie 1985).

    The smoothing is the best of a grid: an optimiser could end elsewhere for the slightest difference.
    """
    import numpy as np  # heavy

    if len(history) < 5:
        return None
    scale = float(abs(history).mean()) or 1.0
    values = history / scale
    grid = np.meshgrid(_LEVEL_WEIGHTS, _TREND_WEIGHTS, _DAMPING, indexing="ij")
    alpha, beta, phi = (axis.ravel() for axis in grid)
    first = min(4, len(values) // 2)
    slope = np.full_like(alpha, (values[first : 2 * first].mean() - values[:first].mean()) / first)
    level = values[:first].mean() - slope * (first + 1) / 2
    error = np.zeros_like(alpha)
    for value in values:
        expected = level + phi * slope
        error += (value - expected) ** 2
        before, level = level, expected + alpha * (value - expected)
        slope = beta * (level - before) + (1 - beta) * phi * slope
    best = int(np.argmin(error.round(9)))
    steps = np.cumsum(phi[best] ** np.arange(1, horizon + 1))
    return np.asarray(scale * (level[best] + steps * slope[best]), dtype=np.float64)


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
    "recent_mean": recent_mean,
    "seasonal_naive": seasonal_naive,
    "seasonal_growth": seasonal_growth,
    "damped_trend": damped_trend,
    "seasonal_decomposition": seasonal_decomposition,
}
"""Simplest first; of equally good ones the simpler is taken."""
SIMPLE_RULES = ("last_value", "recent_mean", "seasonal_naive")
"""What anybody could do without a method; a method has to beat the best of them."""

_NAMES = {
    "last_value": ("last value", "沿用上一期"),
    "recent_mean": ("mean of the last 4", "最近 4 期的平均"),
    "seasonal_naive": ("same season of last cycle", "沿用上一周期同期"),
    "seasonal_growth": ("last season times growth", "上一周期同期乘以增长率"),
    "damped_trend": ("damped trend (Holt)", "阻尼趋势（Holt）"),
    "seasonal_decomposition": ("STL season + damped trend", "STL 季节分解 + 阻尼趋势"),
}


def forecaster_name(method: str, language: Language) -> str:
    return say(language, *_NAMES.get(method, (method, method)))
