"""What comes back from a call: as JSON for programs, and for people."""

import base64
import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from easynet.agents.wording import one_line, printable
from easynet.core.artifact import Artifact

_STEPS: Final = 3
"""Of a traceback, its last steps are shown."""
_STEP: Final = re.compile(
    r'  File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<name>\S+)\n(?:    (?P<code>.*))?'
)


def to_json(value: Any, saved: Mapping[Artifact, str]) -> str:
    """A value in one line; files are the names under which they were saved."""
    return json.dumps(_plain(value, saved), ensure_ascii=False, allow_nan=False)


def for_people(value: Any, saved: Mapping[Artifact, str], *, is_item: bool) -> str:
    """A value for a terminal: a text as it is, anything else as JSON."""
    if isinstance(value, str):
        return printable(value)
    plain = _plain(value, saved)
    short = json.dumps(plain, ensure_ascii=False, allow_nan=False)
    is_flat = is_item or len(short) <= 76
    return printable(short if is_flat else json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=2))


def short_traceback(text: str) -> list[str]:
    """The last steps on the way to a function's failure, a line each."""
    steps = [
        one_line(f"{m['file'].rpartition('/')[2]}, line {m['line']}, in {m['name']}: {m['code'] or ''}")
        for m in _STEP.finditer(text)
    ]
    return [f"  {step}" for step in steps[-_STEPS:]]


def _plain(value: Any, saved: Mapping[Artifact, str]) -> Any:
    """The value made of what JSON has."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Artifact():
            return saved[value]
        case Mapping():
            return {str(key): _plain(item, saved) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item, saved) for item in value]
        case bytes():
            return base64.b64encode(value).decode()
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case _:
            return _plain(_of_library(value), saved)


def _of_library(value: Any) -> Any:
    """A table as its rows, an array as its list."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return value.to_dict(orient="records")
    return value.tolist() if hasattr(value, "tolist") else str(value)
