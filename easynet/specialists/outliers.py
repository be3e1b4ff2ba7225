"""Rows of a table that are unlike the rest."""

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.call import progress
from easynet.core.contribution import contribute
from easynet.core.errors import BadData
from easynet.core.language import Language, say
from easynet.specialists.cleaning import CleanTable
from easynet.specialists.libraries import require
from easynet.specialists.wording import measure

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MOST_ROWS_SHOWN = 20
_FEWEST_ROWS = 20
_SEED = 7


class UnusualRow(TypedDict):
    """A row, and what is unusual about it."""

    row: int
    """Its number in the table as given, from 1."""
    score: float
    """How easily it is isolated, from 0 to 1."""
    why: str
    """Its most unusual values."""


class Outliers(TypedDict):
    """The rows of a table that are unlike the rest."""

    rows_seen: int
    columns: list[str]
    flagged: int
    """Rows whose score lies far above the others'."""
    threshold: float
    unusual: list[UnusualRow]
    """The most unusual rows, first the most extreme; also unflagged ones."""
    scores: "NDArray[np.float64]"


@contribute(
    en="Find outliers: in a table without labels, the rows with unusual, suspicious or extreme values,"
    " and why.",
    zh="查找离群行：在没有标签的数据表中，哪些记录的数值异常、可疑或极端，以及原因。",
    specialization="data-analysis",
    tags=(
        "outlier", "outliers", "unusual rows", "suspicious", "extreme values", "unsupervised", "离群",
        "离群值", "异常值", "异常行", "可疑记录", "极端值", "无监督",
    ),
    examples=(
        "find unusual rows in my table", "which rows look suspicious?",
        "mark records that are strange or unusual", "does any entry stand out from the others?",
        "are there implausible values in here?", "pick out the extreme cases", "anything odd in this list?",
        "which transactions could be errors or fraud?", "which readings are far from normal?",
        "spot values that look like typing mistakes", "are there payments out of the ordinary?",
        "list the rows least like all the others", "find impossible measurements",
        "any irregularities in the accounts?", "which ones deviate strongly?",
        "search for anomalies in the table", "show exceptional cases and why they are exceptional",
        "point out records I should double-check", "something is wrong with a few of these entries, which?",
        "找出表里的异常值", "哪些记录看起来可疑", "标出不寻常的行", "有没有和其他数据差别很大的点",
        "找出不合理的数值", "有没有特别奇怪的记录", "挑出极端的情况", "哪些交易可能是错误或欺诈",
        "这份名单里有什么反常的吗", "哪些读数偏离正常很远", "找出像是录入错误的数值", "有没有不正常的付款",
        "列出和大家最不一样的记录", "查找不可能的测量值", "账目里有没有猫腻", "哪些偏差特别大",
        "在表里搜寻异常点", "指出应该复核的记录", "有几条数据不对头，是哪几条", "揪出古怪的数据",
    ),
    price=2,
    expected_s=1.5,
)  # fmt: skip
def detect_outliers(table: CleanTable, language: Language = "en") -> Outliers:
    """Each row's isolation score and the most unusual rows with their most unusual values.

    Without labels nobody knows how many are errors; no accuracy is claimed.
    """
    require("pandas", "sklearn")
    import numpy as np  # heavy
    from sklearn.ensemble import IsolationForest

    names = [n for n, kind in table["kinds"].items() if kind == "number"]
    frame = table["frame"][names].astype("float64")
    if not names or len(frame) < _FEWEST_ROWS:
        raise BadData(
            say(
                language,
                f"Finding unusual rows needs a numeric column and {_FEWEST_ROWS} rows; the table has"
                f" {len(names)} and {len(frame)}.",
                f"查找离群行至少需要一个数值列和 {_FEWEST_ROWS} 行；此表有 {len(names)} 个数值列、"
                f"{len(frame)} 行。",
            )
        )
    distances = _robust_distances(frame)
    progress(0.2, say(language, "Isolating rows", "正在隔离各行"))
    # Ranks of magnitude, not raw units, so that one heavy-tailed column does not hide the others.
    matrix = np.arcsinh(distances.fillna(0.0).to_numpy())
    forest = IsolationForest(n_estimators=200, random_state=_SEED).fit(matrix)
    scores = -np.asarray(forest.score_samples(matrix), dtype=np.float64)
    lower, upper = np.quantile(scores, (0.25, 0.75))
    threshold = float(upper + 2.0 * (upper - lower))
    order = np.argsort(-scores, kind="stable")[:MOST_ROWS_SHOWN]
    unusual = [
        UnusualRow(
            row=int(table["row_numbers"][i]),
            score=float(scores[i]),
            why=_reasons(frame.iloc[int(i)], distances.iloc[int(i)], language),
        )
        for i in order
    ]
    return Outliers(
        rows_seen=len(frame),
        columns=names,
        flagged=int((scores > threshold).sum()),
        threshold=threshold,
        unusual=unusual,
        scores=scores,
    )


def _robust_distances(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Each value's distance from its column's median, in robust standard deviations, with its sign."""
    middle = frame.median()
    spread = 1.4826 * (frame - middle).abs().median()
    # More than half the values are equal: then the ordinary deviation has to do.
    spread = spread.where(spread > 0, frame.std(ddof=0))
    return (frame - middle) / spread.where(spread > 0, 1.0)


def _reasons(values: "pd.Series", distances: "pd.Series", language: Language) -> str:
    extreme = distances.abs().sort_values(ascending=False).head(3)
    reasons = [
        f"{name} = {measure(values[name])}"
        + say(
            language,
            f" ({'high' if distances[name] > 0 else 'low'}, {size:.1f} sd)",
            f"（偏{'高' if distances[name] > 0 else '低'}，{size:.1f} 个标准差）",
        )
        for name, size in ((str(key), float(far)) for key, far in extreme.items())
        if size >= 2
    ]
    return "; ".join(reasons) or say(
        language, "an unusual combination of ordinary values", "各值本身正常，但组合少见"
    )
