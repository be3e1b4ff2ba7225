"""Which numeric columns of a table go together."""

from math import atanh, sqrt, tanh
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.contribution import contribute
from easynet.core.errors import BadData
from easynet.core.language import Language, say
from easynet.specialists.cleaning import CleanTable
from easynet.specialists.libraries import require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PAIRS = 20
_MOST_COLUMNS = 60
_FEWEST_ROWS = 10


class CorrelatedPair(TypedDict):
    """Two columns and how closely their ranks agree."""

    first: str
    second: str
    spearman: float
    low: float
    high: float
    """95 % interval."""
    pearson: float
    rows: int


class Correlations(TypedDict):
    """The correlations between numeric columns."""

    columns: list[str]
    matrix: "NDArray[np.float64]"
    """Spearman's, in the order of `columns`."""
    pairs: list[CorrelatedPair]
    """The strongest, whatever their sign."""
    pairs_seen: int
    distinguishable: int
    """Pairs whose interval leaves out zero."""


@contribute(
    en="Find correlations: between the numeric columns of a table, which quantities rise and fall together.",
    zh="计算相关性：数据表中数值列之间，哪些指标同升同降、相互关联。",
    specialization="data-analysis",
    tags=(
        "correlation", "correlate", "relationship", "association", "depends on", "相关", "相关性", "关联",
        "关系", "影响因素",
    ),
    examples=(
        "which columns are correlated?", "does one quantity depend on another?",
        "is there a relationship between height and weight?", "what goes up when this goes up?",
        "which factors influence the outcome?", "do people who earn more also spend more?",
        "which measurements belong together?", "how strongly are two variables connected?",
        "how do the measurements relate to each other?", "correlation matrix of all numbers",
        "does exercise go hand in hand with lower weight?", "is temperature linked to power consumption?",
        "what is associated with delays?", "does more advertising mean more visitors?",
        "the higher the dose, the stronger the effect?", "which variables tell the same story?",
        "what has an effect on the grade?", "find dependencies among the numeric fields",
        "is blood pressure tied to salt intake?", "分析各列之间的相关性", "身高和体重有没有关系",
        "哪些因素会影响结果", "什么指标会跟着一起变化", "两个变量之间有联系吗", "收入高的人花得也多吗",
        "哪些量彼此有关", "关联有多强", "各项测量之间有什么联系", "所有数值的相关矩阵",
        "运动多的人体重是不是更轻", "气温和用电量有关吗", "延误和什么有关", "广告越多，访客越多吗",
        "剂量越大效果越强吗", "哪些变量走势一致", "成绩受哪些东西影响", "找出数值字段之间的依赖",
        "盐吃得多和血压高有没有关联", "一个涨另一个会跟着跌吗",
    ),
    price=2,
    expected_s=1.0,
)  # fmt: skip
def correlate_columns(table: CleanTable, language: Language = "en") -> Correlations:
    """Spearman's rank correlation of each pair of numeric columns, strongest first."""
    require("pandas")
    import numpy as np  # heavy

    names = [name for name, kind in table["kinds"].items() if kind == "number"]
    names = [n for n in names if table["frame"][n].nunique() > 2][:_MOST_COLUMNS]
    if len(names) < 2:
        raise BadData(
            say(
                language,
                f"Correlation needs two numeric columns; the table has {len(names)}.",
                f"计算相关性至少需要两个数值列；此表有 {len(names)} 个。",
            )
        )
    numbers = table["frame"][names].astype("float64")
    ranked = numbers.corr(method="spearman", min_periods=_FEWEST_ROWS).to_numpy(dtype=np.float64)
    linear = numbers.corr(method="pearson", min_periods=_FEWEST_ROWS).to_numpy(dtype=np.float64)
    present = numbers.notna().to_numpy(dtype=np.int64)
    together = present.T @ present
    pairs = [
        _pair(names[i], names[j], float(ranked[i, j]), float(linear[i, j]), int(together[i, j]))
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if ranked[i, j] == ranked[i, j]  # NaN where too few rows have both values
    ]
    if not pairs:
        raise BadData(
            say(
                language,
                f"No two numeric columns share {_FEWEST_ROWS} rows with values.",
                f"没有任何两个数值列同时有值的行达到 {_FEWEST_ROWS} 行。",
            )
        )
    pairs.sort(key=lambda p: -abs(p["spearman"]))
    return Correlations(
        columns=names,
        matrix=np.nan_to_num(ranked),
        pairs=pairs[:MOST_PAIRS],
        pairs_seen=len(pairs),
        distinguishable=sum(p["low"] > 0 or p["high"] < 0 for p in pairs),
    )


def _pair(first: str, second: str, spearman: float, pearson: float, rows: int) -> CorrelatedPair:
    # Fisher's transformation with the variance of Bonett and Wright (2000) for ranks.
    inside = max(-0.999999, min(0.999999, spearman))
    half = 1.959964 * sqrt((1 + inside * inside / 2) / max(1, rows - 3))
    return CorrelatedPair(
        first=first,
        second=second,
        spearman=spearman,
        low=tanh(atanh(inside) - half),
        high=tanh(atanh(inside) + half),
        pearson=pearson,
        rows=rows,
    )
