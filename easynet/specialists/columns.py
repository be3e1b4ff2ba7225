"""What the columns of a table hold, and which of them is meant."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from easynet.core.errors import BadData
from easynet.core.language import Language, say
from easynet.specialists.currency import SIGNS
from easynet.specialists.dates import date_share

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "category", "date", "text", "id", "constant", "empty"]

MOST_LEVELS = 50
"""A text column with more different values is not a category."""

_ID_NAME = re.compile(
    r"(^|[^a-z])(id|ids|uuid|guid|key|index|serial|no|nr|number|mrn|code)$|id$|^unnamed"
    r"|编号|序号|号码|病历号|住院号|身份证|流水号|订单号|单号",
    re.IGNORECASE,
)
_DATE_NAME = re.compile(r"date|day|time|month|period|日期|时间|月份|年月", re.IGNORECASE)
_NO_NUMBER = frozenset({"", "na", "n/a", "none", "nan", "null", "-", "--", "?", "无", "未知", "缺失"})
_SAMPLE = 2_000


def is_text(series: "pd.Series") -> bool:
    """Whether a column holds text (or a mixture), as opposed to numbers, truth values or dates."""
    from pandas.api import types  # heavy

    return bool(types.is_object_dtype(series) or types.is_string_dtype(series))


def to_numbers(series: "pd.Series") -> "pd.Series":
    """A column as floats; what is not a finite number becomes NaN.

    Understands `1,234.5`, `1.234,5`, `$12`, `¥1 200`, `(12)` for -12 and `45 %` (gives 45).
    """
    import pandas as pd  # heavy

    if not is_text(series):
        return _finite(pd.to_numeric(series, errors="coerce"))
    text = series.astype("object").where(series.notna(), "").astype(str)
    text = text.str.replace(rf"{SIGNS}|[\s\u00a0'’%]", "", regex=True)
    text = text.str.replace(r"^\((.+)\)$", r"-\1", regex=True)
    with_comma = text[text.str.contains(",", regex=False)]
    thousands = with_comma.str.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
    if len(with_comma) and not bool(thousands.all()):
        is_decimal = bool(with_comma.str.fullmatch(r"[+-]?[\d.]*,\d+").all())
        if is_decimal:
            text = text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    else:
        text = text.str.replace(",", "", regex=False)
    return _finite(pd.to_numeric(text, errors="coerce"))


def _finite(numbers: "pd.Series") -> "pd.Series":
    floats = numbers.astype("float64")
    return floats.where(floats.abs() != float("inf"))


def column_kind(name: str, series: "pd.Series") -> Kind:
    """What a column holds, judged by its values and, for identifiers, also by its name."""
    from pandas.api import types  # heavy

    present = series.dropna()
    if present.empty:
        return "empty"
    unique = int(present.nunique())
    if unique == 1:
        return "constant"
    if types.is_bool_dtype(series):
        return "category"
    if types.is_datetime64_any_dtype(series):
        return "date"
    if not is_text(series):
        return _kind_of_numbers(name, present, unique)
    return _kind_of_text(name, present.astype(str).str.strip(), unique)


def _kind_of_numbers(name: str, present: "pd.Series", unique: int) -> Kind:
    is_whole = bool((present % 1 == 0).all())
    if not is_whole:
        return "number"
    if _DATE_NAME.search(name) and bool(present.between(19000101, 21001231).all()):
        return "date"
    steps = present.diff().dropna()
    counts_rows = len(present) >= 20 and bool((steps == 1).all())
    named_id = bool(_ID_NAME.search(name.strip())) and unique > 0.9 * len(present)
    return "id" if counts_rows or named_id else "number"


def _kind_of_text(name: str, present: "pd.Series", unique: int) -> Kind:
    sample = present.head(_SAMPLE)
    stated = sample[~sample.str.lower().isin(_NO_NUMBER)]
    if len(stated) and float(to_numbers(stated).notna().mean()) >= 0.95:
        numbers = to_numbers(stated)
        return _kind_of_numbers(name, numbers.dropna(), unique)
    if date_share(sample) >= 0.9:
        return "date"
    if unique <= MOST_LEVELS and unique <= max(2, len(present) / 2):
        return "category"
    is_short = float(sample.str.len().mean()) < 40 and float(sample.str.contains(r"\s").mean()) < 0.2
    return "id" if unique > 0.9 * len(present) and is_short else "text"


def words_of(name: str) -> str:
    """A column's name in lower case with single spaces: `Sale_Date` and `saleDate` give `sale date`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.sub(r"[\W_]+", " ", spaced).strip().lower()


def find_by_name(columns: Sequence[str], words: Sequence[str]) -> list[str]:
    """The columns whose name is, or contains, one of `words`; best first.

    A whole name beats a part of one, and an earlier word beats a later one.
    """
    scored: list[tuple[int, int, int, str]] = []
    for position, column in enumerate(columns):
        name = words_of(column)
        ranks = [
            (0 if _is_same(name, word) else 1, rank)
            for rank, word in enumerate(words)
            if _is_same(name, word) or re.search(rf"\b{re.escape(word)}\b", name) or _is_han_part(word, name)
        ]
        if ranks:
            scored.append((*min(ranks), position, column))
    return [column for *_, column in sorted(scored)]


def _is_same(name: str, word: str) -> bool:
    # `ORDERDATE` is an order date.
    return name.replace(" ", "") == word.replace(" ", "")


def _is_han_part(word: str, name: str) -> bool:
    # Chinese has no spaces between words, so a part of a name is found as a substring.
    return not word.isascii() and word in name


def given_column(given: str, columns: Sequence[str], parameter: str, language: Language) -> str:
    """The column that a user named; capitals and spaces do not matter.

    Raises BadData naming the closest columns where there is none.
    """
    if given in columns:
        return given
    same = [c for c in columns if words_of(c) == words_of(given)]
    if same:
        return same[0]
    near = get_close_matches(given, columns, n=3, cutoff=0.5)
    listed = ", ".join(repr(c) for c in columns[:12]) + (" ..." if len(columns) > 12 else "")
    close = say(language, f"Did you mean {near[0]!r}? ", f"您是不是指 {near[0]!r}？") if near else ""
    raise BadData(
        say(
            language,
            f"The data has no column {given!r}, which was given as {parameter}.",
            f"数据里没有名为 {given!r} 的列（由 {parameter} 指定）。",
        ),
        hint=close + say(language, f"Its columns are {listed}.", f"现有的列：{listed}。"),
    )


def mentioned_column(given: str, columns: Sequence[str], parameter: str, language: Language) -> str:
    """The same, where a column's name may also stand among other words, or be named by one of its own.

    `by region` mentions the column `Region`, and `price` the column `unit price` if no other holds a price.
    """
    wanted = words_of(given)
    if wanted and not any(words_of(c) == wanted for c in columns):
        mentioned = [c for c in columns if words_of(c) and find_by_name([given], [words_of(c)])]
        for likely in (mentioned, find_by_name(columns, [wanted])):
            if len(likely) == 1:
                return likely[0]
    return given_column(given, columns, parameter, language)
