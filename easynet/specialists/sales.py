"""Sales in equal periods, by region and product."""

from math import ceil, log10
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.contribution import contribute
from easynet.core.errors import BadData
from easynet.core.language import Language, say
from easynet.specialists.currency import currency_of
from easynet.specialists.dates import to_dates
from easynet.specialists.libraries import require
from easynet.specialists.periods import (
    PERIODICITY,
    Grain,
    count_of,
    grain_of,
    next_starts,
    period_end,
    period_starts,
)
from easynet.specialists.sales_columns import amounts, find_sales_columns
from easynet.specialists.sales_names import SalesRole
from easynet.specialists.sales_notes import amount_caution, how_read, segment_caution
from easynet.specialists.table_io import RawTable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

FEWEST_PERIODS = 6
_DIGITS = 12
"""Of a sum that mean something; a float has fifteen to sixteen."""


class SalesTable(TypedDict):
    """Sales summed up by complete period, region and product."""

    frame: "pd.DataFrame"
    """Columns `period` (its first day, a date), `region`, `product`, `amount`; in the order of the first
    three."""
    grain: Grain
    periods: list[str]
    """The first day of every period from the first to the last, ISO dates."""
    columns: dict[str, str]
    """The column of the data behind date, region, product and amount; absent where there is none."""
    currency: str
    """The sign that the amounts carry, or ""."""
    cautions: list[str]
    """What the figures rest on and may be wrong, as sentences."""
    notes: list[str]
    """How the data was read otherwise."""


@contribute(
    en="Prepare sales data: find the date, region, product and amount columns and sum sales up by day,"
    " week or month.",
    zh="整理销售数据：识别日期、地区、产品和金额列，按天、周或月汇总销售额。",
    specialization="forecasting",
    tags=(
        "sales", "revenue", "orders", "transactions", "retail", "shop", "business", "销售", "销售额",
        "营收", "订单", "零售", "业绩", "交易", "门店",
    ),
    examples=(
        "sum up my sales by month", "weekly totals of the orders", "the daily takings added up",
        "list my orders by day", "total income of each week", "group the transactions into weeks",
        "turn the list of purchases into a monthly series", "monthly income from the invoices",
        "combine all receipts of a day", "按月汇总销售额", "每周的订单总额", "把每天的流水加起来",
        "整理每日订单", "每周总收入", "把交易按周归并", "把购买记录变成每月的序列", "从发票得出每月收入",
        "合并同一天的票据",
    ),
    price=1,
    expected_s=0.5,
)  # fmt: skip
def sales_table(
    table: RawTable,
    date: str | None = None,
    region: str | None = None,
    product: str | None = None,
    amount: str | None = None,
    language: Language = "en",
) -> SalesTable:
    """Sales by complete period, region and product; `date` to `amount` name columns of the table.

    Raises InputNeeded where a column is unclear, BadData where there is too little to look at.
    """
    require("pandas")
    import pandas as pd  # heavy

    raw = table["frame"]
    given: dict[SalesRole, str | None] = {
        "date": date, "region": region, "product": product, "amount": amount
    }  # fmt: skip
    read = find_sales_columns(raw, given, language)
    found = read.found
    notes = [how_read(read, language), *table["notes"]]
    dates, ambiguity = to_dates(raw[str(found["date"])], language)
    cautions = [*filter(None, [ambiguity]), *amount_caution(read, language), *segment_caution(read, language)]
    rows = pd.DataFrame({"date": dates, "amount": amounts(raw, found["amount"])})
    for role in ("region", "product"):
        rows[role] = _labels(raw[str(found[role])], language) if role in found else ""
    usable = rows.dropna(subset=["date", "amount"])
    if len(usable) < 0.5 * len(rows) or usable.empty:
        _refuse(rows, found, language)
    if len(usable) < len(rows):
        lost = len(rows) - len(usable)
        notes.append(
            say(
                language,
                f"{lost} of {len(rows)} rows have no readable date or amount and were left out.",
                f"{len(rows)} 行中有 {lost} 行没有可读的日期或金额，未使用。",
            )
        )
    frame, grain, periods, more = _in_periods(usable.reset_index(drop=True), language)
    columns = {str(role): name if isinstance(name, str) else " × ".join(name) for role, name in found.items()}
    of = found["amount"] if isinstance(found["amount"], str) else found["amount"][1]
    return SalesTable(
        frame=frame,
        grain=grain,
        periods=periods,
        columns=columns,
        currency=currency_of(of, raw[of]),
        cautions=cautions,
        notes=notes + more,
    )


def totals(sales: SalesTable) -> "NDArray[np.float64]":
    """The total of each period, in their order; a period without a row sold nothing."""
    return series_of(sales, sales["frame"])


def series_of(sales: SalesTable, rows: "pd.DataFrame") -> "NDArray[np.float64]":
    """The same for some of the rows."""
    import numpy as np  # heavy
    import pandas as pd

    sums = rows.groupby("period")["amount"].sum()
    starts = pd.to_datetime(pd.Series(sales["periods"]), format="ISO8601").to_numpy()
    return sums.reindex(pd.DatetimeIndex(starts), fill_value=0.0).to_numpy(dtype=np.float64)


def _labels(column: "pd.Series", language: Language) -> "pd.Series":
    none = say(language, "(none)", "（空）")

    def label(value: object) -> str:
        if value is None or value != value:  # NaN is not equal to itself
            return none
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value).strip() or none

    return column.astype("object").map(label)


def _refuse(
    rows: "pd.DataFrame", found: "dict[SalesRole, str | tuple[str, str]]", language: Language
) -> None:
    undated = int(rows["date"].isna().sum())
    role: SalesRole = "date" if undated > len(rows) / 2 else "amount"
    missing = int(rows[role].isna().sum())
    raise BadData(
        say(
            language,
            f"The column {found[role]!r}, taken as {role}, is unreadable in {missing} of {len(rows)} rows.",
            f"列 {found[role]!r}（作为 {role}）在 {len(rows)} 行中有 {missing} 行无法读取。",
        ),
        hint=say(
            language,
            "Write dates like 2024-03-31 and amounts like 1234.50, or name another column.",
            "请把日期写成 2024-03-31、金额写成 1234.50 的形式，或指定其他列。",
        ),
    )


def _in_periods(
    rows: "pd.DataFrame", language: Language
) -> "tuple[pd.DataFrame, Grain, list[str], list[str]]":
    import pandas as pd  # heavy

    grain, follows_data = grain_of(rows["date"])
    rows = rows.assign(period=period_starts(rows["date"], grain, follows_data))
    first_day, last_day = rows["date"].min().normalize(), rows["date"].max().normalize()
    starts = next_starts(rows["period"].min(), _count(rows, grain), grain)
    notes: list[str] = []
    if not follows_data:
        slack = pd.Timedelta(days=PERIODICITY[grain].tolerance_days)
        complete = [s for s in starts if s >= first_day - slack and period_end(s, grain) <= last_day + slack]
        if len(complete) < len(starts):
            dropped = count_of(len(starts) - len(complete), grain, language)
            notes.append(
                say(
                    language,
                    f"Incomplete periods at the edges were left out ({dropped}).",
                    f"首尾不完整的时间段未使用（{dropped}）。",
                )
            )
        starts = pd.DatetimeIndex(complete)
    if len(starts) < FEWEST_PERIODS:
        raise BadData(
            say(
                language,
                f"The sales cover {count_of(len(starts), grain, language)} only; too little for a trend.",
                f"销售数据只覆盖 {count_of(len(starts), grain, language)}，不足以分析趋势。",
            ),
            hint=say(
                language,
                f"Give at least {FEWEST_PERIODS} days, weeks or months of sales.",
                f"请至少提供 {FEWEST_PERIODS} 天、周或月的销售数据。",
            ),
        )
    inside = rows[rows["period"].isin(starts)]
    frame = inside.groupby(["period", "region", "product"])[["amount"]].sum().reset_index()
    frame["amount"] = _without_noise(frame["amount"])
    silent = len(starts) - int(frame["period"].nunique())
    if silent:
        notes.append(
            say(
                language,
                f"{count_of(silent, grain, language)} without any row count as zero sales.",
                f"有 {count_of(silent, grain, language)}没有任何记录，按零销售计。",
            )
        )
    negative = int((inside["amount"] < 0).sum())
    if negative:
        notes.append(
            say(
                language,
                f"{negative} negative amounts were kept as returns.",
                f"{negative} 笔负金额按退货保留。",
            )
        )
    return frame, grain, [s.date().isoformat() for s in starts], notes


def _without_noise(sums: "pd.Series") -> "pd.Series":
    """Sums without the digits in which the same amounts, added in another order, differ."""
    largest = float(sums.abs().max())
    return sums.round(_DIGITS - ceil(log10(largest))) if largest > 0 else sums


def _count(rows: "pd.DataFrame", grain: Grain) -> int:
    first, last = rows["period"].min(), rows["period"].max()
    months = (last.year - first.year) * 12 + last.month - first.month
    days = (last - first).days
    return int({"day": days, "week": days // 7, "month": months, "quarter": months // 3}[grain]) + 1
