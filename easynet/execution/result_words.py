"""What was promised and what came, in words."""

from typing import Final

from easynet.core.language import Language, say
from easynet.core.schema import Schema
from easynet.core.schema_words import counted, length_words, range_words
from easynet.execution.result_flaw import Flaw
from easynet.execution.result_kind import kind_of, length_of, number_of

_NOUNS: Final = {
    "none": ("nothing", "空值"),
    "bool": ("true or false", "真或假"),
    "int": ("a whole number", "整数"),
    "float": ("a number", "数字"),
    "str": ("a text", "文本"),
    "bytes": ("bytes", "字节"),
    "list": ("a list", "列表"),
    "dict": ("a record", "记录"),
    "File": ("a file", "文件"),
    "table": ("a table", "表格"),
    "column": ("a column", "一列数据"),
    "array": ("an array", "数组"),
    "date": ("a date", "日期"),
    "datetime": ("a moment", "时刻"),
    "time": ("a time of day", "时间"),
    "timedelta": ("a duration", "时长"),
    "reference": ("a large value", "大型值"),
}
_MAX_CHOICES_TOLD: Final = 6
_MAX_CHARACTERS: Final = 80
"""Of a name or a choice: it is a node that says them."""


def told(name: str, flaw: Flaw, language: Language) -> str:
    """What the function `name` promised and what it gave, in a sentence."""
    place = _shortened(flaw.place)
    if flaw.why == "missing":
        return say(
            language,
            f"{name!r} promised {place} and left it out",
            f"{name!r} 承诺给出 {place}，而结果中没有",
        )
    promised, given = _promised(flaw, language), _given(flaw, language)
    return say(
        language,
        f"{name!r} promised {promised}{f' as {place}' if flaw.place else ''} and gave {given}",
        f"{name!r} 承诺{f' {place} 为' if flaw.place else '给出'}{_apart(promised)}，"
        f"而实际给出{_apart(given)}",
    )


def _apart(words: str) -> str:
    """Chinese has a space before what is not Chinese."""
    return f" {words}" if words[:1].isascii() else words


def _promised(flaw: Flaw, language: Language) -> str:
    """What should be at the place of a flaw: "a number from 0 to 1"."""
    schema = flaw.schema
    if schema.choices:
        return _choices(schema, language)
    if flaw.why == "length":
        return length_words(schema, language, kind_of(flaw.value))
    if flaw.why == "parts":
        return counted(len(schema.parts), "list", language)
    noun, limits = _noun(schema.kind, language), range_words(schema, language)
    if not limits:
        return noun
    noun = noun if schema.kind == "int" else _noun("float", language)
    return say(language, f"{noun} {limits}", f"{limits}{' ' * limits[-1].isascii()}的{noun}")


def _given(flaw: Flaw, language: Language) -> str:
    """What came instead. Numbers are told; texts may be anybody's data and are not."""
    kind = kind_of(flaw.value)
    if kind in ("int", "float", "bool"):
        number = number_of(flaw.value)
        return f"{number:.6g}" if isinstance(number, float) else _written(number)
    if flaw.why in ("length", "parts"):
        return counted(length_of(flaw.value) or 0, kind, language)
    return _noun(kind, language)


def _shortened(said: object) -> str:
    whole = repr(said)
    return whole if len(whole) <= _MAX_CHARACTERS else f"{whole[: _MAX_CHARACTERS - 3]}..."


def _written(number: int) -> str:
    # Python refuses to write out what is very large.
    return (
        str(number) if number.bit_length() <= 64 else f"{'-' if number < 0 else ''}2**{number.bit_length()}"
    )


def _noun(kind: str, language: Language) -> str:
    return say(language, *_NOUNS.get(kind, ("another value", "其他值")))


def _choices(schema: Schema, language: Language) -> str:
    shown = [_shortened(choice) for choice in schema.choices[:_MAX_CHOICES_TOLD]]
    if len(schema.choices) > len(shown):
        shown.append("...")
    return say(language, " or ", " 或 ").join(shown)
