"""Plots of a detector and its test."""

from typing import TYPE_CHECKING

from easynet.core.language import Language, say
from easynet.core.report import Figure
from easynet.specialists.choosing import ChosenDetector
from easynet.specialists.evaluation import Evaluation
from easynet.specialists.plots import BLUE, GREY, ORANGE, PALE, bars, finished, label, new_plot
from easynet.specialists.splitting import SplitSummary
from easynet.specialists.wording import percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BARS = 10


def roc_figure(evaluation: Evaluation, language: Language) -> Figure:
    """The share of anomalies found against the share of false alarms, with the chosen threshold."""
    import numpy as np  # heavy

    order = np.argsort(-evaluation["scores"], kind="stable")
    is_anomaly = evaluation["is_anomaly"][order]
    found = np.r_[0.0, np.cumsum(is_anomaly) / max(1, is_anomaly.sum())]
    alarms = np.r_[0.0, np.cumsum(~is_anomaly) / max(1, (~is_anomaly).sum())]
    drawing, axes = new_plot()
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=1, linestyle="--")
    axes.step(alarms, found, where="post", color=BLUE, linewidth=2)
    m = evaluation["metrics"]
    axes.plot([1 - m["specificity"]], [m["sensitivity"]], "o", color=ORANGE, markersize=8)
    axes.annotate(
        label(language, "chosen threshold", "所选阈值"),
        (1 - m["specificity"], m["sensitivity"]),
        xytext=(12, -14),
        textcoords="offset points",
        fontsize=9,
    )
    axes.set_xlabel(label(language, "False alarms (share of normal rows)", "误报率"), fontsize=9)
    axes.set_ylabel(label(language, "Found (share of anomalies)", "检出率"), fontsize=9)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.04)
    title = say(
        language, f"ROC curve on the test rows (AUC {m['auc']:.3f})", f"测试集 ROC 曲线（AUC {m['auc']:.3f}）"
    )
    alt = say(
        language,
        f"The curve passes {percent(m['sensitivity'])} found at {percent(1 - m['specificity'])} false"
        " alarms.",
        f"曲线在误报率 {percent(1 - m['specificity'])} 处的检出率为 {percent(m['sensitivity'])}。",
    )
    return finished(drawing, title, alt)


def histogram_figure(
    detector: ChosenDetector, evaluation: Evaluation, split: SplitSummary, language: Language
) -> Figure:
    """The scores of both classes, with the threshold."""
    import numpy as np  # heavy

    scores: NDArray[np.float64] = evaluation["scores"]
    low, high = np.quantile(scores, (0.01, 0.99))
    low, high = min(low, detector["threshold"]), max(high, detector["threshold"])
    if low == high:
        low, high = low - 0.5, high + 0.5
    bins = np.linspace(low, high, 31)
    drawing, axes = new_plot()
    for is_anomaly, color, en, zh in ((False, GREY, "normal", "正常"), (True, ORANGE, "anomaly", "异常")):
        chosen = scores[evaluation["is_anomaly"] == is_anomaly].clip(low, high)
        axes.hist(chosen, bins=bins.tolist(), color=color, alpha=0.75, label=label(language, en, zh))
    axes.axvline(detector["threshold"], color=BLUE, linewidth=1.5, label=label(language, "threshold", "阈值"))
    axes.set_xlabel(label(language, "Score (higher is more anomalous)", "得分（越高越异常）"), fontsize=9)
    axes.set_ylabel(label(language, "Test rows", "测试样本数"), fontsize=9)
    axes.legend(frameon=False, fontsize=9)
    title = say(language, "Scores of normal and anomalous test rows", "正常与异常测试样本的得分")
    alt = say(
        language,
        f"Two histograms; {split['target']['anomaly']} lies to the right of {split['target']['normal']}"
        " where the"
        " detector works.",
        f"两组直方图；检测有效时，{split['target']['anomaly']}位于{split['target']['normal']}右侧。",
    )
    return finished(drawing, title, alt)


def importance_figures(detector: ChosenDetector, language: Language) -> list[Figure]:
    """The columns that matter most, as bars; nothing where none stands out."""
    shown = [i for i in detector["importance"] if i["auc_loss"] > 0][:_BARS]
    if not shown:
        return []
    drawing = bars(
        [i["column"] for i in shown],
        [i["auc_loss"] for i in shown],
        x_label=label(language, "Fall of validation AUC when shuffled", "打乱该列后验证集 AUC 的下降"),
    )
    title = say(language, "Columns that matter most to the detector", "对检测器最重要的列")
    listed = ", ".join(f"{n}. {i['column']}" for n, i in enumerate(shown, 1))
    alt = say(
        language,
        f"Most important first: {listed}. Columns that say the same share their importance.",
        f"按重要性排列：{listed}。含义相近的列会分摊重要性。",
    )
    return [finished(drawing, title, alt)]
