"""Measured qualities: their names, the words for them, and which way is better."""

import re

from easynet.core.intent import Bound
from easynet.core.quantities import Comparison, parse_bound, parse_share

_SHARES = {
    "accuracy": r"accuracy|准确率|准确度|正确率|精度",
    "balanced_accuracy": r"balanced accuracy|平衡准确率|均衡准确率",
    "precision": r"precision|精确率|查准率",
    "recall": r"recall|召回率|查全率",
    "sensitivity": r"sensitivity|灵敏度|敏感度|敏感性",
    "specificity": r"specificity|特异度|特异性",
    "auc": r"(?:roc[- ]?)?auc(?:值)?|auroc",
    "average_precision": r"average precision|平均精确率|平均精度",
    "f1": r"f1(?:[- ]?score|值|分数)?",
    "coverage": r"coverage|覆盖率",
}
"""Shares of one, of which more is better, with the words for them."""
_ERRORS = {
    "wape": r"wape",
    "smape": r"smape",
    "mape": r"mape",
    "mase": r"mase",
    "mae": r"mae|mean absolute error|平均绝对误差",
    "rmse": r"rmse",
    "mse": r"mse",
    "false_alarm_rate": r"false[- ]alarm rate|误报率",
    "error": r"(?:forecast |prediction )?error(?: rate)?|(?:预测)?误差|错误率",
}
"""Measures of which less is better."""

METRICS = _SHARES | _ERRORS
"""All metrics, each with a regular expression for its words."""


def metric_name(word: str) -> str:
    """The metric's own name, for any of its words."""
    plain = word.strip().lower().replace("_", " ")
    return next((name for name, pattern in METRICS.items() if re.fullmatch(pattern, plain)), word.strip())


def quality_bound(word: str, value: str | float) -> Bound:
    """The bound that `value` states for a metric; without a comparison, better is meant."""
    name = metric_name(word)
    if name in _SHARES:
        return parse_share(value, word)
    bare: Comparison = "<=" if name in _ERRORS else ">="
    return parse_bound(value, word, bare=bare)
