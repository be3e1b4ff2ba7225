"""Dates in the forms people write them."""

from typing import TYPE_CHECKING

from easynet.core.language import Language, say

if TYPE_CHECKING:
    import pandas as pd

_DAY_FIRST = (
    "%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%y %H:%M",
)  # fmt: skip
_MONTH_FIRST = (
    "%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%y %H:%M",
)  # fmt: skip
_FORMATS = (
    "ISO8601",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m",
    "%Y.%m.%d",
    "%Y年%m月%d日",
    "%Y年%m月",
    "%Y年%m月%d号",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    *_MONTH_FIRST,
    *_DAY_FIRST,
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y",
    "%b %Y",
    "%B %Y",
    "%b-%y",
)
_YEARS = (1800, 2200)
"""A date outside them is a slip of the pen."""
_SAMPLE = 500
"""About this many different texts decide on the form."""


def _parsed(text: "pd.Series", form: str) -> "pd.Series":
    import pandas as pd  # heavy

    if form == "ISO8601":
        # A bare number such as 12 or 2024 is valid ISO 8601, and almost never a date.
        text = text.where(text.str.contains(r"\d{4}-\d|^\d{8}$", regex=True))
        dates = pd.to_datetime(text, format=form, errors="coerce", utc=True).dt.tz_localize(None)
    else:
        dates = pd.to_datetime(text, format=form, errors="coerce")
    return dates.where(dates.dt.year.between(*_YEARS))


def _best_format(text: "pd.Series") -> tuple[str, float]:
    distinct = text.drop_duplicates()
    sample = distinct.iloc[:: max(1, len(distinct) // _SAMPLE)]
    best, best_share = "", 0.0
    for form in _FORMATS:
        share = float(_parsed(sample, form).notna().mean()) if len(sample) else 0.0
        if share > best_share:
            best, best_share = form, share
        if share == 1.0:
            break
    return best, best_share


def date_share(text: "pd.Series") -> float:
    """Which share of the texts are dates of one and the same form."""
    return _best_format(text.astype(str).str.strip())[1]


def to_dates(series: "pd.Series", language: Language) -> "tuple[pd.Series, str]":
    """A column as dates without time zone, NaT where it is none; and a sentence on how it was read.

    The sentence is empty unless day and month could be confused and nothing in the data settles it:
    `03/04/2024` is then read with the month first, and says so.
    """
    import pandas as pd  # heavy
    from pandas.api import types

    if types.is_datetime64_any_dtype(series):
        return pd.to_datetime(series, utc=True).dt.tz_localize(None), ""
    if types.is_numeric_dtype(series):
        series = series.dropna().map(lambda v: f"{v:.0f}" if v % 1 == 0 else "").reindex(series.index)
    text = series.astype("object").where(series.notna(), "").astype(str).str.strip()
    stated = text[text != ""]
    form, _ = _best_format(stated)
    if not form:
        return pd.Series(pd.NaT, index=series.index, dtype="datetime64[ns]"), ""
    pair = next((p for p in zip(_MONTH_FIRST, _DAY_FIRST, strict=True) if form in p), None)
    if pair is None:
        return _parsed(text, form), ""
    month_first, day_first = (_parsed(text, order) for order in pair)
    is_day_first = _is_day_first(month_first, day_first)
    if is_day_first is not None:
        return day_first if is_day_first else month_first, ""
    return month_first, say(
        language,
        f"Dates such as {stated.iloc[0]} were read with the month first; the data does not settle it."
        " If the day comes first, write them like 2024-03-31.",
        f"像 {stated.iloc[0]} 这样的日期按“月/日”读取，数据本身无法确定。"
        "如果是“日/月”，请写成 2024-03-31 的形式。",
    )


def _is_day_first(month_first: "pd.Series", day_first: "pd.Series") -> bool | None:
    """Whether the day comes first, by what makes more sense of the dates; None where both make the same.

    More readable dates (there is no 13th month), then a steadier rhythm, then the order of the rows.
    """
    readable = int(day_first.notna().sum()) - int(month_first.notna().sum())
    if readable:
        return readable > 0
    if bool((month_first.dropna() == day_first.dropna()).all()):
        return False
    uneven = [_unevenness(dates) + 0.1 for dates in (month_first, day_first)]
    if max(uneven) > 2 * min(uneven):
        return uneven[1] < uneven[0]
    in_order = [_is_in_order(dates) for dates in (month_first, day_first)]
    return in_order[1] if in_order[0] != in_order[1] else None


def _unevenness(dates: "pd.Series") -> float:
    """How much the gaps between the days differ, as a share of the average gap."""
    gaps = dates.dropna().dt.normalize().drop_duplicates().sort_values().diff().dt.days.dropna()
    return float(gaps.std(ddof=0) / gaps.mean()) if len(gaps) else 0.0


def _is_in_order(dates: "pd.Series") -> bool:
    stated = dates.dropna()
    return bool(stated.is_monotonic_increasing or stated.is_monotonic_decreasing)
