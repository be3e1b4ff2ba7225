"""Which figure of a group is asked for: its total, its mean or its median."""

from typing import Literal

from easynet.core.errors import BadData
from easynet.core.language import Language, say
from easynet.specialists.columns import find_by_name
from easynet.specialists.sales_names import NAMES, QUANTITY, UNIT_PRICE

Statistic = Literal["total", "mean", "median"]

Word = Literal["total", "sum", "mean", "average", "median", "合计", "平均", "平均值", "中位数"]
"""What a sentence may call it. Further words are understood where they are given as an input."""

_WORDS: dict[Statistic, tuple[str, ...]] = {
    "total": ("total", "totals", "sum", "合计", "总", "汇总", "总计", "总和", "总额", "求和"),
    "mean": ("mean", "average", "avg", "平均", "平均值", "均值", "平均数"),
    "median": ("median", "中位数", "中位值"),
}
# `total protein` and `value` are measured as often as they are sold.
_AMOUNTS = (
    *(name for name in NAMES["amount"] if name not in ("total", "value", "summe")), *QUANTITY, "cost",
    "costs", "expense", "expenses", "spend", "spending", "profit", "tax", "fee", "fees", "count", "counts",
    "orders", "visits", "visitors", "clicks", "kosten", "gewinn", "成本", "利润", "费用", "支出", "次数",
    "人数", "订单数",
)  # fmt: skip
_NOT_ADDED = (
    *UNIT_PRICE, "rate", "ratio", "percent", "percentage", "pct", "share", "per", "average", "avg", "mean",
    "median", "margin", "score", "率", "占比", "比例", "平均", "人均", "均价", "百分比",
)  # fmt: skip
"""What a name says of a number whose sum tells nothing."""


def given_statistic(given: str, language: Language) -> Statistic:
    """The figure that a word names; raises BadData for a word that names none."""
    word = given.strip().lower()
    for statistic, words in _WORDS.items():
        if word in words:
            return statistic
    raise BadData(
        say(
            language,
            f"Groups cannot be compared by {given!r}, which was given as statistic.",
            f"不能按 {given!r}（由 statistic 指定）比较各组。",
        ),
        hint=say(language, "Give total, mean or median.", "请指定合计、平均或中位数。"),
    )


def likely_statistic(column: str, currency: str) -> Statistic:
    """The total for money and counts, which add up; the mean for prices, rates and measurements."""
    adds_up = bool(currency) or bool(find_by_name([column], _AMOUNTS))
    return "total" if adds_up and not find_by_name([column], _NOT_ADDED) else "mean"


def statistic_name(statistic: Statistic, language: Language) -> str:
    """What the figure is called."""
    return say(language, statistic, {"total": "合计", "mean": "平均值", "median": "中位数"}[statistic])
