"""Forecasts made as if the past were the future, and how wrong they were."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from easynet.core.call import progress
from easynet.core.language import Language, say
from easynet.specialists.forecasters import FORECASTERS, forecaster_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_ORIGINS = 5
_FEWEST_IN_HISTORY = 4


@dataclass(frozen=True)
class Backtest:
    """How each method did on windows before the last one."""

    wape: dict[str, float]
    """By method; only those that could be used at every origin."""
    errors: "dict[str, NDArray[np.float64]]"
    """Actual less predicted, over all windows."""
    origins: int


def wape(actual: "NDArray[np.float64]", predicted: "NDArray[np.float64]") -> float:
    """The sum of absolute errors as a share of the sum of absolute values."""
    wrong, size = float(abs(actual - predicted).sum()), float(abs(actual).sum())
    return wrong / size if size else float(wrong > 0)


def predict(
    method: str, history: "NDArray[np.float64]", horizon: int, season: int
) -> "NDArray[np.float64] | None":
    """The forecast of a method; never below zero where the history is not."""
    ahead = FORECASTERS[method](history, horizon, season)
    if ahead is None:
        return None
    return ahead.clip(min=0.0) if history.min() >= 0 else ahead


def backtest(values: "NDArray[np.float64]", horizon: int, season: int, language: Language) -> Backtest:
    """Rolling-origin test of every method on `values`, which must not hold the test window."""
    import numpy as np  # heavy

    ends = _origins(len(values), horizon, season)
    actual = [values[end : end + horizon] for end in ends]
    scores: dict[str, float] = {}
    errors: dict[str, NDArray[np.float64]] = {}
    for number, method in enumerate(FORECASTERS):
        name = forecaster_name(method, language)
        progress(number / len(FORECASTERS), say(language, f"Back-testing: {name}", f"正在回测：{name}"))
        predicted = [predict(method, values[:end], horizon, season) for end in ends]
        usable = [p for p in predicted if p is not None]
        if len(usable) < len(ends):
            continue
        scores[method] = wape(np.concatenate(actual), np.concatenate(usable))
        errors[method] = np.concatenate(actual) - np.concatenate(usable)
    return Backtest(scores, errors, len(ends))


def _origins(length: int, horizon: int, season: int) -> list[int]:
    """Where the windows begin, latest first: with two seasons before them where that leaves at least two."""
    for fewest in (2 * season + 1, season + max(2, season // 4), _FEWEST_IN_HISTORY):
        ends = [length - k * horizon for k in range(1, MOST_ORIGINS + 1)]
        ends = [end for end in ends if end >= fewest]
        if len(ends) >= 2:
            return ends
    return [max(1, length - horizon)]
