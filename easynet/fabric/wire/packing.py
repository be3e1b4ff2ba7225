"""Plain values as msgpack."""

from typing import Any, Literal

import msgpack


def pack(value: Any, *, unicode_errors: Literal["strict", "replace"] = "strict") -> bytes:
    """A value made of msgpack's own types as bytes; raises ValueError or OverflowError for any other."""
    return bytes(msgpack.packb(value, unicode_errors=unicode_errors) or b"")
