"""Time in equal periods: days, weeks, months or quarters."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from easynet.core.language import Language, say

if TYPE_CHECKING:
    import pandas as pd

Grain = Literal["day", "week", "month", "quarter"]


@dataclass(frozen=True)
class Periodicity:
    """What a grain means for an analysis, in periods."""

    per_year: int
    season: int
    """Periods after which the pattern repeats."""
    horizon: int
    """Usually forecast."""
    block: int
    """Neighbouring periods that are resampled together."""
    tolerance_days: int
    """Days that may be missing at the end of a period that still counts as complete."""
    en: str
    zh: str


PERIODICITY: dict[Grain, Periodicity] = {
    "day": Periodicity(365, 7, 14, 7, 0, "day", "天"),
    "week": Periodicity(52, 52, 8, 4, 2, "week", "周"),
    "month": Periodicity(12, 12, 6, 2, 4, "month", "个月"),
    "quarter": Periodicity(4, 4, 4, 1, 10, "quarter", "个季度"),
}


def count_of(periods: int, grain: Grain, language: Language) -> str:
    """A number of periods in words: `8 weeks`, `1 month`."""
    words = PERIODICITY[grain]
    plural = "" if periods == 1 else "s"
    return say(language, f"{periods} {words.en}{plural}", f"{periods} {words.zh}")


def grain_of(dates: "pd.Series") -> tuple[Grain, bool]:
    """The grain to analyse dated rows in, and whether the dates come in that rhythm themselves.

    Daily rows are summed up to weeks from 120 days on, and to months from five years on; irregular rows
    that lie weeks apart to months.
    """
    distinct = dates.dt.normalize().drop_duplicates().sort_values()
    gaps = distinct.diff().dt.days.dropna()
    gap = float(gaps.median()) if len(gaps) else 1.0
    span = (distinct.iloc[-1] - distinct.iloc[0]).days
    if gap >= 80:
        return "quarter", True
    if gap >= 25:
        return "month", True
    if gap >= 6:
        is_weekly = float((gaps % 7 == 0).mean()) > 0.8
        return ("week", True) if is_weekly else ("month", False)
    if span < 120:
        return "day", True
    return ("week" if span < 5 * 365 else "month"), False


def period_starts(dates: "pd.Series", grain: Grain, follows_data: bool) -> "pd.Series":
    """The first day of the period in which each date lies.

    Weekly data keeps its own week: a date on a Friday ends a week that started on Saturday.
    """
    import pandas as pd  # heavy

    days: pd.Series = dates.dt.normalize()
    if grain == "day":
        return days
    code = "M" if grain == "month" else "Q"
    if grain == "week":
        anchor = "SUN"
        if follows_data:
            names = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
            anchor = names[int(days.dt.day_of_week.mode().iloc[0])]
        code = f"W-{anchor}"
    return pd.Series(pd.PeriodIndex(days, freq=code).start_time, index=dates.index)


def period_end(start: "pd.Timestamp", grain: Grain) -> "pd.Timestamp":
    """The last day of the period that starts there."""
    import pandas as pd  # heavy

    match grain:
        case "day":
            return start
        case "week":
            return start + pd.Timedelta(days=6)
        case "month":
            return start + pd.offsets.MonthEnd(1)
        case "quarter":
            return start + pd.offsets.MonthEnd(3)


def next_starts(first: "pd.Timestamp", periods: int, grain: Grain) -> "pd.DatetimeIndex":
    """The starts of `periods` periods, from `first` on."""
    import pandas as pd  # heavy

    steps = {
        "day": pd.DateOffset(days=1),
        "week": pd.DateOffset(days=7),
        "month": pd.DateOffset(months=1),
        "quarter": pd.DateOffset(months=3),
    }
    return pd.DatetimeIndex([first + i * steps[grain] for i in range(periods)])
