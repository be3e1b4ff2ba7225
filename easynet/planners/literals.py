"""Arguments that a sentence states itself: `the next 8 weeks`, `top 5`, `add 2 and 3`, quoted text."""

import re
from decimal import Decimal

from pydantic import JsonValue

from easynet.core.capability import Capability, Parameter
from easynet.core.numerals import narrow
from easynet.planners.files import without_files
from easynet.planners.horizon import horizon, in_words
from easynet.planners.words import stem

_NUMBER = r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_FREE_NUMBER = re.compile(
    rf"(?<![a-z0-9_.,:/-])({_NUMBER})(?![\d%]|[.,:/-]\d|-[a-z]| ?(?:st|nd|rd|th|percent|per cent)\b)"
)
"""An amount: no part of a date, a range, a version or a name. Chinese may stand beside it."""
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|「([^」]+)」|(?<!\w)'([^']+)'(?!\w)")
_STEPS_AHEAD = re.compile(
    r"(?:next|coming|following|未来|接下来的?|今后|往后|下)\s*(\d+)\s*个?\s*(?:steps?|periods?|values?|points?|期|步)"
)
_AHEAD = frozenset({"horizon", "steps", "periods", "ahead"})


def literals(capability: Capability, sentence: str) -> dict[str, JsonValue]:
    """The values of plain parameters that the sentence states without doubt, by parameter."""
    text = narrow(without_files(sentence))
    found: dict[str, JsonValue] = {}
    for parameter in capability.parameters:
        value = _ahead(parameter, text) if _looks_ahead(parameter) else None
        if value is None and not _unknown_unit(parameter, text):
            value = _beside_its_name(parameter, text.lower())
        if value is None:
            value = _only_choice(parameter, text.lower())
        if value is not None:
            found[parameter.name] = value
    return found | _numbers(capability, text.lower(), found) | _quoted(capability, narrow(sentence), found)


def unread_horizons(capability: Capability, sentence: str) -> dict[str, str]:
    """The times ahead that the sentence states in a unit which the parameter does not know, by parameter."""
    text = narrow(without_files(sentence))
    return {p.name: span for p in capability.parameters if (span := _unknown_unit(p, text))}


def _only_choice(parameter: Parameter, text: str) -> str | None:
    """The one choice of a parameter that the sentence holds; the longer of two that overlap."""
    held = [c for c in parameter.choices if re.search(rf"(?<![a-z0-9]){re.escape(c)}(?![a-z0-9])", text)]
    longest = [c for c in held if not any(c != other and c in other for other in held)]
    return longest[0] if len(longest) == 1 else None


# ── how far ahead ───────────────────────────────────────────────────────────────────────────────


def _looks_ahead(parameter: Parameter) -> bool:
    return not parameter.type.many and bool(_AHEAD & {*parameter.name.split("_")})


def _ahead(parameter: Parameter, text: str) -> JsonValue:
    span = horizon(text)
    if parameter.type.name == "str":
        return in_words(*span) if span else _one(_named_numbers(parameter, text.lower()))
    if span is None:
        steps = _one(_STEPS_AHEAD.findall(text.lower()))
        return _number(parameter, steps) if steps else None
    return _number(parameter, f"{span[0]:f}") if _names_unit(parameter, span[1]) else None


def _unknown_unit(parameter: Parameter, text: str) -> str:
    """The time ahead that the text states and a parameter cannot take, because it is a bare number."""
    if not _looks_ahead(parameter) or parameter.type.name not in ("int", "float"):
        return ""
    span = horizon(text)
    return in_words(*span) if span and not _names_unit(parameter, span[1]) else ""


def _names_unit(parameter: Parameter, unit: str) -> bool:
    return stem(unit) in {stem(part) for part in parameter.name.split("_")}


# ── numbers and quoted text ─────────────────────────────────────────────────────────────────────


def _beside_its_name(parameter: Parameter, text: str) -> JsonValue:
    if parameter.type.many or parameter.type.name not in ("int", "float"):
        return None
    numbers = _named_numbers(parameter, text)
    if not numbers:
        words = re.findall(rf"(?<![\w.])({_NUMBER})\s+([a-z]+)", text)
        numbers = [n for n, word in words if len(parameter.name) > 2 and stem(word) == stem(parameter.name)]
    one = _one(numbers)
    return _number(parameter, one) if one else None


def _named_numbers(parameter: Parameter, text: str) -> list[str]:
    name = re.escape(parameter.name.replace("_", " "))
    return re.findall(rf"\b{name}\s*(?:=|:|：|of|is|为|是)?\s*({_NUMBER})(?![\d%])", text)


def _one(texts: list[str]) -> str | None:
    return texts[0] if len({*texts}) == 1 else None


def _numbers(capability: Capability, text: str, found: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The numbers, in order, where there are exactly as many as there are numeric parameters to fill.

    All of them are tried first, then those that have no default.
    """
    open_ = [p for p in capability.parameters if not p.is_variadic and p.name not in found]
    required = [p for p in open_ if p.required]
    numeric = [p for p in open_ if p.type.name in ("int", "float") and not p.type.many]
    if not required or any(p not in numeric for p in required):
        return {}
    numbers = _FREE_NUMBER.findall(text)
    for wanted in (numeric, required):
        values = [_number(p, n) for p, n in zip(wanted, numbers, strict=False)]
        if len(numbers) == len(wanted) and None not in values:
            return {p.name: v for p, v in zip(wanted, values, strict=True)}
    return {}


def _quoted(capability: Capability, text: str, found: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The quoted text, where there is one and one argument to fill."""
    wanted = [p for p in capability.parameters if p.required and not p.is_variadic and p.name not in found]
    if len(wanted) != 1 or wanted[0].type.name != "str" or wanted[0].type.many:
        return {}
    quoted = [next(filter(None, groups)) for groups in _QUOTED.findall(text)]
    return {wanted[0].name: quoted[0]} if len(quoted) == 1 else {}


def _number(parameter: Parameter, text: str) -> int | float | None:
    value = Decimal(text.replace(",", ""))
    if parameter.type.name == "float":
        return float(value)
    return int(value) if value == value.to_integral_value() and "." not in text else None
