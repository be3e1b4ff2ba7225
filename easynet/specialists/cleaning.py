"""A table made fit for analysis."""

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.contribution import contribute
from easynet.core.errors import BadData
from easynet.core.language import Language, say
from easynet.specialists.columns import Kind, is_text, to_numbers
from easynet.specialists.currency import currency_of
from easynet.specialists.dates import to_dates
from easynet.specialists.libraries import require
from easynet.specialists.profile import TableProfile
from easynet.specialists.table_io import RawTable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


class CleanTable(TypedDict):
    """A table whose columns hold numbers, dates or trimmed text, as their kind says."""

    frame: "pd.DataFrame"
    kinds: dict[str, Kind]
    currencies: dict[str, str]
    """The sign that a numeric column carried, where it did."""
    row_numbers: "NDArray[np.int64]"
    """For each row, its number in the original table, from 1."""
    dropped: dict[str, str]
    """Columns left out, each with the reason."""
    notes: list[str]
    """What was changed, as sentences."""


@contribute(
    en="Clean a table: turn text into numbers and dates, trim values, drop empty columns and rows and"
    " duplicate records.",
    zh="清洗数据表：把文本转成数字和日期，去掉空格、空行、空列和重复记录。",
    specialization="data-analysis",
    tags=(
        "clean", "tidy", "prepare", "preprocess", "duplicates", "remove duplicate rows", "清洗", "整理",
        "预处理", "去重", "准备数据",
    ),
    examples=(
        "clean my data", "delete repeated records", "fix numbers that are stored as text",
        "strip blanks and drop empty rows", "this data is a mess, put it in order",
        "get the data ready for analysis", "convert dates and figures that are written as words",
        "throw out entries that occur twice", "remove empty columns",
        "write all numbers and dates the same way", "correct the formats in this list",
        "wash this export before we work with it", "take the currency signs out of the amounts",
        "the same customer is listed several times", "leave only unique rows",
        "decimal commas and thousands points are mixed up", "convert columns to proper types",
        "make this messy file usable", "清洗这份数据", "删除重复的记录", "把存成文本的数字转换成数值",
        "去掉多余的空格和空行", "数据很乱，整理好", "把日期和金额统一成规范格式", "重复出现的条目只保留一条",
        "为分析准备好数据", "删掉空列", "统一数字和日期的写法", "规范这份名单的格式", "导出的表先洗一洗再用",
        "去掉金额里的货币符号", "同一个客户出现了好几次", "只保留不重复的行", "小数点和千分位混用，改正过来",
        "把各列转成正确的类型", "把脏数据处理干净",
    ),
    price=1,
    expected_s=0.5,
)  # fmt: skip
def clean_table(table: RawTable, profile: TableProfile, language: Language = "en") -> CleanTable:
    """The table with typed columns and without what carries no information.

    Columns stay, also constant ones and identifiers, because one may be the target; empty ones go.
    """
    require("pandas")
    import pandas as pd  # heavy

    raw = table["frame"]
    kinds: dict[str, Kind] = {c["name"]: c["kind"] for c in profile["columns"]}
    kept = [name for name, kind in kinds.items() if kind != "empty"]
    notes = list(table["notes"])
    dropped = {n: say(language, "empty", "空列") for n, k in kinds.items() if k == "empty"}
    typed: dict[str, pd.Series] = {}
    for name in kept:
        typed[name], note = _typed(name, raw[name], kinds[name], language)
        notes.extend([note] if note else [])
    frame = pd.DataFrame(typed, columns=kept)
    frame, numbers, row_notes = _without_useless_rows(frame, language)
    if frame.empty:
        raise BadData(say(language, "The table holds no values.", "表格里没有任何数值。"))
    return CleanTable(
        frame=frame,
        kinds={name: kinds[name] for name in kept},
        currencies={n: sign for n in kept if kinds[n] == "number" and (sign := currency_of(n, raw[n]))},
        row_numbers=numbers,
        dropped=dropped,
        notes=notes + row_notes,
    )


def _typed(name: str, series: "pd.Series", kind: Kind, language: Language) -> "tuple[pd.Series, str]":
    if kind == "number":
        numbers = to_numbers(series)
        lost = int((numbers.isna() & series.notna()).sum())
        note = say(
            language,
            f"{lost} value(s) of {name!r} are no numbers and count as missing.",
            f"列 {name!r} 中有 {lost} 个值不是数字，按缺失处理。",
        )
        return numbers, note if lost else ""
    if kind == "date":
        return to_dates(series, language)
    if is_text(series):
        text = series.astype("object").where(series.notna(), None)
        trimmed = text.map(lambda v: str(v).strip() or None if v is not None else None)
        return trimmed.astype("object"), ""
    return series, ""


def _without_useless_rows(
    frame: "pd.DataFrame", language: Language
) -> "tuple[pd.DataFrame, NDArray[np.int64], list[str]]":
    import numpy as np  # heavy

    notes: list[str] = []
    keep = ~frame.isna().all(axis=1)
    if not bool(keep.all()):
        count = int((~keep).sum())
        notes.append(say(language, f"{count} empty row(s) were dropped.", f"删除了 {count} 个空行。"))
    repeated = frame.duplicated() & keep
    # In a table of a few coarse columns equal rows are to be expected; otherwise they are copies, and a
    # copy on both sides of a split would flatter every test.
    is_fine = any(frame[c].nunique() > 0.5 * len(frame) for c in frame.columns)
    if is_fine and bool(repeated.any()):
        count = int(repeated.sum())
        notes.append(say(language, f"{count} repeated row(s) were dropped.", f"删除了 {count} 个重复行。"))
        keep &= ~repeated
    numbers = np.flatnonzero(keep.to_numpy()).astype(np.int64) + 1
    return frame[keep].reset_index(drop=True), numbers, notes
