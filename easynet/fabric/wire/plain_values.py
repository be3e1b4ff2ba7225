"""Small values made of plain lists, dictionaries and scalars, which most arguments and results are."""

from collections.abc import Mapping
from typing import Any, Final, cast

import msgpack

from easynet.core.errors import BadData
from easynet.fabric.wire.frames import Packer
from easynet.fabric.wire.limits import MAX_DEPTH
from easynet.fabric.wire.packing import unpacked

_LEAVES: Final = frozenset({type(None), bool, int, float, str, bytes})
_SHORT: Final = 32
_SMALL: Final = frozenset({type(None), bool, int, float})
_MAX_CHARACTERS: Final = 1024

# Shared, like the one of the frames; this one refuses texts that are not Unicode.
_packer: Final = cast("Packer", msgpack.Packer())


def encode_arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any], inline_bytes: int) -> bytes | None:
    """As `encode_plain`, of the arguments of a call."""
    if not kwargs and len(args) <= _SHORT and all(map(_is_small, args)):
        try:
            return _packer.pack((args, {}))
        except (OverflowError, UnicodeEncodeError):
            return None  # as below
    return encode_plain([[*args], kwargs], inline_bytes)


def encode_plain(value: Any, inline_bytes: int) -> bytes | None:
    """The bytes of a small value made of plain lists, dictionaries and scalars; `None` for any other."""
    # Whatever the reason why it cannot be packed, `encode` knows what to do, or says what is wrong.
    try:
        if _is_small(value):
            return _packer.pack(value)
        if _is_large(value, inline_bytes, 3):
            return None
        packed = bytes(msgpack.packb(value, strict_types=True) or b"")
    except (TypeError, ValueError, OverflowError, UnicodeEncodeError):
        return None
    size = len(packed)
    # As many levels as are allowed take more bytes than a small value has.
    return packed if size <= MAX_DEPTH or (size <= inline_bytes and _is_plain(value, MAX_DEPTH)) else None


def _is_small(value: Any) -> bool:
    """Whether a value is one scalar, and a short one."""
    kind = type(value)
    return kind in _SMALL or ((kind is str or kind is bytes) and len(value) <= _MAX_CHARACTERS)


def _is_large(value: Any, limit: int, depth: int) -> bool:
    """Whether a value is too large to be worth packing on trial, as far as a short look tells."""
    kind = type(value)
    if kind is bytes or kind is str:
        return len(value) > limit
    if kind is list or kind is dict:
        if len(value) > limit:
            return True
        if depth and len(value) <= _SHORT:
            for part in value if kind is list else value.values():
                if type(part) not in _SMALL and _is_large(part, limit, depth - 1):
                    return True
    return False


def _is_plain(value: Any, depth: int) -> bool:
    """Whether a value that msgpack takes is one that `encode` takes, and not nested deeper than `depth`."""
    kind = type(value)
    if kind is list or kind is dict:
        parts = value if kind is list else value.values()
        return depth > 0 and all(type(p) in _LEAVES or _is_plain(p, depth - 1) for p in parts)
    return kind in _LEAVES


def decode_plain(data: bytes) -> tuple[bool, Any]:
    """Whether the bytes are a value without any extension, and the value; raises BadData."""
    try:
        return True, unpacked(data, strict_map_key=False, ext_hook=_refuse)
    except _Extended:
        return False, None
    except (ValueError, TypeError, RecursionError) as error:
        raise BadData(f"bytes that are not an encoded value ({type(error).__name__}: {error})") from error


class _Extended(Exception):
    """A value has an extension in it."""


def _refuse(code: int, data: bytes) -> Any:
    raise _Extended
