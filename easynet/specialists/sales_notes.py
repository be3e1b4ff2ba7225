"""Sentences on how a table of sales was understood."""

from easynet.core.language import Language, say
from easynet.specialists.sales_columns import SalesColumns
from easynet.specialists.sales_names import SalesRole
from easynet.specialists.wording import quoted

_ROLES: dict[SalesRole, tuple[str, str]] = {
    "date": ("date", "日期"),
    "region": ("region", "地区"),
    "product": ("product", "产品"),
    "amount": ("amount", "金额"),
}


def how_read(columns: SalesColumns, language: Language) -> str:
    """Which column is what."""
    parts: list[str] = []
    for role, names in _ROLES.items():
        word, column = say(language, *names), columns.found.get(role)
        if column is None:
            parts.append(say(language, f"{word}: none found", f"{word}：未找到"))
        else:
            named = repr(column) if isinstance(column, str) else " × ".join(repr(c) for c in column)
            parts.append(say(language, f"{word}: {named}", f"{word}：{named}"))
    return say(language, f"Columns used: {', '.join(parts)}.", f"所用的列：{'，'.join(parts)}。")


def amount_caution(columns: SalesColumns, language: Language) -> list[str]:
    """A sentence where no name, but the cells of a column made it the amount."""
    if columns.amount_by not in ("currency", "elimination"):
        return []
    why = (
        say(language, "its cells carry a currency sign", "其单元格带有货币符号")
        if columns.amount_by == "currency"
        else say(language, "no other column holds amounts", "没有其他数值列")
    )
    column = columns.found["amount"]
    return [
        say(
            language,
            f"The column {column!r} was taken as the amount sold because {why}."
            " If it is not, give --input amount=COLUMN.",
            f"列 {column!r} 被当作销售金额，因为{why}。如果不对，请用 --input amount=列名 指定。",
        )
    ]


def segment_caution(columns: SalesColumns, language: Language) -> list[str]:
    """A sentence where there is no region or product, or where a column could have been one."""
    roles: tuple[SalesRole, ...] = ("region", "product")
    missing: list[SalesRole] = [role for role in roles if role not in columns.found]
    if columns.unused:
        role = missing[0] if missing else "product"
        return [
            say(
                language,
                f"Not compared: {quoted(columns.unused, language)}."
                f" Give --input {role}={columns.unused[0]} to compare by it.",
                f"未作比较：{quoted(columns.unused, language)}。"
                f"如需比较，请用 --input {role}={columns.unused[0]} 指定。",
            )
        ]
    if len(missing) == 2:
        return [
            say(
                language,
                "No column tells regions or products apart, so only the total was looked at.",
                "没有能区分地区或产品的列，因此只分析了总额。",
            )
        ]
    return [
        say(language, f"There is no {en} column, so {en}s are not compared.", f"没有{zh}列，因此未比较{zh}。")
        for en, zh in (_ROLES[role] for role in missing)
    ]
