"""A detector and its quality, for people to read."""

from functools import partial
from typing import TYPE_CHECKING

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import Section, TableView
from easynet.specialists.candidate import family_name, method_name
from easynet.specialists.choosing import MODEL_FILE, ChosenDetector
from easynet.specialists.detector_plots import histogram_figure, importance_figures, roc_figure
from easynet.specialists.evaluation import Evaluation
from easynet.specialists.libraries import require
from easynet.specialists.splitting import SplitSummary
from easynet.specialists.wording import decimals_range, percent, percent_range, quoted, shortened

if TYPE_CHECKING:
    pass

_METRIC_NAMES: dict[str, tuple[str, str]] = {
    "accuracy": ("Accuracy", "准确率"),
    "balanced_accuracy": ("Balanced accuracy", "平衡准确率"),
    "sensitivity": ("Sensitivity (anomalies found)", "灵敏度（发现的异常）"),
    "specificity": ("Specificity (normal rows left alone)", "特异度（未被误报的正常样本）"),
    "precision": ("Precision (alarms that are right)", "精确率（正确的报警）"),
    "auc": ("AUC", "AUC"),
    "average_precision": ("Average precision", "平均精确率"),
}


@contribute(
    en="Present a trained anomaly detector: test quality, ROC curve, score histogram, confusion table"
    " and which"
    " columns matter.",
    zh="展示训练好的异常检测器：测试质量、ROC 曲线、得分分布、混淆表和重要特征。",
    specialization="reporting",
    role="present",
    tags=("report", "plot", "chart", "roc", "confusion", "报告", "图表", "可视化", "展示", "ROC 曲线"),
    price=1,
    expected_s=1.0,
)
def present_detector(
    detector: ChosenDetector, evaluation: Evaluation, split: SplitSummary, language: Language = "en"
) -> Section:
    """What the detector can do, how that was measured, and what it is not."""
    require("matplotlib", "numpy")
    t = partial(say, language)
    return Section(
        title=t("Anomaly detector", "异常检测器"),
        order=10,
        headline=_headline(detector, evaluation, split, language),
        text=_text(detector, evaluation, split, language),
        tables=[
            _quality(evaluation, language),
            _confusion(evaluation, split, language),
            _compared(detector, language),
            *_columns(split, language),
        ],
        figures=[
            roc_figure(evaluation, language),
            histogram_figure(detector, evaluation, split, language),
            *importance_figures(detector, language),
        ],
    )


def _headline(
    detector: ChosenDetector, evaluation: Evaluation, split: SplitSummary, language: Language
) -> list[str]:
    m, i, c = evaluation["metrics"], evaluation["intervals"], evaluation["confusion"]
    anomalies = c["true_positive"] + c["false_negative"]
    normals = c["true_negative"] + c["false_positive"]
    name = method_name(detector["method"], language)
    shown = name[0].upper() + name[1:]
    meant = _meant(split, language)
    lines = [
        *_worthless(evaluation, language),
        say(
            language,
            f"{shown} found {c['true_positive']} of {anomalies} anomalies ({meant}) in test"
            f" rows it had never seen, with {c['false_positive']} false alarms among {normals} normal rows.",
            f"{shown}在从未见过的测试数据中发现了 {anomalies} 个异常（{meant}）中的"
            f" {c['true_positive']} 个，{normals} 个正常样本中误报 {c['false_positive']} 个。",
        ),
        say(
            language,
            f"Accuracy {percent(m['accuracy'])} (95% interval {percent_range(i['accuracy'])}); always"
            " answering"
            f" the most common class would give {percent(m['baseline_accuracy'])}. AUC {m['auc']:.3f}"
            f" ({decimals_range(i['auc'])}).",
            f"准确率 {percent(m['accuracy'])}（95% 区间 {percent_range(i['accuracy'])}）；"
            "若总是回答最常见的类别，"
            f"准确率为 {percent(m['baseline_accuracy'])}。AUC {m['auc']:.3f}（{decimals_range(i['auc'])}）。",
        ),
        *split["warnings"],
    ]
    # In the same line, so that it takes no other line's place at the top of the report.
    return [_merged(split, language) + lines[0], *lines[1:]]


def _merged(split: SplitSummary, language: Language) -> str:
    """What a detector cannot tell whose target had more than two values."""
    target = split["target"]
    if len(target["anomaly_values"]) + len(target["normal_values"]) <= 2:
        return ""
    return say(
        language,
        f"This detector only tells normal ({quoted(target['normal_values'], language)}) from not normal"
        f" ({quoted(target['anomaly_values'], language)}); it does not predict which value a row has. ",
        f"这个检测器只区分正常（{quoted(target['normal_values'], language)}）与不正常"
        f"（{quoted(target['anomaly_values'], language)}），不预测具体是哪一种取值。",
    )


def _worthless(evaluation: Evaluation, language: Language) -> list[str]:
    """The first thing to know about a detector that cannot be told from tossing a coin."""
    low, _ = interval = evaluation["intervals"]["auc"]
    if low > 0.5:
        return []
    area = f"AUC {evaluation['metrics']['auc']:.3f}"
    return [
        say(
            language,
            f"This detector is no better than guessing ({area}, 95% interval {decimals_range(interval)};"
            " guessing gives 0.5). Do not use it.",
            f"这个检测器并不比随机猜测更好（{area}，95% 区间 {decimals_range(interval)}；随机猜测为 0.5）。"
            "请不要使用它。",
        )
    ]


def _meant(split: SplitSummary, language: Language) -> str:
    """Which values were called anomalies; where there are several, also which were not."""
    target = split["target"]
    values = target["anomaly_values"]
    if len(values) == 1:
        return target["anomaly"]
    return say(
        language,
        f"{quoted(values, language)} together; normal is {target['normal']!r}",
        f"{quoted(values, language)} 合并计算；正常为 {target['normal']!r}",
    )


def _text(
    detector: ChosenDetector, evaluation: Evaluation, split: SplitSummary, language: Language
) -> list[str]:
    t = partial(say, language)
    rows, target = split["rows"], split["target"]
    prevalence = evaluation["prevalence"]
    share = percent(prevalence, 0 if prevalence >= 0.1 else 1)
    in_ten, in_hundred = (evaluation["precision_at"][rate] for rate in ("0.1", "0.01"))
    return [
        target["how"],
        t(
            f"The rows were split at random into {rows['train']} to learn from, {rows['validation']} to"
            " choose model"
            f" and threshold with, and {rows['test']} to test on; the test rows were used once.",
            f"数据随机分为三份：{rows['train']} 行用于学习，{rows['validation']} 行用于选择模型和阈值，"
            f"{rows['test']} 行用于测试；测试数据只用了一次。",
        ),
        _choice(detector, language),
        t(
            f"{share} of the test rows are anomalies. How many alarms are right depends on that: with 1"
            " anomaly"
            f" in 10 rows it would be {percent_range(in_ten)}, with 1 in 100 {percent_range(in_hundred)}"
            " (range"
            " from the intervals above).",
            f"测试数据中异常占 {share}。正确报警的比例取决于异常有多少：若每 10 行有 1 个异常，为"
            f" {percent_range(in_ten)}；若每 100 行有 1 个，则为 {percent_range(in_hundred)}（由上述区间"
            "推得）。",
        ),
        *_beaten(evaluation, language),
        t(
            "This is one random split of one data set; data from elsewhere may give other figures. A"
            " statistical"
            " model, not a medical device.",
            "这只是一个数据集的一次随机划分；其他来源的数据结果可能不同。这是统计模型，不是医疗器械。",
        ),
        t(
            f'To use it in Python: `from easynet import load_model`, then `load_model("{MODEL_FILE}'
            '").predict(rows)`.',
            f"在 Python 中使用：`from easynet import load_model`，"
            f'然后 `load_model("{MODEL_FILE}").predict(rows)`。',
        ),
        *split["notes"],
        *detector["notes"],
    ]


def _beaten(evaluation: Evaluation, language: Language) -> list[str]:
    """A warning where plain accuracy is below that of a constant answer."""
    if evaluation["metrics"]["accuracy"] >= evaluation["metrics"]["baseline_accuracy"]:
        return []
    return [
        say(
            language,
            "Its accuracy is below that of always answering the most common class, because the"
            " threshold gives"
            " both classes the same weight; with rare anomalies, look at sensitivity and precision.",
            "它的准确率低于总是回答最常见的类别，因为阈值对两类同等看待；异常很少时，应看灵敏度和精确率。",
        )
    ]


def _choice(detector: ChosenDetector, language: Language) -> str:
    best = detector["validation"]
    name = method_name(detector["method"], language)
    close = [
        method_name(m["method"], language)
        for m in detector["compared"]
        if m["method"] != detector["method"] and m["auc_high"] >= best["auc_low"]
    ]
    chosen = say(
        language,
        f"Of {len(detector['compared'])} models, {name} ({family_name(detector['family'], language)})"
        " had the highest"
        f" validation AUC, {best['auc']:.3f}.",
        f"在 {len(detector['compared'])} 个模型中，{name}（{family_name(detector['family'], language)}）"
        "的验证集 AUC"
        f" 最高，为 {best['auc']:.3f}。",
    )
    if not close:
        return chosen
    listed = say(language, ", ".join(close), "、".join(close))
    return chosen + say(
        language,
        f" The interval of {listed} overlaps with it, so which of these is best is not settled.",
        f"{listed}的区间与之重叠，因此其中谁最好尚无定论。",
    )


def _quality(evaluation: Evaluation, language: Language) -> TableView:
    rows: list[list[str | int | float]] = []
    for metric, names in _METRIC_NAMES.items():
        value, interval = evaluation["metrics"][metric], evaluation["intervals"][metric]
        is_area = metric in ("auc", "average_precision")
        rows.append(
            [
                say(language, *names),
                f"{value:.3f}" if is_area else percent(value),
                decimals_range(interval) if is_area else percent_range(interval),
            ]
        )
    return TableView(
        title=say(language, "Quality on the test rows", "测试集上的质量"),
        columns=[
            say(language, "Measure", "指标"),
            say(language, "Value", "数值"),
            say(language, "95% interval", "95% 区间"),
        ],
        rows=rows,
    )


def _confusion(evaluation: Evaluation, split: SplitSummary, language: Language) -> TableView:
    c = evaluation["confusion"]
    anomaly, normal = (shortened(split["target"][k], 40) for k in ("anomaly", "normal"))
    called = (say(language, f"called {n}", f"判为 {n}") for n in (anomaly, normal))
    return TableView(
        title=say(language, "Test rows by truth and answer", "测试样本：真实类别与判定"),
        columns=["", *called],
        rows=[
            [say(language, f"is {anomaly}", f"实为 {anomaly}"), c["true_positive"], c["false_negative"]],
            [say(language, f"is {normal}", f"实为 {normal}"), c["false_positive"], c["true_negative"]],
        ],
    )


def _compared(detector: ChosenDetector, language: Language) -> TableView:
    return TableView(
        title=say(language, "Models compared on the validation rows", "各模型在验证集上的比较"),
        columns=[
            say(language, "Model", "模型"),
            say(language, "Learns from", "学习方式"),
            "AUC",
            say(language, "95% interval", "95% 区间"),
            say(language, "Balanced accuracy", "平衡准确率"),
        ],
        rows=[
            [
                method_name(m["method"], language),
                family_name(m["family"], language),
                f"{m['auc']:.3f}",
                decimals_range((m["auc_low"], m["auc_high"])),
                percent(m["balanced_accuracy"]),
            ]
            for m in detector["compared"]
        ],
    )


def _columns(split: SplitSummary, language: Language) -> list[TableView]:
    if not split["dropped"]:
        return []
    return [
        TableView(
            title=say(language, "Columns left out", "未使用的列"),
            columns=[say(language, "Column", "列"), say(language, "Because it is", "原因")],
            rows=[[name, why] for name, why in list(split["dropped"].items())[:30]],
        )
    ]
