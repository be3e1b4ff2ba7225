"""A number compared between groups of rows."""

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.contribution import contribute
from easynet.core.errors import BadData, InputNeeded
from easynet.core.language import Language, say
from easynet.specialists.cleaning import CleanTable
from easynet.specialists.columns import mentioned_column
from easynet.specialists.libraries import require
from easynet.specialists.statistic import Statistic, Word, given_statistic, likely_statistic

if TYPE_CHECKING:
    import pandas as pd

MOST_GROUPS = 30
_SEED = 5


class GroupFigures(TypedDict):
    """One group in figures."""

    group: str
    rows: int
    total: float
    mean: float
    low: float
    high: float
    """95 % bootstrap interval of the mean."""
    median: float


class GroupSummary(TypedDict):
    """A number, by group."""

    group: str
    """The column that divides."""
    value: str
    """The column that is summed up."""
    currency: str
    statistic: Statistic
    """What the groups are ranked by."""
    groups: list[GroupFigures]
    """The highest of `statistic` first."""
    groups_left_out: int
    overall_total: float
    overall_mean: float
    overall_median: float


@contribute(
    en="Summarise a table by group: total (sum), mean (average), median and count of a value per category,"
    " compared.",
    zh="按组汇总数据表：按类别统计并比较某个数值的合计、平均值、中位数和行数（分组统计、透视）。",
    specialization="data-analysis",
    tags=(
        "group by", "pivot", "compare groups", "average per", "mean by", "aggregate", "breakdown", "sum",
        "total", "average", "mean", "count", "by", "per", "分组", "汇总", "合计", "总计", "透视", "对比",
        "平均", "计数", "按", "各组", "每个", "按类别",
    ),
    examples=(
        "average price per category", "total by department", "how many students are in each class?",
        "compare the typical value of each type", "break the amounts down by supplier",
        "which branch has the highest total?", "compare men and women", "sum per customer",
        "how do the districts differ on average?", "number of cases by age group",
        "who has the most, compared by team", "spending per household", "average score of every school",
        "median income by profession", "how many patients does each ward have?", "totals for each project",
        "divide the figures by country and compare them", "which type is the most expensive on average?",
        "list the sum for every account", "the mean of each category side by side",
        "compare the branches with each other", "number of visitors per exhibition", "按部门汇总平均工资",
        "每个类别的合计", "各班有多少学生", "比较每种类型的中位数", "按供应商统计金额",
        "哪个分公司的总额最高", "男女之间比较一下", "每个客户一共多少钱", "各区平均有什么差别",
        "按年龄段数人数", "每个家庭的支出", "各学校的平均分", "不同职业的收入中位数", "每个病区有多少病人",
        "各项目的总额", "按国家分开统计再比较", "平均下来哪一类最贵", "每个账户加起来多少",
        "各类均值并列对比", "分店之间比一比", "每场展览的参观人数", "看看哪个小组最多",
    ),
    price=1,
    expected_s=0.5,
)  # fmt: skip
def summarise_by_group(
    table: CleanTable,
    group: str | None = None,
    value: str | None = None,
    statistic: Word | None = None,
    language: Language = "en",
) -> GroupSummary:
    """Total, mean with interval, and median of a column for each value of another, ranked by `statistic`.

    Without `statistic`, money and counts are ranked by total and other numbers by mean. Raises
    InputNeeded where several columns could be meant, and BadData for an unknown statistic.
    """
    require("pandas")
    frame = table["frame"]
    columns = [str(c) for c in frame.columns]
    if group is not None:
        by = mentioned_column(group, columns, "group", language)
    else:
        by = _only("group", [n for n, k in table["kinds"].items() if k == "category"], language)
    if value is not None:
        of = mentioned_column(value, columns, "value", language)
    else:
        of = _only("value", [n for n, k in table["kinds"].items() if k == "number" and n != by], language)
    if table["kinds"][of] not in ("number", "constant") or frame[of].dtype.kind not in "fiu":
        raise BadData(
            say(language, f"The column {of!r} holds no numbers.", f"列 {of!r} 不是数值列。"),
            hint=say(language, "Name a numeric column as value.", "请把一个数值列指定为 value。"),
        )
    currency = table["currencies"].get(of, "")
    ranked = likely_statistic(of, currency) if statistic is None else given_statistic(statistic, language)
    return _summary(frame, by, of, currency, ranked, language)


def _only(name: str, candidates: list[str], language: Language) -> str:
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise BadData(
            say(
                language,
                f"The table has no column that could be the {name}.",
                f"此表没有可以作为 {name} 的列。",
            )
        )
    question = {
        "group": say(language, "By which column should the rows be grouped?", "按哪一列分组？"),
        "value": say(language, "Which column should be summed up?", "汇总哪一列的数值？"),
    }
    raise InputNeeded(name, question[name], candidates)


def _summary(
    frame: "pd.DataFrame", by: str, of: str, currency: str, statistic: Statistic, language: Language
) -> GroupSummary:
    import pandas as pd  # heavy

    values = frame[of].astype("float64")
    keys = frame[by].map(lambda v: say(language, "(none)", "（空）") if pd.isna(v) else str(v))
    if statistic == "total":
        # The highest total may be that of a few large rows.
        names = list(values.groupby(keys).sum().sort_values(ascending=False).index)
    else:
        names = list(keys.value_counts().index)
    kept = [str(k) for k in names[:MOST_GROUPS]]
    figures = [_figures(key, values[keys == key].dropna()) for key in kept]
    figures = [f for f in figures if f["rows"]]
    if not figures:
        raise BadData(say(language, f"The column {of!r} holds no values.", f"列 {of!r} 没有任何值。"))
    return GroupSummary(
        group=by,
        value=of,
        currency=currency,
        statistic=statistic,
        groups=sorted(figures, key=lambda f: -f[statistic]),
        groups_left_out=len(names) - len(kept),
        overall_total=float(values.sum()),
        overall_mean=float(values.mean()),
        overall_median=float(values.median()),
    )


def _figures(key: str, values: "pd.Series") -> GroupFigures:
    import numpy as np  # heavy

    if values.empty:
        return GroupFigures(group=key, rows=0, total=0.0, mean=0.0, low=0.0, high=0.0, median=0.0)
    numbers = values.to_numpy(dtype=np.float64)
    # Resampling few numbers many times and many numbers few times costs about the same.
    repeats = int(np.clip(2_000_000 // len(numbers), 100, 1000))
    random = np.random.default_rng(_SEED)
    means = [float(random.choice(numbers, len(numbers)).mean()) for _ in range(repeats)]
    low, high = np.quantile(means, (0.025, 0.975))
    return GroupFigures(
        group=key,
        rows=len(numbers),
        total=float(numbers.sum()),
        mean=float(numbers.mean()),
        low=float(low),
        high=float(high),
        median=float(np.median(numbers)),
    )
