"""Where sales grow and where they shrink, ranked by money."""

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.call import progress
from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.specialists.comparison import Change, Comparison, compare, comparison_for
from easynet.specialists.forecast import Forecast
from easynet.specialists.libraries import require
from easynet.specialists.periods import Grain
from easynet.specialists.sales import SalesTable, series_of
from easynet.specialists.trend import Trend

if TYPE_CHECKING:
    import pandas as pd

MOST_SEGMENTS = 30
"""Of each kind, the largest by recent and earlier sales together."""


class Opportunity(TypedDict):
    """A region, a product, or a product in a region."""

    segment: str
    change: Change
    share: float
    """Of recent total sales."""
    expected: float
    """Sales over the forecast's horizon if the segment keeps its share."""


class Opportunities(TypedDict):
    """Segments in three rankings: clear growth first, clear decline last, by money."""

    grain: Grain
    currency: str
    columns: dict[str, str]
    """The column behind `regions` and behind `products`, where there is one."""
    compared: str
    """What is compared with what, as a phrase."""
    is_year_before: bool
    total: Change
    regions: list[Opportunity]
    products: list[Opportunity]
    pairs: list[Opportunity]
    """Products in regions."""
    tested: int
    """Segments looked at, all rankings together."""
    left_out: int
    """Smaller segments that were not looked at."""
    horizon: int
    notes: list[str]


@contribute(
    en="Find growth opportunities: rank regions and products by how much their sales grow or shrink in money,"
    " and say which changes are more than chance.",
    zh="寻找增长机会：按销售金额对地区和产品的增长与下滑排名，并指出哪些变化并非偶然。",
    specialization="forecasting",
    tags=(
        "growth", "opportunity", "opportunities", "potential", "best region", "best product", "ranking",
        "sales", "business", "增长", "增长机会", "机会", "潜力", "地区", "产品", "排名", "销售", "业务",
    ),
    examples=(
        "where could we sell more?", "which markets have potential?",
        "which products are gaining and which are losing?", "what should we promote to increase turnover?",
        "in which areas should we invest?", "where is growth strong, and where is it held back?",
        "rank the regions by growth", "ideas to raise sales", "which parts of the business grow fastest?",
        "which articles are declining?", "where is the most money to be gained?",
        "which branches should we expand?", "what is selling better and better?",
        "which areas are falling behind?", "where is untapped demand?",
        "winners and losers among our products", "where should marketing money go?",
        "which market is worth entering?", "哪些地方还能多卖一些", "哪些市场有潜力",
        "哪些产品在增长，哪些在下滑", "应该重点推广什么来提高收入", "应该在哪些方面投入",
        "哪里增长强、哪里增长弱", "给地区按增长排名", "怎样提高销量", "哪些业务增长最快",
        "哪些商品在走下坡路", "哪里最有钱可赚", "应该扩大哪些门店", "什么东西越卖越好", "哪些地方落后了",
        "哪里还有没挖掘的需求", "产品里的赢家和输家", "营销费用该花在哪里", "哪个市场值得进入",
        "下一步应该发展什么",
    ),
    price=5,
    expected_s=2.0,
)  # fmt: skip
def growth_opportunities(
    sales: SalesTable, trend: Trend, forecast: Forecast, language: Language = "en"
) -> Opportunities:
    """Each segment's change with its interval, and what it would sell over the forecast's horizon."""
    require("pandas", "scipy")
    frame = sales["frame"]
    comparison = comparison_for(len(sales["periods"]), sales["grain"])
    expected = sum(forecast["mean"])
    kinds = {
        "regions": ["region"] if frame["region"].nunique() > 1 else [],
        "products": ["product"] if frame["product"].nunique() > 1 else [],
    }
    kinds["pairs"] = ["region", "product"] if kinds["regions"] and kinds["products"] else []
    ranked: dict[str, list[Opportunity]] = {}
    left_out = 0
    for number, (kind, by) in enumerate(kinds.items()):
        progress(number / 3, say(language, "Comparing segments", "正在比较各细分市场"))
        ranked[kind], small = _ranking(sales, by, comparison, trend["change"], expected) if by else ([], 0)
        left_out += small
    return Opportunities(
        grain=sales["grain"],
        currency=sales["currency"],
        columns={
            f"{role}s": name for role, name in sales["columns"].items() if role in ("region", "product")
        },
        compared=trend["compared"],
        is_year_before=comparison.is_year_before,
        total=trend["change"],
        regions=ranked["regions"],
        products=ranked["products"],
        pairs=ranked["pairs"],
        tested=sum(map(len, ranked.values())),
        left_out=left_out,
        horizon=len(forecast["mean"]),
        notes=list(trend["notes"]),
    )


def _ranking(
    sales: SalesTable, by: list[str], comparison: Comparison, total: Change, expected: float
) -> tuple[list[Opportunity], int]:
    """The largest segments in order, and how many smaller ones were left out."""
    frame = sales["frame"]
    sizes = frame.groupby(by)["amount"].sum().abs().sort_values(ascending=False, kind="stable")
    kept = list(sizes.index[:MOST_SEGMENTS])
    segments: list[Opportunity] = []
    for key in kept:
        values = key if isinstance(key, tuple) else (key,)
        change = compare(series_of(sales, _rows(frame, by, values)), comparison)
        share = change["recent"] / total["recent"] if total["recent"] > 0 else 0.0
        segments.append(
            Opportunity(
                segment=" · ".join(str(v) for v in values),
                change=change,
                share=share,
                expected=max(0.0, share * expected),
            )
        )
    segments.sort(key=lambda s: (_standing(s["change"]), -s["change"]["change"]))
    return segments, len(sizes) - len(kept)


def _rows(frame: "pd.DataFrame", by: list[str], values: tuple[object, ...]) -> "pd.DataFrame":
    chosen = frame
    for column, value in zip(by, values, strict=True):
        chosen = chosen[chosen[column] == value]
    return chosen


def _standing(change: Change) -> int:
    """0 for clear growth, 1 for no clear change, 2 for clear decline."""
    if not change["is_clear"]:
        return 1
    return 0 if change["change"] > 0 else 2
