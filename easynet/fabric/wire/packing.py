"""Plain values as msgpack."""

import gc
from collections.abc import Callable
from typing import Any, Final, Literal

import msgpack

from easynet.core.errors import BadData, EasyNetError

_MANY_BYTES: Final = 16 * 1024


def pack(value: Any, *, unicode_errors: Literal["strict", "replace"] = "strict") -> bytes:
    """A value made of msgpack's own types as bytes; raises ValueError or OverflowError for any other."""
    return bytes(msgpack.packb(value, unicode_errors=unicode_errors) or b"")


def unpacked(data: bytes, **options: Any) -> Any:
    """As `msgpack.unpackb`, without the garbage collector looking again and again at all that was made."""
    # Measured: a list of a million empty lists takes 0.05 s so, and otherwise 0.3 s.
    if len(data) <= _MANY_BYTES or not gc.isenabled():
        return msgpack.unpackb(data, **options)
    gc.disable()
    try:
        return msgpack.unpackb(data, **options)
    finally:
        gc.enable()


def unpack(data: bytes, extension: Callable[[int, bytes], Any]) -> Any:
    """The value that the bytes are, with what `extension` makes of those that msgpack does not know itself.

    Raises BadData.
    """
    try:
        return unpacked(data, strict_map_key=False, ext_hook=extension)
    except EasyNetError:
        raise
    # A stranger's bytes break numpy and pandas in many ways, and they all mean the same.
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise BadData(f"bytes that are not an encoded value ({type(error).__name__}: {error})") from error
