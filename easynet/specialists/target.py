"""Which column says what is an anomaly, and which of its values does."""

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.errors import BadData, InputNeeded
from easynet.core.language import Language, say
from easynet.specialists.cleaning import CleanTable
from easynet.specialists.columns import find_by_name, given_column, words_of

if TYPE_CHECKING:
    import pandas as pd

TARGET_NAMES = (
    "diagnosis", "target", "label", "labels", "class", "outcome", "anomaly", "is anomaly", "outlier",
    "abnormal", "fraud", "is fraud", "malignant", "disease", "result", "status", "condition", "y", "诊断",
    "标签", "目标", "类别", "分类", "结局", "是否异常", "异常", "是否患病", "患病", "确诊", "是否欺诈",
    "恶性", "病理",
)  # fmt: skip
ANOMALOUS_VALUES = frozenset((
    "malignant", "m", "positive", "pos", "+", "fraud", "abnormal", "anomaly", "anomalous", "outlier",
    "disease", "diseased", "sick", "ill", "case", "cancer", "tumor", "tumour", "yes", "true", "bad", "fail",
    "failed", "failure", "defect", "defective", "dead", "恶性", "阳性", "异常", "患病", "是", "有", "病例",
    "欺诈", "故障", "不合格", "癌", "确诊",
))  # fmt: skip
NORMAL_VALUES = frozenset((
    "benign", "b", "negative", "neg", "-", "normal", "healthy", "health", "control", "ok", "no", "false", "0",
    "good", "pass", "passed", "legit", "legitimate", "none", "inlier", "良性", "阴性", "正常", "健康",
    "否", "无", "对照", "合格",
))  # fmt: skip
"""A 1 beside a 0 is the anomaly; beside a 2 it tells nothing."""
_TELLING_IN_PAIRS = frozenset(("b", "-", "0"))
"""Beside two or more others these may be the name of any class."""
MOST_CLASSES = 10
_CLEAR_MAJORITY = 0.8
"""Of two values, one of at least this share of the rows is what is normal, whatever it is called."""


class Target(TypedDict):
    """The column that was learnt, and how its values were understood."""

    column: str
    anomaly: str
    """The value or values that count as an anomaly."""
    normal: str
    anomaly_values: list[str]
    normal_values: list[str]
    how: str
    """How column and anomaly were found, as a sentence."""


def find_target(
    table: CleanTable, given: str | None, language: Language, normal: str | None = None
) -> Target:
    """The target column of a table, given or found by a telling name; `normal` is its value for normal rows.

    Raises InputNeeded where no name tells the column or the normal value, BadData where the column cannot be
    a target.
    """
    frame = table["frame"]
    columns = [str(c) for c in frame.columns]
    if given is not None:
        if given in table["dropped"]:
            raise BadData(
                say(language, f"The column {given!r} holds no values.", f"列 {given!r} 没有任何值。")
            )
        column, how = given_column(given, columns, "target", language), ""
    else:
        column = _named_target(table, columns, language)
        how = say(
            language,
            f"The target column {column!r} was found by its name. ",
            f"目标列 {column!r} 是按列名找到的。",
        )
    is_number = table["kinds"][column] == "number"
    counts = {str(k): int(v) for k, v in as_labels(frame[column]).value_counts().items()}
    _check_classes(column, counts, is_number, language)
    return _understood(column, counts, normal, how, language)


def _named_target(table: CleanTable, columns: list[str], language: Language) -> str:
    likely = [c for c in find_by_name(columns, TARGET_NAMES) if _is_label(table["frame"][c])]
    if likely:
        return likely[0]
    measured = [c for c in columns if words_of(c) in TARGET_NAMES and table["kinds"][c] == "number"]
    if measured:
        return measured[0]
    constant = [c for c in find_by_name(columns, TARGET_NAMES) if table["kinds"].get(c) == "constant"]
    if constant:
        return constant[0]
    choices = [c for c in columns if _is_label(table["frame"][c])]
    if not choices:
        raise BadData(
            say(
                language,
                "No column of the table can say which rows are anomalies: none has between two and"
                f" {MOST_CLASSES} different values.",
                f"表中没有一列能说明哪些行是异常：没有哪一列恰有 2 到 {MOST_CLASSES} 种取值。",
            ),
            hint=say(
                language,
                "Add a column with yes or no; or ask to find unusual rows, which needs no labels.",
                "请增加一列“是/否”标签；或者改为“查找异常行”，那不需要标签。",
            ),
        )
    raise InputNeeded(
        "target",
        say(
            language,
            "Which column says whether a row is an anomaly (the diagnosis, the label)?",
            "哪一列说明某一行是否异常（诊断结果或标签）？",
        ),
        choices,
    )


def _is_label(series: "pd.Series") -> bool:
    return 2 <= int(series.nunique()) <= MOST_CLASSES


def as_labels(series: "pd.Series") -> "pd.Series":
    """A column's values as text, whole numbers without a fraction; missing ones stay missing."""

    def text(value: object) -> str:
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value)

    return series.dropna().map(text).astype("object")


def _check_classes(column: str, counts: dict[str, int], is_number: bool, language: Language) -> None:
    if len(counts) < 2:
        only = next(iter(counts), "")
        raise BadData(
            say(
                language,
                f"The target column {column!r} has one value only ({only!r}); there is nothing to tell"
                " apart.",
                f"目标列 {column!r} 只有一种取值（{only!r}），没有可区分的类别。",
            ),
            hint=say(
                language,
                "Give data with normal and anomalous rows, or another column as target.",
                "请提供既有正常行又有异常行的数据，或指定其他列作为 target。",
            ),
        )
    if len(counts) > MOST_CLASSES and is_number:
        raise BadData(
            say(
                language,
                f"The target column {column!r} is a number with {len(counts)} different values, and nothing"
                " here learns to predict a number.",
                f"目标列 {column!r} 是数值，有 {len(counts)} 种不同取值；这里没有预测数值的功能。",
            ),
            hint=say(
                language,
                "Give a column with labels such as yes and no as target. Or ask for correlations, for a"
                " comparison of groups, or, where the number is sales over time, for a forecast.",
                "请指定像“是/否”这样的标签列作为 target；或者改为分析相关性、分组对比，"
                "若是按时间的销售额，也可以做预测。",
            ),
        )
    if len(counts) > MOST_CLASSES:
        raise BadData(
            say(
                language,
                f"The target column {column!r} has {len(counts)} different values; a detector tells two"
                " classes"
                " apart.",
                f"目标列 {column!r} 有 {len(counts)} 种取值；检测器只能区分两类。",
            ),
            hint=say(
                language,
                "Name a column with labels such as yes and no as target.",
                "请指定一个像“是/否”这样的标签列作为 target。",
            ),
        )


def _understood(
    column: str, counts: dict[str, int], given: str | None, how: str, language: Language
) -> Target:
    if given is None:
        normal, why = _normal_value(column, counts, language)
    else:
        normal, why = _given_normal(column, counts, given, language), ""
    anomalies = sorted(v for v in counts if v not in normal)
    anomaly = " / ".join(anomalies)
    if len(normal) + len(anomalies) > 2:
        why += say(
            language,
            f" The column has {len(counts)} classes: all others count as anomalies together. For one of them"
            " alone, give a column with yes and no.",
            f"该列有 {len(counts)} 个类别：其余类别合并为异常。若只关心其中一类，请提供“是/否”列。",
        )
    return Target(
        column=column,
        anomaly=anomaly,
        normal=" / ".join(sorted(normal)),
        anomaly_values=anomalies,
        normal_values=sorted(normal),
        how=how + why,
    )


def _given_normal(column: str, counts: dict[str, int], given: str, language: Language) -> set[str]:
    normal = {v for v in counts if v.strip().lower() == str(given).strip().lower()}
    if normal:
        return normal
    listed = ", ".join(repr(v) for v in counts)
    raise BadData(
        say(
            language,
            f"The target column {column!r} has no value {given!r}, which was given as normal.",
            f"目标列 {column!r} 没有取值 {given!r}（由 normal 指定）。",
        ),
        hint=say(language, f"Its values are {listed}.", f"它的取值：{listed}。"),
    )


def _normal_value(column: str, counts: dict[str, int], language: Language) -> tuple[set[str], str]:
    """What counts as normal, and why: by telling words, else, of two values, as nearly all rows have it.

    Raises InputNeeded where neither tells.
    """
    telling = NORMAL_VALUES if len(counts) == 2 else NORMAL_VALUES - _TELLING_IN_PAIRS
    normal = {v for v in counts if v.strip().lower() in telling}
    anomalous = {v for v in counts if v.strip().lower() in ANOMALOUS_VALUES}
    if len(counts) == 2 and len(anomalous) == 1:
        normal = counts.keys() - anomalous
    if normal and normal != counts.keys() and not normal & anomalous:
        listed = ", ".join(repr(v) for v in sorted(counts.keys() - normal))
        return normal, say(
            language, f"By its meaning, {listed} is the anomaly.", f"按字面含义，{listed} 视为异常。"
        )
    common = max(counts, key=lambda v: counts[v])
    if len(counts) > 2 or counts[common] < _CLEAR_MAJORITY * sum(counts.values()):
        raise InputNeeded(
            "normal",
            say(
                language,
                f"Which value of {column!r} is the normal one?",
                f"{column!r} 的哪个取值表示正常？",
            ),
            list(counts),
        )
    return {common}, say(
        language,
        f"The most common value, {common!r}, counts as normal.",
        f"最常见的取值 {common!r} 视为正常。",
    )
