"""Numbers as people write them: digits, English words, Chinese numerals."""

import re
from decimal import Decimal

_WORDS = {
    "half": "0.5",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
    "twelve": "12",
    "fifteen": "15",
    "twenty": "20",
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "ninety": "90",
    "hundred": "100",
}
_DIGITS = {"零": 0, "〇": 0, "两": 2} | {digit: i for i, digit in enumerate("一二三四五六七八九", 1)}
_TENS = {"十": 10, "百": 100, "千": 1000}
_HAN = "".join(_DIGITS) + "".join(_TENS) + "万"

NUMBER = (
    r"(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+"
    rf"|半|[{_HAN}]+(?:点[{_HAN}]+)?"
    rf"|(?:half an?|an?|(?:a )?(?:{'|'.join(_WORDS)}))\b)"
)
"""A regular expression, in lower case, for everything that `number` reads."""

_NUMBER = re.compile(NUMBER)
_WIDE = {0xFF01 + i: 0x21 + i for i in range(0x5E) if chr(0x21 + i) not in "!(),:;?"} | {ord("￥"): "¥"}


def narrow(text: str) -> str:
    """The text with full-width letters, digits and signs in their usual width; its length is unchanged.

    Punctuation between clauses stays as it is written.
    """
    return text.translate(_WIDE)


def number(text: str) -> Decimal:
    """The value of what `NUMBER` matches; raises ValueError for anything else."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"not a number: {text[:40]!r}")
    if text[0] in _HAN or text[0] == "半":
        return _chinese(text)
    if text[0].isalpha():
        words = text.split()
        known = [_WORDS[word] for word in words if word in _WORDS]
        return Decimal(known[0] if known else "1")
    return Decimal(text.replace(",", ""))


def _chinese(text: str) -> Decimal:
    if text == "半":
        return Decimal("0.5")
    whole, _, fraction = text.partition("点")
    if not any(c in _TENS or c == "万" for c in whole):
        value = Decimal("".join(str(_DIGITS[c]) for c in whole))
    else:
        value = Decimal(_with_units(whole))
    digits = "".join(str(_DIGITS[c]) for c in fraction if c in _DIGITS)
    return value + Decimal(f"0.{digits or 0}")


def _with_units(text: str) -> int:
    total = section = digit = 0
    for c in text:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c == "万":
            total, section, digit = (total + section + digit) * 10_000, 0, 0
        else:
            section, digit = section + (digit or 1) * _TENS[c], 0
    return total + section + digit
