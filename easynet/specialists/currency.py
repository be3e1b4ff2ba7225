"""The currency that a table states, in its cells or in the name of a column."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_CODES = "USD|EUR|GBP|CNY|RMB|JPY|CHF|INR"
SIGNS = rf"[$€£¥￥₹元]|(?<![A-Za-z])(?:{_CODES})(?![A-Za-z])"
"""A regular expression for the signs and codes that are understood."""
# The last character of 单元, a unit, is no money.
_SIGN_IN_NAME = re.compile(rf"[$€£¥￥₹]|(?<=[(（/])元|(?<![A-Za-z])(?:{_CODES}|{_CODES.lower()})(?![A-Za-z])")
_SAMPLE = 2_000


def cell_currency(values: "pd.Series") -> str:
    """The sign that stands in most cells of a text column, or ""."""
    stated = values.dropna().head(_SAMPLE).astype(str)
    signs = stated.str.extract(f"({SIGNS})", expand=False).dropna()
    if len(signs) <= len(stated) / 2:
        return ""
    counts = signs.str.replace("￥", "¥").value_counts()
    # Two currencies in one column: their sum has neither.
    return str(counts.index[0]) if len(counts) == 1 else ""


def currency_of(name: str, values: "pd.Series") -> str:
    """The currency of a column of amounts, or "" where the table states none."""
    named = _SIGN_IN_NAME.search(name)
    return cell_currency(values) or (named[0].upper().replace("￥", "¥") if named else "")
