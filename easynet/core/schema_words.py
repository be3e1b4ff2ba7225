"""The limits of a schema in words."""

from typing import Final

from easynet.core.language import Language, say
from easynet.core.schema import Number, Schema

_UNITS: Final = {
    "str": ("character", "个字符"),
    "bytes": ("byte", "字节"),
    "dict": ("entry", "个条目"),
    "table": ("row", "行"),
}
_ITEMS: Final = ("item", "项")


def range_words(schema: Schema, language: Language) -> str:
    """Which numbers will do: "from 0 to 1", "of at least 0", "above 0 and below 10"; "" where all will."""
    low, high = _first(schema.ge, schema.gt), _first(schema.le, schema.lt)
    if low is not None and high is not None and schema.gt is None and schema.lt is None:
        return say(language, f"from {low:.6g} to {high:.6g}", f"{low:.6g} 到 {high:.6g} 之间")
    told = [
        say(language, en, zh).format(limit)
        for limit, en, zh in (
            (schema.ge, "of at least {:.6g}", "不小于 {:.6g}"),
            (schema.gt, "above {:.6g}", "大于 {:.6g}"),
            (schema.le, "of at most {:.6g}", "不大于 {:.6g}"),
            (schema.lt, "below {:.6g}", "小于 {:.6g}"),
        )
        if limit is not None
    ]
    return say(language, " and ", "且").join(told)


def length_words(schema: Schema, language: Language, kind: str = "") -> str:
    """How many there may be: "at least 1 row", "2 to 5 items"; "" where any number may."""
    kind = kind or schema.kind
    least, most = schema.min_len, schema.max_len
    if most is None:
        told = counted(least, kind, language)
        return say(language, f"at least {told}", f"至少 {told}") if least else ""
    if least == most:
        return counted(most, kind, language)
    told = counted(most, kind, language)
    if not least:
        return say(language, f"at most {told}", f"最多 {told}")
    return say(language, f"{least} to {told}", f"{least} 到 {told}")


def counted(count: int, kind: str, language: Language) -> str:
    """A number with its unit: "3 rows", "1 item"."""
    unit, unit_zh = _UNITS.get(kind, _ITEMS)
    plural = unit if count == 1 else f"{unit[:-1]}ies" if unit.endswith("y") else f"{unit}s"
    return say(language, f"{count} {plural}", f"{count} {unit_zh}")


def _first(*limits: Number | None) -> Number | None:
    return next((limit for limit in limits if limit is not None), None)
