"""How far ahead a request looks: `the next 3 months`, `next quarter`, 未来三个月, 下个季度."""

import re
from decimal import Decimal

from easynet.core.numerals import NUMBER, narrow, number

_UNITS = {
    "minute": r"minutes?|分钟",
    "hour": r"hours?|小时|钟头",
    "day": r"days?|天|日",
    "week": r"weeks?|周|星期|礼拜",
    "month": r"months?|月",
    "quarter": r"quarters?|季度?",
    "year": r"years?|年",
}
_UNIT = "|".join(f"(?P<{unit}>{words})" for unit, words in _UNITS.items())
_SPAN = re.compile(
    rf"(?:(?<![\d.,a-z-])(?P<n>{NUMBER})(?P<half1> and a half)?[ -]*)?个?(?P<half2>半)?(?<![a-z])"
    rf"(?:{_UNIT})(?![a-z])(?P<half3>半(?!年)| and a half)?"
)
_BEFORE = re.compile(
    r"(?:\b(?:next|coming|following|upcoming|forecast\w*|predict\w*|project(?:ing|ions?)?|horizon|for|in|within"
    r"|over|during)(?: ?[:=]| is| of)?(?: the)?(?: next| coming| following| upcoming)?"
    r"|(?:未来|接下来|接下去|今后|往后|之后|以后|下|后|预测|预报|预计|预估)[的出]?)\s*$"
)
_AFTER = re.compile(
    r"[ -]*(?:ahead|out\b|forward|from now|in advance|into the future|forecasts?|predictions?|projections?"
    r"|outlook|horizon|之?后|以后|的?(?:预测|展望))"
)
_SURELY_BEFORE = re.compile(r"(?:未来|接下来|接下去|今后|往后|下)的?\s*$")
_NAMES_A_DATE = re.compile(r"[^个半a-z]*(?:月|季度?|日)|\d{4}年")
"""三月 is March, 三季度 the third quarter, and 2025年 a year: times to come only where other words say so."""
_JUST_BEFORE = re.compile(r"(?:\b(?:next|coming|following|upcoming)(?: full| whole| calendar)? |下|明|来)$")


def horizon(sentence: str) -> tuple[Decimal, str] | None:
    """The number and the unit, such as 3 and "month"; `None` where none or more than one is stated."""
    text = narrow(sentence).lower()
    found = {_amount(match) for match in _SPAN.finditer(text) if _is_ahead(match)}
    return found.pop() if len(found) == 1 else None


def in_words(amount: Decimal, unit: str) -> str:
    """`3 months`."""
    return f"{amount.normalize():f} {unit}{'' if amount == 1 else 's'}"


def _is_ahead(match: re.Match[str]) -> bool:
    before = match.string[: match.start()]
    if match["n"] and _NAMES_A_DATE.fullmatch(match[0]):
        return bool(_SURELY_BEFORE.search(before))
    if match["n"]:
        return bool(_BEFORE.search(before) or _AFTER.match(match.string, match.end()))
    # "The next months" says no number, and "by month" looks nowhere.
    return not match[0].endswith("s") and bool(_JUST_BEFORE.search(before))


def _amount(match: re.Match[str]) -> tuple[Decimal, str]:
    unit = next(unit for unit in _UNITS if match[unit])
    halves = sum(1 for name in ("half1", "half2", "half3") if match[name])
    whole = number(match["n"]) if match["n"] else Decimal(0 if match["half2"] else 1)
    amount = whole + Decimal("0.5") * halves
    if unit == "year" and amount % 1:
        amount, unit = amount * 12, "month"
    return amount.normalize(), unit
