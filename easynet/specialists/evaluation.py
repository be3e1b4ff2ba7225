"""How good a detector is on rows that nothing was chosen with."""

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.call import progress
from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.specialists.choosing import ChosenDetector
from easynet.specialists.detector import load_model
from easynet.specialists.libraries import require
from easynet.specialists.ranking_quality import (
    Interval,
    auc,
    average_precision,
    bootstrap_intervals,
    share_interval,
)
from easynet.specialists.splitting import TestTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Confusion(TypedDict):
    """Test rows by what they are and what they were called."""

    true_positive: int
    false_negative: int
    true_negative: int
    false_positive: int


class Evaluation(TypedDict):
    """A detector, measured once on the test rows."""

    metrics: dict[str, float]
    intervals: dict[str, list[float]]
    """95 % intervals, low and high, by metric."""
    confusion: Confusion
    prevalence: float
    """The share of anomalies among the test rows."""
    precision_at: dict[str, list[float]]
    """The range of precision to expect where anomalies are as rare as the key says: "0.01" for 1 in 100."""
    scores: "NDArray[np.float64]"
    is_anomaly: "NDArray[np.bool_]"


@contribute(
    en="Evaluate an anomaly detector: accuracy, AUC, sensitivity, specificity and precision on unseen test"
    " data, with confidence intervals.",
    zh="评估异常检测器：未见过的测试数据上的准确率、AUC、灵敏度、特异度、精确率及置信区间。",
    specialization="medical",
    role="check",
    tags=(
        "evaluate", "test", "accuracy", "auc", "sensitivity", "specificity", "quality", "评估", "测试",
        "准确率", "灵敏度", "特异度", "质量",
    ),
    price=2,
    expected_s=1.0,
)  # fmt: skip
def evaluate_detector(detector: ChosenDetector, test: TestTable, language: Language = "en") -> Evaluation:
    """The detector's quality on the test rows, with its uncertainty.

    Intervals of shares are Wilson's, those of AUC and average precision are bootstrapped.
    """
    require("pandas", "sklearn", "skops")
    progress(0.0, say(language, "Scoring the test rows", "正在为测试数据打分"))
    model = load_model(detector["model"])
    scores, is_anomaly = model.score(test["features"]), test["is_anomaly"]
    called = scores > model.threshold
    counts = Confusion(
        true_positive=int((called & is_anomaly).sum()),
        false_negative=int((~called & is_anomaly).sum()),
        true_negative=int((~called & ~is_anomaly).sum()),
        false_positive=int((called & ~is_anomaly).sum()),
    )
    metrics, intervals = _shares(counts)
    progress(0.5, say(language, "Resampling", "正在重采样"))
    repeats = 1000 if len(scores) <= 5_000 else 200
    auc_interval, precision_interval = bootstrap_intervals(is_anomaly, scores, repeats)
    metrics |= {"auc": auc(is_anomaly, scores), "average_precision": average_precision(is_anomaly, scores)}
    intervals |= {"auc": auc_interval, "average_precision": precision_interval}
    prevalence = float(is_anomaly.mean())
    return Evaluation(
        metrics=metrics | {"baseline_accuracy": max(prevalence, 1 - prevalence)},
        intervals={name: [low, high] for name, (low, high) in intervals.items()},
        confusion=counts,
        prevalence=prevalence,
        precision_at={str(rate): _precision_at(rate, intervals) for rate in (0.1, 0.01)},
        scores=scores,
        is_anomaly=is_anomaly,
    )


def _shares(counts: Confusion) -> tuple[dict[str, float], dict[str, Interval]]:
    found, missed = counts["true_positive"], counts["false_negative"]
    spared, alarmed = counts["true_negative"], counts["false_positive"]
    shares = {
        "accuracy": (found + spared, found + missed + spared + alarmed),
        "sensitivity": (found, found + missed),
        "specificity": (spared, spared + alarmed),
        "precision": (found, found + alarmed),
    }
    metrics = {name: count / total if total else 0.0 for name, (count, total) in shares.items()}
    intervals = {name: share_interval(count, total) for name, (count, total) in shares.items()}
    metrics["balanced_accuracy"] = (metrics["sensitivity"] + metrics["specificity"]) / 2
    # The half-widths of two independent shares add up like the sides of a right angle.
    low, high = (
        sum((intervals[s][side] - metrics[s]) ** 2 for s in ("sensitivity", "specificity")) ** 0.5 / 2
        for side in (0, 1)
    )
    middle = metrics["balanced_accuracy"]
    intervals["balanced_accuracy"] = (max(0.0, middle - low), min(1.0, middle + high))
    return metrics, intervals


def _precision_at(prevalence: float, intervals: dict[str, Interval]) -> list[float]:
    """The lowest and the highest share of true alarms that the intervals allow, by Bayes' rule."""
    bounds: list[float] = []
    for sensitivity, specificity in zip(intervals["sensitivity"], intervals["specificity"], strict=True):
        true, false = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
        bounds.append(true / (true + false) if true + false else 0.0)
    return bounds
