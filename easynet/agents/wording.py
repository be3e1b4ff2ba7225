"""Words for what people look at: states, amounts and measurements, in both languages."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from easynet.agents.run_account import RunAccount
from easynet.agents.run_step import Outcome, State
from easynet.core.errors import (
    ArgumentMismatch,
    BadData,
    InvalidIntent,
    InvalidQuantity,
    PlanRejected,
    QualityNotMet,
    UnknownInput,
    Unsupported,
    UsageError,
)
from easynet.core.events import ApprovalAnswered, Problem, Status, StepToApprove
from easynet.core.ids import RunId
from easynet.core.language import Language, say
from easynet.core.quantities import format_duration
from easynet.core.relaxation import Relaxation
from easynet.core.task_graph import TaskGraph

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, which can move a terminal's cursor; marks that reorder text; halves of characters."""

COMMAND = re.compile(r"`[^`]+`|(?:(?<=: )|(?<=：))easynet (?:\S.*)?$", re.MULTILINE)
"""A command within a sentence: between backticks, or after the colon that ends it."""

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
    "asking": ("waits for an answer", "等待回答"),
    "succeeded": ("done", "完成"),
    "failed": ("failed", "失败"),
    "stopped": ("stopped", "已停止"),
}
_OUTCOME: dict[Outcome, tuple[str, str]] = {
    "prepared": ("not sent", "未发送"),
    "running": ("running", "运行中"),
    "succeeded": ("done", "完成"),
    "confirmed": ("came to the same result", "得到相同结果"),
    "failed": ("failed", "失败"),
    "asked": ("waits for an answer", "等待回答"),
    "answered": ("asked a question", "提出了问题"),
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
    "wape": ("Error (WAPE)", "误差 (WAPE)"),
    "baseline_wape": ("Error of the simple rule (WAPE)", "简单规则的误差 (WAPE)"),
}

_SHORTEST_S = 0.01
_INPUT_COLUMNS = 60

_RESUMABLE: frozenset[Status | None] = frozenset({None, "failed", "cancelled", "needs_input"})
_BEYOND_RESUMING = frozenset(
    e.code
    for e in (
        Unsupported,
        InvalidIntent,
        UnknownInput,
        InvalidQuantity,
        UsageError,
        PlanRejected,
        QualityNotMet,
    )
)
"""Problems that the same run would end with again."""
_BLAMES_INPUT = frozenset({BadData.code, ArgumentMismatch.code})


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


class GoOn(NamedTuple):
    """How to go on with a run that did not reach its goal."""

    words: str
    """What the command does, up to and with the colon."""
    command: str


def go_on(
    run: RunId,
    status: Status | None,
    problem: Problem | None,
    language: Language,
    *,
    plan: TaskGraph | None = None,
    answer: str = "",
) -> GoOn | None:
    """The command that goes on with a run; `None` where it would end the same way, or the problem names it.

    `status` is `None` where the run has not ended; `answer` is the option that answers its open question.
    """
    code = problem.code if problem else ""
    told_already = problem is not None and "runs resume" in problem.hint
    command = f"easynet runs resume {run}"
    if run and problem is not None and problem.relaxations:
        label = say(language, "Go on with wider limits: ", "放宽限制后继续：")
        return GoOn(label, f"{command} {_options(problem.relaxations[0])}")
    if told_already or not run or status not in _RESUMABLE or code in _BEYOND_RESUMING:
        return None
    if answer and status in (None, "needs_input"):
        return GoOn(say(language, "Answer with: ", "回答请用："), f"{command} {answer}")
    if code == BadData.code and plan is not None and "data" in plan.inputs:
        label = say(language, "Go on with the right file: ", "换成正确的文件后继续：")
        return GoOn(label, f"{command} --answer data={say(language, 'FILE', '文件')}")
    if code in _BLAMES_INPUT:
        label = say(language, "Go on with the right input: ", "改正输入后继续：")
        return GoOn(label, f"{command} --answer {say(language, 'NAME=VALUE', '名称=值')}")
    return GoOn(say(language, "Go on with: ", "继续："), command)


def _options(limits: Relaxation) -> str:
    """ "--budget '5 credits'": as a resumed run takes them, so that a deadline counts from then."""
    parts: list[str] = []
    if limits.budget is not None:
        parts.append(f"--budget '{limits.budget} credits'")
    if limits.time_s is not None:
        parts.append(f"--deadline '{ceil(limits.time_s)} s'")
    return " ".join(parts)


def answer_option(account: RunAccount) -> str:
    """The option that answers the open question of a run; "" where there is none."""
    if account.question is None:
        return ""
    name = shlex.quote(one_line(account.question.name))
    if account.approval is not None:
        return f"--answer {name}=yes" if account.approval.steps else "--yes"
    return f"--answer {name}=VALUE"


def irreversible(language: Language) -> str:
    return say(language, "cannot be undone", "不可撤销")


def step_names(steps: Sequence[StepToApprove], language: Language) -> str:
    """The functions that somebody had to agree to, each once."""
    return say(language, ", ", "、").join(dict.fromkeys(one_line(s.capability) for s in steps))


def answer_words(event: ApprovalAnswered, language: Language) -> str:
    """ "Approved: pay_invoice"."""
    names = step_names(event.steps, language)
    after = say(language, ": ", "：") + names if names else ""
    if not event.agreed:
        return say(language, "Not approved", "未批准") + after
    if event.by == "name":
        return say(language, "Approved beforehand", "已事先批准") + after
    return say(language, "Approved", "已批准") + after


class Measurement(NamedTuple):
    """A measured quality as it is shown."""

    label: str
    value: str
    interval: str
    """ "0.907 – 0.986"; "" where there is none."""


def measurements(metrics: Mapping[str, float], language: Language) -> list[Measurement]:
    """The metrics in their order; `x_low` and `x_high` become the interval of `x`."""
    bounds = {f"{name}_{end}" for name in metrics for end in ("low", "high")}
    shown: list[Measurement] = []
    for name, value in metrics.items():
        if name in bounds:
            continue
        ends = [
            format_number(metrics[f"{name}_{end}"]) for end in ("low", "high") if f"{name}_{end}" in metrics
        ]
        interval = " – ".join(ends) if len(ends) == 2 else ""
        shown.append(Measurement(metric_label(name, language), format_number(value), interval))
    return shown


def inputs_line(inputs: Mapping[str, JsonValue], language: Language) -> str:
    """ "Input: a = 1, data = sales.csv": what was given, files by their own names; "" where nothing was."""
    given = [f"{one_line(name)} = {shorten(_given(value), _INPUT_COLUMNS)}" for name, value in inputs.items()]
    if not given:
        return ""
    return say(language, f"Input: {', '.join(given)}", f"输入：{'，'.join(given)}")


def _given(value: JsonValue) -> str:
    if not isinstance(value, str):
        return one_line(json.dumps(value, ensure_ascii=False))
    words = one_line(value)
    is_path = Path(words).is_absolute() or ("/" in words and " " not in words)
    return Path(words).name if is_path else words


def sentence(words: str) -> str:
    """`words` with a capital letter where they begin with a plain word; a name in code is left alone."""
    first = words.split(" ", 1)[0]
    return words[:1].upper() + words[1:] if re.fullmatch("[a-z]+[,:;]?", first) else words


def unended(words: str) -> str:
    """`words` without their full stop, for a place where the sentence goes on."""
    return words.rstrip().rstrip(".。").rstrip()


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
    """A duration as people say it, no finer than 10 ms: "under 0.01 s"."""
    if 0 < seconds < _SHORTEST_S / 2:
        return say(language, f"under {_SHORTEST_S:g} s", f"不到 {_SHORTEST_S:g} 秒")
    return format_duration(max(_SHORTEST_S, round(seconds, 2)) if seconds > 0 else 0.0, language)


def about(seconds: float, language: Language) -> str:
    """An estimate: "about 7.5 s", or "under 0.01 s"."""
    words = format_time(seconds, language)
    return words if 0 < seconds < _SHORTEST_S / 2 else say(language, f"about {words}", f"约 {words}")
