"""Quantities as people write them, in English and Chinese: money, durations, shares, memory, bounds.

100 credits are one dollar. A bare number is dollars where money is due; a time or a memory size needs its
unit. What cannot be read raises `InvalidQuantity`, which names the field and shows the accepted forms.
"""

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NoReturn

from easynet.core.errors import InvalidQuantity
from easynet.core.language import Language, say
from easynet.core.numerals import NUMBER, narrow, number

if TYPE_CHECKING:
    from easynet.core.intent import Bound

Comparison = Literal["<", "<=", "=", ">=", ">"]

CREDITS_PER_DOLLAR = 100
MAX_CREDITS = 10**11
MAX_DURATION_S = 3660 * 86_400
MAX_MEMORY_BYTES = 10**15
_MAX_LENGTH = 80

_FORMS = {
    "money": ("an amount such as $5, 500 credits or 5美元", "金额，例如 5美元、$5 或 500积分"),
    "duration": (
        "a time with its unit, such as 90 s, 10 minutes, 1h30m or 10分钟",
        "带单位的时间，例如 10分钟 或 1h30m",
    ),
    "share": ("a bound such as 95%, >0.9, at least 90% or 不低于90%", "比例，例如 95%、>0.9 或 不低于90%"),
    "memory": ("a memory size such as 8GB, 8GB+ or 16 GiB", "内存大小，例如 8GB、8GB+ 或 16 GiB"),
}
_REASONS_ZH = {
    "is more than ten years": "超过十年",
    "is not above zero": "不大于零",
    "is more than a petabyte": "超过 1 PB",
    "is more than 100%": "超过 100%",
    "is too large": "太大",
    "is not a number": "不是数字",
    "is a lower limit, and this is an upper one": "是下限，而这里需要上限",
    "is less than one credit ($0.01)": "不到一个积分（0.01 美元）",
}
"""What is wrong with an amount, by the English words."""

# ── patterns, in lower case; the intent parser looks for them in sentences ──────────────────────

_DOLLARS = r"(?:us ?\$|\$|usd|us dollars?|dollars?|bucks?|美元|美金)"
_CENTS = r"(?:credits?|cents?|¢|积分|美分)"
_FOREIGN = r"(?:[€£¥]|euros?|eur|gbp|pounds?|rmb|cny|yuan|yen|jpy|日元|欧元|英镑|港币|人民币|块钱?|元)"
MONEY = (
    rf"(?:(?:us ?\$|\$|usd|[€£¥]) ?{NUMBER}(?: ?{_DOLLARS}(?![a-z]))?"
    rf"|{NUMBER} ?个?(?:{_DOLLARS}|{_CENTS}|{_FOREIGN})(?![a-z]))"
)
"""An amount with its currency; `parse_credits` refuses currencies other than dollars and credits."""

_SECONDS_PER = {
    r"(?:ms|milliseconds?|毫秒)": Decimal("0.001"),
    r"(?:minutes?|mins?|分钟|分)": Decimal(60),
    r"(?:seconds?|secs?|s|秒钟?)": Decimal(1),
    r"(?:hours?|hrs?|h|小时|钟头)": Decimal(3600),
    r"(?:days?|d|天|日)": Decimal(86_400),
    r"(?:weeks?|wks?|w|周|星期|礼拜)": Decimal(604_800),
}
_TIME_UNIT = "|".join(_SECONDS_PER)
_TERM = rf"{NUMBER}(?: and a half)? ?-?个?半? ?(?:{_TIME_UNIT})(?![a-z])半?"
DURATION = rf"(?:{_TERM}|{NUMBER}(?:h|d)(?=\d))(?:,? ?(?:and )?{_TERM}){{0,4}}(?: and a half)?"
"""A time with its units; a bare `m` is left out, because in a sentence it may be metres."""

SHARE = (
    rf"(?:{NUMBER} ?(?:%|percent|per cent)|百分之{NUMBER}|{NUMBER}成{NUMBER}?"
    r"|0?\.\d+|[01](?:\.0+)?(?![\d.%]))"
)
MEMORY = rf"{NUMBER} ?(?:[kmgt]i?b?)(?![a-z])"

_BEFORE: dict[Comparison, str] = {
    "<=": r"<=|≤|=<|(?:at most|(?:no|not) (?:more|higher|greater) than|not (?:above|over|exceeding)"
    r"|up to|within|in|max(?:imum)?(?: of)?)\b|不超过|不多于|不高于|不大于|最多|至多|上限为?",
    ">=": r">=|≥|=>|(?:at least|(?:no|not) (?:less|lower|fewer) than|not below|min(?:imum)?(?: of)?)\b"
    r"|不低于|不少于|不小于|至少|最少|达到",
    "<": r"<|(?:under|below|(?:less|fewer|lower|smaller|cheaper|faster) than)\b|低于|少于|小于|不到",
    ">": r">|(?:above|over|(?:more|greater|higher|better) than|exceeding)\b|超过|高于|大于|多于",
    "=": r"=|exactly\b|等于",
}
_AFTER: dict[Comparison, str] = {
    "<=": r"or (?:less|lower|under|below|fewer|faster)\b|at most|max(?:imum)?|及?以下|以内|之内|内",
    ">=": r"\+|or (?:more|better|higher|above)\b|at least|and up|minimum|及?以上",
}
AT_MOST = f"(?:in )?(?:{_BEFORE['<=']}|{_BEFORE['<']})"
AT_LEAST = f"(?:{_BEFORE['>=']}|{_BEFORE['>']})"
AT_MOST_AFTER = f"(?:{_AFTER['<=']})"
AT_LEAST_AFTER = f"(?:{_AFTER['>=']})"

_COMPARED = re.compile(
    "(?:in |在)?(?:"
    + "|".join(f"(?P<b{i}>{pattern})" for i, pattern in enumerate(_BEFORE.values()))
    + ")? *(?P<rest>.*?) *(?:"
    + "|".join(f"(?P<a{i}>{pattern})" for i, pattern in enumerate(_AFTER.values()))
    + ")?"
)
_MONEY = re.compile(
    rf"(?P<sign>us ?\$|\$|usd)? ?(?P<n>{NUMBER}) ?个?(?:(?P<dollars>{_DOLLARS})|(?P<credits>{_CENTS}))?"
)
_UNIT = "|".join(f"(?P<u{i}>{unit})" for i, unit in enumerate(_SECONDS_PER)) + "|(?P<m>m)"
_TERMS = re.compile(
    rf"(?:,? ?(?:and )?(?P<n>{NUMBER})(?P<half1> and a half)? ?-?个?(?P<half2>半)? ?(?:{_UNIT})(?![a-z])"
    r"(?P<half3>半| and a half)?)"
)
_SHARE = re.compile(
    rf"(?:(?P<percent>{NUMBER}) ?(?:%|percent|per cent)|百分之(?P<zh>{NUMBER})|(?P<tenths>{NUMBER})成"
    rf"(?P<hundredths>{NUMBER})?|(?P<plain>-?(?:\d+(?:\.\d+)?|\.\d+)))"
)
_MEMORY = re.compile(rf"(?P<n>{NUMBER}) ?(?P<unit>[kmgt])(?P<binary>i?)b?")


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def parse_credits(value: str | float, field: str = "budget") -> int:
    """The most that may be spent, in whole credits, rounded down. A bare number is dollars."""
    text = _text(value, field, "money")
    rest = _upper_limit(text, field, "money", value)
    match = _MONEY.fullmatch(rest)
    if not match or (match["credits"] and match["sign"]):
        _refuse(field, value, "money")
    amount = number(match["n"]) * (1 if match["credits"] else CREDITS_PER_DOLLAR)
    if amount > MAX_CREDITS:
        _refuse(field, value, "money", f"is more than {format_credits(MAX_CREDITS)}")
    if amount < 1:
        _refuse(field, value, "money", "is less than one credit ($0.01)")
    return int(amount)


def parse_duration(value: str | float, field: str = "deadline") -> float:
    """The most time that may pass, in seconds."""
    text = _text(value, field, "duration")
    rest = _upper_limit(text, field, "duration", value)
    total, at = Decimal(0), 0
    while at < len(rest) and (match := _TERMS.match(rest, at)):
        factor = next((s for i, s in enumerate(_SECONDS_PER.values()) if match[f"u{i}"]), Decimal(60))
        halves = sum(1 for name in ("half1", "half2", "half3") if match[name])
        total += (number(match["n"]) + Decimal("0.5") * halves) * factor
        at = match.end()
    if at < len(rest) or not rest:
        _refuse(field, value, "duration")
    if total > MAX_DURATION_S:
        _refuse(field, value, "duration", "is more than ten years")
    if total <= 0:
        _refuse(field, value, "duration", "is not above zero")
    return float(total)


def parse_memory(value: str | float, field: str = "memory") -> "Bound":
    """A bound on bytes; a bare size means at least that much. GB is 10**9 bytes, GiB is 2**30."""
    comparison, rest = _compared(_text(value, field, "memory"))
    match = _MEMORY.fullmatch(rest)
    if not match:
        _refuse(field, value, "memory")
    size = number(match["n"]) * (1024 if match["binary"] else 1000) ** ("kmgt".index(match["unit"]) + 1)
    if not 0 < size <= MAX_MEMORY_BYTES:
        _refuse(field, value, "memory", "is not above zero" if size <= 0 else "is more than a petabyte")
    return _bound(comparison or ">=", float(size))


def parse_share(value: str | float, field: str = "share", *, bare: Comparison = ">=") -> "Bound":
    """A bound on a share between 0 and 1; `bare` is the comparison where none is written.

    A number above 1 without a per cent sign is read as per cent: nobody asks for 95 times.
    """
    bound = parse_bound(value, field, bare=bare)
    share = bound.value / 100 if bound.value > 1 and not _is_percent(value) else bound.value
    if not 0 < share <= 1:
        _refuse(field, value, "share", "is not above zero" if share <= 0 else "is more than 100%")
    return _bound(bound.comparison, share)


def parse_bound(value: str | float, field: str, *, bare: Comparison = ">=") -> "Bound":
    """A bound on any measured number; per cent become shares of one."""
    comparison, rest = _compared(_text(value, field, "share"))
    match = _SHARE.fullmatch(rest)
    if not match:
        _refuse(field, value, "share")
    if match["plain"]:
        share = Decimal(match["plain"])
    elif match["tenths"]:
        share = number(match["tenths"]) / 10 + number(match["hundredths"] or "0") / 100
    else:
        share = number(match["percent"] or match["zh"]) / 100
    if abs(share) > 10**12:
        _refuse(field, value, "share", "is too large")
    return _bound(comparison or bare, float(share))


def _is_percent(value: str | float) -> bool:
    return isinstance(value, str) and bool(re.search(r"[%％成]|per ?cent|百分之", value.lower()))


def _bound(comparison: Comparison, value: float) -> "Bound":
    # Imported here, because the command line reads quantities before it can afford pydantic.
    from easynet.core.intent import Bound

    return Bound(comparison=comparison, value=value)


def _text(value: str | float, field: str, kind: str) -> str:
    """The value as lower-case text with single spaces and plain signs."""
    if isinstance(value, str) and len(value) <= _MAX_LENGTH:
        return " ".join(narrow(value).lower().split())
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value == 0 or (0 < value < 1e15 and math.isfinite(value)):
            return f"{Decimal(str(value)):f}"
        reason = "is not a number" if value != value else "is not above zero" if value < 0 else "is too large"
        _refuse(field, value, kind, reason)
    _refuse(field, value, kind)


def _compared(text: str) -> tuple[Comparison | None, str]:
    """The comparison that the words state, if any, and what is compared with."""
    match = _COMPARED.fullmatch(text)
    if not match:
        return None, text
    for prefix, patterns in (("b", _BEFORE), ("a", _AFTER)):
        for i, comparison in enumerate(patterns):
            if match[f"{prefix}{i}"]:
                return comparison, str(match["rest"])
    return None, str(match["rest"])


def _upper_limit(text: str, field: str, kind: str, value: str | float) -> str:
    comparison, rest = _compared(text)
    if comparison in (">", ">="):
        _refuse(field, value, kind, "is a lower limit, and this is an upper one")
    return rest


def _refuse(field: str, value: object, kind: str, reason: str = "") -> NoReturn:
    shown = repr(value) if not isinstance(value, int) or abs(value) < 1e15 else "a number that large"
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    what = f"{shown} {reason}" if reason else f"cannot read {shown}"
    what_zh = f"{shown} {_REASONS_ZH.get(reason, '超出范围')}" if reason else f"无法理解 {shown}"
    en, zh = _FORMS[kind]
    raise InvalidQuantity(f"{field}: {what}; write {en}", zh=f"{field}：{what_zh}；请写{zh}")


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


def format_credits(amount: int, language: Language = "en") -> str:
    """`27 credits ($0.27)`."""
    sign, dollars = "-" if amount < 0 else "", f"{abs(amount) / CREDITS_PER_DOLLAR:,.2f}"
    unit = "credit" if abs(amount) == 1 else "credits"
    return say(language, f"{amount:,} {unit} ({sign}${dollars})", f"{amount:,} 积分（{sign}{dollars} 美元）")


_UNITS = ((86_400, "d", "天"), (3600, "h", "小时"), (60, "min", "分钟"), (1, "s", "秒"))


def format_duration(seconds: float, language: Language = "en") -> str:
    """`0.3 s`, `45 s`, `1 h 30 min`: the two largest units."""
    if not math.isfinite(seconds):
        return say(language, "unlimited", "不限")
    if abs(seconds) < 10:
        return f"{seconds:.2g} {say(language, 's', '秒')}"
    whole = round(seconds) if seconds < 3600 else round(seconds / 60) * 60
    parts: list[str] = []
    for size, en, zh in _UNITS:
        count, rest = divmod(whole, size)
        if count and len(parts) < 2:
            parts.append(f"{count} {say(language, en, zh)}")
            whole = rest
        elif parts:
            break
    return " ".join(parts)


def format_share(share: float) -> str:
    """`95.3%`."""
    return f"{share * 100:.4g}%"


def format_memory(size_bytes: float) -> str:
    """`8 GB`."""
    for exponent, unit in ((4, "TB"), (3, "GB"), (2, "MB")):
        if size_bytes >= 1000**exponent:
            return f"{size_bytes / 1000**exponent:.4g} {unit}"
    return f"{size_bytes / 1000:.4g} KB"
