"""Which columns of a table are date, region, product and amount."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from easynet.core.errors import InputNeeded
from easynet.core.language import Language, say
from easynet.specialists.columns import (
    Kind,
    column_kind,
    find_by_name,
    given_column,
    is_text,
    to_numbers,
    words_of,
)
from easynet.specialists.currency import cell_currency
from easynet.specialists.sales_names import NAMES, OTHER_MONEY, QUANTITY, UNIT_PRICE, SalesRole

if TYPE_CHECKING:
    import pandas as pd

_MOST_LEVELS = 2_000

_QUESTIONS: dict[SalesRole, tuple[str, str]] = {
    "date": ("Which column holds the date of a sale?", "哪一列是销售日期？"),
    "region": ("Which column holds the region?", "哪一列是地区？"),
    "product": ("Which column holds the product?", "哪一列是产品？"),
    "amount": ("Which column holds the amount sold, in money?", "哪一列是销售金额？"),
}


@dataclass(frozen=True)
class SalesColumns:
    """What the columns of a table mean for its sales."""

    found: dict[SalesRole, str | tuple[str, str]]
    """By role; an amount may be a pair of quantity and unit price, region and product may be absent."""
    amount_by: Literal["given", "name", "currency", "elimination"]
    """What told the amount: nobody's word and no name in the last two cases."""
    unused: list[str]
    """Columns with few different texts that are neither region nor product."""


def find_sales_columns(
    frame: "pd.DataFrame", given: Mapping[SalesRole, str | None], language: Language
) -> SalesColumns:
    """The columns that play each role: as given, by name, by a currency sign, or because only one can.

    Raises BadData for a given name that does not exist, InputNeeded where it is unclear.
    """
    columns = [str(c) for c in frame.columns]
    kinds: dict[str, Kind] = {c: column_kind(c, frame[c]) for c in columns}
    found: dict[SalesRole, str | tuple[str, str]] = {
        role: given_column(name, columns, role, language) for role, name in given.items() if name is not None
    }

    def free(role: SalesRole) -> list[str]:
        taken = set(found.values())
        return [c for c in columns if c not in taken and _may_be(role, c, kinds[c], frame[c])]

    if "date" not in found:
        candidates = free("date")
        named = _named("date", candidates)
        if not named and len(candidates) != 1:
            raise InputNeeded("date", say(language, *_QUESTIONS["date"]), candidates or columns)
        found["date"] = (named or candidates)[0]
    amount_by: Literal["given", "name", "currency", "elimination"] = "given"
    if "amount" not in found:
        found["amount"], amount_by = _amount(frame, free("amount"), columns, language)
    for role in ("region", "product"):
        if role not in found and (named := _named(role, free(role))):
            found[role] = named[0]
    unused = [c for c in free("product") if _is_grouping(kinds[c], frame[c])]
    if "region" not in found and "product" not in found and unused:
        raise InputNeeded("product", say(language, *_QUESTIONS["product"]), unused)
    return SalesColumns(found, amount_by, [c for c in unused if kinds[c] == "category"])


def _amount(
    frame: "pd.DataFrame", candidates: Sequence[str], columns: Sequence[str], language: Language
) -> tuple[str | tuple[str, str], Literal["name", "currency", "elimination"]]:
    other = {*find_by_name(candidates, UNIT_PRICE), *find_by_name(candidates, OTHER_MONEY)}
    in_money = [c for c in candidates if is_text(frame[c]) and c not in other and cell_currency(frame[c])]
    named = _named("amount", in_money or candidates)
    if named:
        return named[0], "name"
    if len(in_money) == 1:
        return in_money[0], "currency"
    if pair := _quantity_and_price(candidates):
        return pair, "name"
    if len(candidates) == 1:
        return candidates[0], "elimination"
    raise InputNeeded("amount", say(language, *_QUESTIONS["amount"]), in_money or candidates or columns)


def _may_be(role: SalesRole, name: str, kind: Kind, values: "pd.Series") -> bool:
    match role:
        case "date":
            return kind == "date"
        case "amount":
            # Amounts that happen to count up by one look like row numbers.
            counts_up = kind == "id" and not is_text(values) and bool(_named(role, [name]))
            return kind == "number" or counts_up
        case "region" | "product":
            levels = int(values.nunique())
            # Store and department are often numbered; other numbers are measurements.
            is_code = kind == "number" and not is_text(values) and bool((values.dropna() % 1 == 0).all())
            is_named_code = is_code and levels <= 200 and bool(find_by_name([name], NAMES[role]))
            return 2 <= levels <= _MOST_LEVELS and (kind in ("category", "text", "id") or is_named_code)


def _is_grouping(kind: Kind, values: "pd.Series") -> bool:
    """Whether a column puts rows together, as remarks and order numbers do not."""
    return kind == "category" or (kind in ("text", "id") and int(values.nunique()) <= len(values) / 4)


def _named(role: SalesRole, columns: Sequence[str]) -> list[str]:
    named = find_by_name(columns, NAMES[role])
    if role != "amount":
        return named
    # `sales quantity` names sales too, but counts pieces; `sales tax` is not sold.
    other = {c for words in (QUANTITY, UNIT_PRICE, OTHER_MONEY) for c in find_by_name(columns, words)}
    return [c for c in named if c not in other or words_of(c) in NAMES["amount"]]


def _quantity_and_price(columns: Sequence[str]) -> tuple[str, str] | None:
    quantity = find_by_name(columns, QUANTITY)
    price = [c for c in find_by_name(columns, UNIT_PRICE) if c not in quantity]
    return (quantity[0], price[0]) if quantity and price else None


def amounts(frame: "pd.DataFrame", column: str | tuple[str, str]) -> "pd.Series":
    """The amount of each row, in money."""
    if isinstance(column, str):
        return to_numbers(frame[column])
    quantity, price = column
    return to_numbers(frame[quantity]) * to_numbers(frame[price])
