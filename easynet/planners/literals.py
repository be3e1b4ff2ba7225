"""Arguments that a sentence states itself: `the next 8 weeks`, `top 5`, `add 2 and 3`, quoted text."""

import re

from pydantic import JsonValue

from easynet.core.capability import Capability, Parameter
from easynet.core.numerals import narrow
from easynet.planners.words import stem

_NUMBER = r"-?\d+(?:\.\d+)?"
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|「([^」]+)」|(?<!\w)'([^']+)'(?!\w)")
_AHEAD = re.compile(r"(?:next|coming|following|未来|接下来的?|今后|往后|下)\s*(\d+)\s*个?\s*[a-z㐀-鿿]")
_AHEAD_NAMES = frozenset({"horizon", "steps", "steps_ahead", "periods"})


def literals(capability: Capability, sentence: str) -> dict[str, JsonValue]:
    """The values of plain parameters that the sentence states without doubt, by parameter."""
    text = narrow(sentence)
    found: dict[str, JsonValue] = {}
    for parameter in capability.parameters:
        value = _beside_its_name(parameter, text.lower())
        if value is not None:
            found[parameter.name] = value
    return found | _in_order(capability, text, found)


def _beside_its_name(parameter: Parameter, text: str) -> JsonValue:
    if parameter.type.many or parameter.type.name not in ("int", "float"):
        return None
    numbers: list[str] = []
    if parameter.name in _AHEAD_NAMES:
        numbers = _AHEAD.findall(text)
    if not numbers:
        name = re.escape(parameter.name.replace("_", " "))
        numbers = re.findall(rf"\b{name}\s*(?:=|:|：|of|is|为|是)?\s*({_NUMBER})(?![\d%])", text)
    if not numbers:
        words = re.findall(rf"(?<![\w.])({_NUMBER})\s+([a-z]+)", text)
        numbers = [n for n, word in words if len(parameter.name) > 2 and stem(word) == stem(parameter.name)]
    return _number(parameter, numbers[0]) if len(set(numbers)) == 1 else None


def _in_order(capability: Capability, text: str, found: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The numbers, or the quoted text, where there are exactly as many as there are arguments to fill."""
    wanted = [p for p in capability.parameters if p.required and not p.is_variadic and p.name not in found]
    if not wanted or any(p.type.many for p in wanted):
        return {}
    if all(p.type.name in ("int", "float") for p in wanted):
        numbers = re.findall(rf"(?<![\w.]){_NUMBER}(?![\w%.]*[\w%])", text)
        values = [_number(p, n) for p, n in zip(wanted, numbers, strict=False)]
        if len(numbers) == len(wanted) and None not in values:
            return {p.name: v for p, v in zip(wanted, values, strict=True)}
    elif len(wanted) == 1 and wanted[0].type.name == "str":
        quoted = [next(filter(None, groups)) for groups in _QUOTED.findall(text)]
        if len(quoted) == 1:
            return {wanted[0].name: quoted[0]}
    return {}


def _number(parameter: Parameter, text: str) -> int | float | None:
    if parameter.type.name == "float":
        return float(text)
    return int(text) if re.fullmatch(r"-?\d+", text) else None
