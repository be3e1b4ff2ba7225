"""The arguments of a call as they are typed."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from easynet.core.capability import Capability, Parameter
from easynet.core.errors import ArgumentMismatch, BadData, UsageError

_NAMED: Final = re.compile(r"(?P<name>[^\W\d]\w*)=(?P<value>.*)", re.DOTALL)
_KINDS: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
}


@dataclass(frozen=True)
class CallArguments:
    """Words that stand for arguments, until it is known what the function takes."""

    positional: tuple[str, ...] = ()
    named: dict[str, str] = field(default_factory=dict[str, str])

    def values_for(self, capability: Capability) -> tuple[list[Any], dict[str, Any]]:
        """The arguments themselves; raises UsageError where a file is missing or a number is none."""
        by_position = [p for p in capability.parameters if not p.is_keyword_only and not p.is_variadic]
        missing = len(self.positional) - len(by_position)
        taken = [*by_position, *[None] * max(0, missing)]
        args = [_checked(word, p) for word, p in zip(self.positional, taken, strict=False)]
        return args, {name: _checked(word, capability.parameter(name)) for name, word in self.named.items()}


def arguments_of(words: Sequence[str]) -> CallArguments:
    """The words by position and by name; raises UsageError for what no call can have."""
    positional: list[str] = []
    named: dict[str, str] = {}
    for word in words:
        match = _NAMED.fullmatch(word)
        if match is None:
            if named:
                raise UsageError(
                    f"{word!r} comes after NAME=VALUE", hint="Give the arguments without a name first."
                )
            positional.append(word)
        elif match["name"] in named:
            raise UsageError(f"{match['name']} was given twice", hint="Give each name once.")
        else:
            named[match["name"]] = match["value"]
    return CallArguments(tuple(positional), named)


def value_of(word: str, parameter: Parameter | None = None) -> Any:
    """What a word means: a file after @, JSON, or else the text itself.

    Where the parameter takes a text, `42` is one, too.
    """
    if word.startswith("@"):
        path = Path(word[1:])
        if not path.is_file():
            raise BadData(f"there is no file {word[1:]!r}", hint=f"A text that begins with @: '\"{word}\"'")
        return path
    try:
        value = json.loads(word, parse_constant=_not_json)
    except (ValueError, RecursionError):
        return word
    takes_text = parameter is not None and parameter.type.name == "str" and not parameter.type.many
    return word if takes_text and value is not None and not isinstance(value, str) else value


def _checked(word: str, parameter: Parameter | None) -> Any:
    """The value of a word; raises ArgumentMismatch where it is none of the kind that is wanted."""
    value = value_of(word, parameter)
    if parameter is None or parameter.type.many or parameter.type.name not in _KINDS or value is None:
        return value
    kinds, what = _KINDS[parameter.type.name]
    # In Python, True is a number.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise ArgumentMismatch(f"{parameter.name} takes {what}, and {word!r} is none")
    return value


def _not_json(word: str) -> Any:
    raise ValueError(word)
