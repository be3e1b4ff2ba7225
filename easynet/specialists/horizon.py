"""How far ahead a forecast goes: what was asked for, in the periods of the data."""

import re
from dataclasses import dataclass
from typing import Literal

from easynet.core.errors import BadData
from easynet.core.language import Language, say
from easynet.core.numerals import NUMBER, narrow, number
from easynet.specialists.periods import PERIODICITY, Grain, count_of

Unit = Literal["day", "week", "month", "quarter", "year"]

_DAYS: dict[Unit, float] = {
    "day": 1.0,
    "week": 7.0,
    "month": 365.25 / 12,
    "quarter": 365.25 / 4,
    "year": 365.25,
}
_PERIODS = r"periods?|steps?|期"
_WORDS: dict[Unit, str] = {
    "day": r"days?|d|天|日",
    "week": r"weeks?|w|周|星期|礼拜",
    "month": r"months?|m|月|月份",
    "quarter": r"quarters?|q|季度|季",
    "year": r"years?|y|年",
}
_HORIZON = re.compile(
    r"(?:for |over |in )?(?:the )?(?P<next>next|coming|following|未来|接下来的?|今后|往后|下)?\s*"
    rf"(?P<number>-?{NUMBER})?\s*个?\s*(?P<unit>{'|'.join((*_WORDS.values(), _PERIODS))})?"
)


@dataclass(frozen=True)
class Horizon:
    """A number of periods to forecast."""

    periods: int
    asked: str
    """What was asked for, in words; empty where it was these periods."""


def read_horizon(given: str | None, length: int, grain: Grain, language: Language) -> Horizon:
    """The horizon that a text such as `3 months`, `8周` or `8` stands for; the usual one where none is given.

    Raises BadData where the text cannot be read, or reaches further ahead than the history back.
    """
    if given is None:
        return Horizon(max(1, min(PERIODICITY[grain].horizon, length // 5)), "")
    found = _HORIZON.fullmatch(narrow(str(given)).strip().lower())
    if found is None or not (found["number"] or found["unit"]):
        raise _unreadable(given, language)
    negative = (found["number"] or "").startswith("-")
    count = float(number(found["number"].lstrip("-"))) if found["number"] else 1.0
    named: list[Unit] = [u for u in _DAYS if re.fullmatch(_WORDS[u], found["unit"] or "")]
    unit: Unit = named[0] if named else grain
    periods, asked = int(count), ""
    if unit != grain or count % 1:
        periods = max(1, int(count * _DAYS[unit] / _DAYS[grain] + 0.5)) if count else 0
        asked = _in_words(count, unit, language)
    if negative or not 1 <= periods <= length:
        raise _impossible(given, length, grain, language)
    return Horizon(periods, asked)


def _in_words(count: float, unit: Unit, language: Language) -> str:
    plural = "" if count == 1 else "s"
    chinese = "年" if unit == "year" else PERIODICITY[unit].zh
    return say(language, f"{count:g} {unit}{plural}", f"{count:g} {chinese}")


def _unreadable(given: str, language: Language) -> BadData:
    return BadData(
        say(
            language,
            f"The horizon {given!r} cannot be read.",
            f"无法识别预测期 {given!r}。",
        ),
        hint=say(
            language,
            "Write it like 3 months, 8 weeks, 30 days, next quarter or 1 year; a number alone, like 8, counts"
            " the periods of the data.",
            "请写成“3个月”“8周”“30天”“下个季度”或“1年”；只写数字（如 8）表示数据的期数。",
        ),
    )


def _impossible(given: str, length: int, grain: Grain, language: Language) -> BadData:
    history = count_of(length, grain, language)
    return BadData(
        say(
            language,
            f"A forecast of {given!r} cannot be made from a history of {history}.",
            f"无法根据 {history}的历史预测 {given!r}。",
        ),
        hint=say(
            language,
            f"Ask for at least one period and at most {history}.",
            f"预测期至少为一期，最多为 {history}。",
        ),
    )
