"""Which columns of a table are date, region, product and amount."""

from collections.abc import Mapping
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

if TYPE_CHECKING:
    import pandas as pd

SalesRole = Literal["date", "region", "product", "amount"]

_NAMES: dict[SalesRole, tuple[str, ...]] = {
    "date": (
        "date", "order date", "sale date", "sales date", "invoice date", "transaction date", "week",
        "month", "day", "period", "quarter", "timestamp", "datetime", "time", "ds", "日期", "订单日期",
        "销售日期", "下单时间", "交易日期", "月份", "时间", "年月", "周",
    ),
    "region": (
        "region", "sales region", "area", "territory", "market", "state", "province", "country", "city",
        "district", "zone", "location", "store", "branch", "shop", "地区", "区域", "大区", "省份", "省",
        "城市", "市场", "国家", "门店", "店铺", "分店",
    ),
    "product": (
        "product", "product name", "item", "sku", "article", "category", "product category", "sub category",
        "department", "dept", "product line", "model", "brand", "service", "产品", "商品", "产品名称",
        "商品名称", "品名", "品类", "类别", "型号", "品牌", "货号",
    ),
    "amount": (
        "amount", "sales", "revenue", "sales amount", "total sales", "weekly sales", "turnover", "net sales",
        "gross sales", "total amount", "total", "total price", "line total", "income", "value", "gmv",
        "takings", "销售额", "金额", "营业额", "营收", "收入", "成交额", "销售金额", "总价", "总额", "实收",
        "销售", "流水",
    ),
}  # fmt: skip
_QUANTITY = ("quantity", "qty", "units", "units sold", "pieces", "数量", "件数", "销量")
_UNIT_PRICE = ("unit price", "price", "price each", "单价", "价格", "售价")
_MOST_LEVELS = 2_000

_QUESTIONS: dict[SalesRole, tuple[str, str]] = {
    "date": ("Which column holds the date of a sale?", "哪一列是销售日期？"),
    "region": ("Which column holds the region?", "哪一列是地区？"),
    "product": ("Which column holds the product?", "哪一列是产品？"),
    "amount": ("Which column holds the amount sold, in money?", "哪一列是销售金额？"),
}


def find_sales_columns(
    frame: "pd.DataFrame", given: Mapping[SalesRole, str | None], language: Language
) -> dict[SalesRole, str | tuple[str, str]]:
    """The columns that play each role: as given, by name, or because only one can.

    An amount may be a pair: quantity and unit price. Region or product may be absent. Raises BadData for a
    given name that does not exist, InputNeeded where it is unclear.
    """
    columns = [str(c) for c in frame.columns]
    kinds: dict[str, Kind] = {c: column_kind(c, frame[c]) for c in columns}
    found: dict[SalesRole, str | tuple[str, str]] = {
        role: given_column(name, columns, role, language) for role, name in given.items() if name is not None
    }

    def free(role: SalesRole) -> list[str]:
        taken = set(found.values())
        return [c for c in columns if c not in taken and _may_be(role, c, kinds[c], frame[c])]

    needed: tuple[SalesRole, ...] = ("date", "amount")
    optional: tuple[SalesRole, ...] = ("region", "product")
    for role in needed:
        if role in found:
            continue
        candidates = free(role)
        named = _named(role, candidates)
        if named:
            found[role] = named[0]
        elif role == "amount" and (pair := _quantity_and_price(candidates)):
            found[role] = pair
        elif len(candidates) == 1:
            found[role] = candidates[0]
        else:
            raise InputNeeded(role, say(language, *_QUESTIONS[role]), candidates or columns)
    for role in optional:
        if role not in found and (named := _named(role, free(role))):
            found[role] = named[0]
    if "region" not in found and "product" not in found and (choices := free("product")):
        raise InputNeeded("product", say(language, *_QUESTIONS["product"]), choices)
    return found


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
            is_named_code = is_code and levels <= 200 and bool(find_by_name([name], _NAMES[role]))
            return 2 <= levels <= _MOST_LEVELS and (kind in ("category", "text", "id") or is_named_code)


def _named(role: SalesRole, columns: list[str]) -> list[str]:
    named = find_by_name(columns, _NAMES[role])
    if role != "amount":
        return named
    # `sales quantity` names sales too, but counts pieces.
    other = {*find_by_name(columns, _QUANTITY), *find_by_name(columns, _UNIT_PRICE)}
    return [c for c in named if c not in other or words_of(c) in _NAMES["amount"]]


def _quantity_and_price(columns: list[str]) -> tuple[str, str] | None:
    quantity = find_by_name(columns, _QUANTITY)
    price = [c for c in find_by_name(columns, _UNIT_PRICE) if c not in quantity]
    return (quantity[0], price[0]) if quantity and price else None


def amounts(frame: "pd.DataFrame", column: str | tuple[str, str]) -> "pd.Series":
    """The amount of each row, in money."""
    if isinstance(column, str):
        return to_numbers(frame[column])
    quantity, price = column
    return to_numbers(frame[quantity]) * to_numbers(frame[price])
