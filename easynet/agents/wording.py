"""Words for what people look at: states, amounts and measurements, in both languages."""

import re

from easynet.agents.run_account import RunAccount
from easynet.agents.run_step import Outcome, State
from easynet.core.events import Problem, Status
from easynet.core.ids import RunId
from easynet.core.language import Language, say
from easynet.core.quantities import format_duration

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, which can move a terminal's cursor; marks that reorder text; halves of characters."""

_STATUS: dict[Status, tuple[str, str]] = {
    "succeeded": ("Succeeded", "成功"),
    "failed": ("Failed", "失败"),
    "cancelled": ("Cancelled", "已取消"),
    "needs_input": ("Waiting for an answer", "等待回答"),
    "infeasible": ("Not possible under these limits", "在这些限制下无法完成"),
    "over_budget": ("Over budget", "超出预算"),
}
_STATE: dict[State, tuple[str, str]] = {
    "waiting": ("not started", "未开始"),
    "running": ("running", "运行中"),
    "succeeded": ("done", "完成"),
    "failed": ("failed", "失败"),
    "stopped": ("stopped", "已停止"),
}
_OUTCOME: dict[Outcome, tuple[str, str]] = {
    "prepared": ("not sent", "未发送"),
    "running": ("running", "运行中"),
    "succeeded": ("done", "完成"),
    "failed": ("failed", "失败"),
    "superseded": ("another attempt was faster", "另一次尝试更快"),
    "stopped": ("stopped", "已停止"),
}
_METRIC: dict[str, tuple[str, str]] = {
    "accuracy": ("Accuracy", "准确率"),
    "baseline_accuracy": ("Baseline accuracy", "基线准确率"),
    "balanced_accuracy": ("Balanced accuracy", "平衡准确率"),
    "precision": ("Precision", "精确率"),
    "recall": ("Recall", "召回率"),
    "sensitivity": ("Sensitivity", "灵敏度"),
    "specificity": ("Specificity", "特异度"),
    "f1": ("F1", "F1"),
    "auc": ("AUC", "AUC"),
    "roc_auc": ("ROC AUC", "ROC AUC"),
    "average_precision": ("Average precision", "平均精确率"),
    "coverage": ("Coverage", "覆盖率"),
    "false_alarm_rate": ("False alarm rate", "误报率"),
    "error": ("Error", "误差"),
    "mae": ("MAE", "平均绝对误差"),
    "rmse": ("RMSE", "均方根误差"),
    "mse": ("MSE", "均方误差"),
    "mase": ("MASE", "平均绝对比例误差"),
    "smape": ("sMAPE", "对称平均绝对百分比误差"),
    "mape": ("MAPE", "平均绝对百分比误差"),
    "wape": ("WAPE", "加权绝对百分比误差"),
    "baseline_wape": ("Baseline WAPE", "基线加权绝对百分比误差"),
}


def printable(text: object) -> str:
    """`text` without characters that could steer a terminal or mislead a reader."""
    return _UNSAFE.sub("", str(text))


def one_line(text: object) -> str:
    """`text` in one line, with single spaces."""
    return " ".join(printable(text).split())


def shorten(words: str, width: int) -> str:
    """`words` in at most `width` columns, with "…" where something is missing."""
    if columns(words) <= width:
        return words
    while words and columns(words) > width - 1:
        words = words[:-1]
    return words.rstrip() + "…"


def columns(words: str) -> int:
    """The width of `words` in columns of half a Han character."""
    return sum(2 if is_wide(c) else 1 for c in words)


def is_wide(character: str) -> bool:
    """Whether a character takes two columns: Han, kana, hangul and their punctuation."""
    return character >= "\u1100" and ("\u2e80" <= character <= "\uffdc" or character >= "\U00020000")


def status_label(status: Status, language: Language) -> str:
    return say(language, *_STATUS[status])


def state_label(state: State, language: Language) -> str:
    return say(language, *_STATE[state])


def outcome_label(outcome: Outcome, language: Language) -> str:
    return say(language, *_OUTCOME[outcome])


def metric_label(name: str, language: Language) -> str:
    """A metric's name as people write it: `roc_auc` is "ROC AUC"."""
    if name in _METRIC:
        return say(language, *_METRIC[name])
    words = one_line(name.replace("_", " "))
    return words[:1].upper() + words[1:]


def resume_command(run_id: RunId, status: Status | None, problem: Problem | None) -> str:
    """The command that goes on with a run; "" where it would end the same way, or the problem names it."""
    told_already = problem is not None and "runs resume" in problem.hint
    can_resume = status in (None, "failed", "cancelled", "needs_input") and bool(run_id)
    return f"easynet runs resume {run_id}" if can_resume and not told_already else ""


def format_number(value: float) -> str:
    """A measurement with three decimals where it is small, fewer above: 0.942, 12.5, 10,200."""
    if value != value or value in (float("inf"), float("-inf")):
        return "–"
    if value == int(value) and 1 < abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def steps_on_nodes(account: RunAccount, language: Language) -> str:
    """ "12 steps on 4 nodes"."""
    steps, nodes = len(account.current), len({s.node for s in account.current if s.node})
    en = f"{steps} step{'s' * (steps != 1)}"
    zh = f"{steps} 个步骤"
    if nodes:
        en, zh = en + f" on {nodes} node{'s' * (nodes != 1)}", zh + f"，{nodes} 个节点"
    return say(language, en, zh)


def format_time(seconds: float, language: Language) -> str:
    """A duration as people say it, no finer than 10 ms."""
    shown = format_duration(max(0.01, round(seconds, 2)) if seconds > 0 else 0.0, language)
    return f"<{shown}" if 0 < seconds < 0.005 else shown
