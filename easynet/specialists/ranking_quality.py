"""How well scores put anomalies above the rest, with the uncertainty of it."""

from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEED = 11
Interval = tuple[float, float]


def auc(is_anomaly: "NDArray[np.bool_]", scores: "NDArray[np.float64]") -> float:
    """The area under the ROC curve: the chance that an anomaly scores above a normal row; ties count half."""
    import numpy as np  # heavy

    ones = np.ones((1, len(scores)), dtype=np.int64)
    return float(_weighted(is_anomaly, scores, ones)[0][0])


def average_precision(is_anomaly: "NDArray[np.bool_]", scores: "NDArray[np.float64]") -> float:
    """The precision averaged over the recalls that the scores allow."""
    import numpy as np  # heavy

    ones = np.ones((1, len(scores)), dtype=np.int64)
    return float(_weighted(is_anomaly, scores, ones)[1][0])


def bootstrap_intervals(
    is_anomaly: "NDArray[np.bool_]", scores: "NDArray[np.float64]", repeats: int = 1000
) -> tuple[Interval, Interval]:
    """95 % percentile intervals of AUC and average precision; both classes are resampled on their own."""
    import numpy as np  # heavy

    random = np.random.default_rng(SEED)
    places = (np.flatnonzero(is_anomaly), np.flatnonzero(~is_anomaly))
    counts = np.zeros((repeats, len(scores)), dtype=np.int64)
    for place in places:
        counts[:, place] = random.multinomial(len(place), np.full(len(place), 1 / len(place)), size=repeats)
    aucs, precisions = _weighted(is_anomaly, scores, counts)
    return _middle_95(aucs), _middle_95(precisions)


def _middle_95(values: "NDArray[np.float64]") -> Interval:
    import numpy as np  # heavy

    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def _weighted(
    is_anomaly: "NDArray[np.bool_]", scores: "NDArray[np.float64]", counts: "NDArray[np.int64]"
) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """AUC and average precision where row i occurs `counts[k, i]` times, for each k."""
    import numpy as np  # heavy

    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) != 0])
    positive = counts[:, order] * is_anomaly[order]
    negative = counts[:, order] * ~is_anomaly[order]
    # Equal scores are one step of the curve.
    hits = np.add.reduceat(positive, starts, axis=1).astype(np.float64)
    misses = np.add.reduceat(negative, starts, axis=1).astype(np.float64)
    all_hits, all_misses = hits.sum(axis=1), misses.sum(axis=1)
    hits_above = np.cumsum(hits, axis=1)
    area = (misses * (hits_above - hits / 2)).sum(axis=1) / (all_hits * all_misses)
    found = hits_above + np.cumsum(misses, axis=1)
    precision = np.divide(hits_above, found, out=np.zeros_like(found), where=found > 0)
    return area, (precision * hits).sum(axis=1) / all_hits


def share_interval(count: int, total: int) -> Interval:
    """Wilson's 95 % interval of a share; unlike a bootstrap's it keeps a width when all or none were hit."""
    if total == 0:
        return 0.0, 1.0
    z, share = 1.959964, count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def best_threshold(is_anomaly: "NDArray[np.bool_]", scores: "NDArray[np.float64]") -> float:
    """The threshold with the best balanced accuracy on these rows; of equally good ones the middle one."""
    import numpy as np  # heavy

    steps = np.unique(scores)
    if len(steps) == 1:
        return float(steps[0])
    # The last one calls nothing an anomaly, which is best where the scores are worse than chance.
    thresholds = np.r_[(steps[:-1] + steps[1:]) / 2, steps[-1]]
    anomalies, normals = np.sort(scores[is_anomaly]), np.sort(scores[~is_anomaly])
    found = 1 - np.searchsorted(anomalies, thresholds, side="right") / len(anomalies)
    spared = np.searchsorted(normals, thresholds, side="right") / len(normals)
    balanced = (found + spared) / 2
    best = np.flatnonzero(balanced >= balanced.max() - 1e-12)
    return float(thresholds[best[len(best) // 2]])
