"""What is in a table, column by column."""

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.specialists.columns import Kind, column_kind, to_numbers
from easynet.specialists.dates import to_dates
from easynet.specialists.libraries import require
from easynet.specialists.table_io import RawTable
from easynet.specialists.wording import measure

if TYPE_CHECKING:
    import pandas as pd


class ColumnProfile(TypedDict):
    """One column in figures."""

    name: str
    kind: Kind
    missing: int
    unique: int
    summary: str
    """Range and middle of numbers, most common values of others."""


class TableProfile(TypedDict):
    """A table in figures."""

    rows: int
    columns: list[ColumnProfile]
    dates: list[str]
    """The first and the last day of the first column of dates; empty where there is none."""
    duplicate_rows: int
    """Rows equal to an earlier one in every column."""
    missing: int
    """Empty cells."""
    missing_share: float
    """Of all cells."""
    notes: list[str]


@contribute(
    en="Profile and describe a table: type, range, missing values and most common values of each column,"
    " duplicate rows, data quality.",
    zh="描述和概览数据表：每一列的类型、取值范围、缺失值、常见取值，重复行和数据质量。",
    specialization="data-analysis",
    tags=(
        "profile", "describe", "overview", "summary", "explore", "data quality", "missing values",
        "statistics", "概览", "描述", "统计", "摘要", "探索", "数据质量", "缺失值", "了解数据",
    ),
    examples=(
        "describe this table", "what is in my data?", "what is inside this file?",
        "which columns have gaps, and how many?", "how good is the quality of this data?",
        "list the columns with their types and ranges", "basic statistics of every field",
        "what does this spreadsheet hold?", "how many rows and columns are there?", "is anything missing?",
        "explain the variables to me", "show me the structure of this file", "what do the columns contain?",
        "is the data complete and usable?", "which values occur most often?",
        "from when to when does the data go?", "how many different values has each column?",
        "do a data audit", "introduce me to this data set",
        "I have just received this file, what is it about?", "can I rely on these data?",
        "count the empty cells", "看看我的数据里有什么", "检查数据质量", "第一次打开这份文件，先介绍一下",
        "每个字段有多少空值", "列出各列的类型和取值范围", "给出每列的基本统计", "这张表有多少行多少列",
        "有没有缺失的内容", "数据总体情况如何", "介绍一下各个变量", "数据结构是怎样的",
        "各列里都装着什么内容", "数据完整吗，能用吗", "最常见的取值有哪些", "数据覆盖哪段时间",
        "每列有几种不同的取值", "做一次数据体检", "刚收到的文件，讲的是什么", "这些数据可靠吗",
        "数一数空单元格",
    ),
    price=1,
    expected_s=0.5,
)  # fmt: skip
def profile_table(table: RawTable, language: Language = "en") -> TableProfile:
    """Each column's kind, gaps and values, and the table's duplicates."""
    require("pandas")
    frame = table["frame"]
    columns = [_column(str(name), frame[name], language) for name in frame.columns]
    dated = (_date_range(frame[c["name"]], language) for c in columns if c["kind"] == "date")
    missing = sum(c["missing"] for c in columns)
    return TableProfile(
        rows=len(frame),
        columns=columns,
        dates=next(dated, []),
        duplicate_rows=int(frame.duplicated().sum()),
        missing=missing,
        missing_share=missing / max(1, frame.size),
        notes=list(table["notes"]),
    )


def _column(name: str, series: "pd.Series", language: Language) -> ColumnProfile:
    kind = column_kind(name, series)
    return ColumnProfile(
        name=name,
        kind=kind,
        missing=int(series.isna().sum()),
        unique=int(series.nunique()),
        summary=_summary(kind, series, language),
    )


def _summary(kind: Kind, series: "pd.Series", language: Language) -> str:
    present = series.dropna()
    if kind == "empty":
        return ""
    if kind == "number":
        numbers = to_numbers(present)
        low, middle, high = (measure(float(v)) for v in (numbers.min(), numbers.median(), numbers.max()))
        return say(language, f"{low} to {high}, median {middle}", f"{low} 至 {high}，中位数 {middle}")
    days = _date_range(series, language) if kind == "date" else []
    if days:
        return say(language, f"{days[0]} to {days[1]}", f"{days[0]} 至 {days[1]}")
    texts = present.astype(str)
    if kind in ("date", "id"):
        return say(language, f"{texts.iloc[0]} ... {texts.iloc[-1]}", f"{texts.iloc[0]} …… {texts.iloc[-1]}")
    common = texts.value_counts().head(3)
    return ", ".join(f"{_short(str(value))} ({count:,})" for value, count in common.items())


def _date_range(series: "pd.Series", language: Language) -> list[str]:
    """The first and the last day, or nothing where the column holds years only."""
    dates = to_dates(series, language)[0].dropna()
    return [day.date().isoformat() for day in (dates.min(), dates.max())] if len(dates) else []


def _short(value: str) -> str:
    return value if len(value) <= 30 else value[:29] + "…"
