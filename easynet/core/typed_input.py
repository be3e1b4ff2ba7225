"""Inputs as users type them, read as the types that functions declare."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from easynet.core.capability import Parameter
from easynet.core.errors import ArgumentMismatch

_YES = frozenset({"true", "yes", "y", "1", "on", "是", "真"})
_NO = frozenset({"false", "no", "n", "0", "off", "否", "假"})
_FORMS: Mapping[str, tuple[str, str, str]] = {
    "int": ("a whole number", "整数", "3"),
    "float": ("a number", "数字", "2.5"),
    "bool": ("yes or no", "是或否", "yes"),
    "list": ("a list", "列表", "[1, 2]"),
    "dict": ("an object", "对象", '{"a": 1}'),
}
"""What text may stand for, in words of both languages and by example."""


def typed_input(value: Any, parameter: Parameter, name: str) -> Any:
    """`value` as `parameter` wants it; text that stands for a number, a truth or JSON becomes that.

    Values that are not text stay as they are. Raises ArgumentMismatch that names the input.
    """
    if not isinstance(value, str):
        return value
    kind = "list" if parameter.type.many else parameter.type.name
    if kind not in _FORMS:
        kind = "dict" if parameter.type.fields else "any"
    if kind == "any":
        return value
    try:
        return _read(value.strip(), kind)
    except (ValueError, RecursionError):
        words, words_zh, example = _FORMS[kind]
        raise ArgumentMismatch(
            f"{name!r} has to be {words}, and {value[:60]!r} is not",
            hint=f"For example: {name}={example}",
            zh=f"{name!r} 应为{words_zh}，而 {value[:60]!r} 不是",
            hint_zh=f"例如：{name}={example}",
        ) from None


def _read(text: str, kind: str) -> Any:
    match kind:
        case "int":
            return int(text)
        case "float":
            number = float(text)
            if not isfinite(number):
                raise ValueError(text)
            return number
        case "bool":
            if text.lower() in _YES | _NO:
                return text.lower() in _YES
            raise ValueError(text)
        case _:
            found = json.loads(text)
            if not isinstance(found, list if kind == "list" else dict):
                raise ValueError(text)
            return found
