"""Data that JSON can hold as it is: what events, recordings and reports carry of results."""

import json
from typing import Any

from pydantic import JsonValue, TypeAdapter

_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


def plain(value: Any, limit: int) -> JsonValue:
    """`value` where it is plain data, without files, of at most `limit` characters; otherwise `None`."""
    try:
        text = json.dumps(value, allow_nan=False)
        return _JSON.validate_python(value) if len(text) <= limit else None
    except (TypeError, ValueError, RecursionError):
        return None
