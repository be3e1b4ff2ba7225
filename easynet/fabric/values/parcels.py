"""What one side of a call answers when the other wants a large value: parts of it, mostly."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from easynet.core.errors import BadFrame
from easynet.fabric.values.drafts import PART_BYTES

_HEAD: Final = struct.Struct(">B32sQ")


class Kind(IntEnum):
    """What is said about a value that was wanted."""

    PART = 0
    """Here is a part of it."""
    IN_STORE = 1
    """It is in the store, which is that of the side that asked as well."""
    ELSEWHERE = 2
    """This side does not have it; the gateway may."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """An answer to a side that wants a value."""

    kind: Kind
    digest: str
    offset: int = 0
    data: bytes | memoryview = b""


def encode_parcel(parcel: Parcel) -> tuple[bytes, bytes | memoryview]:
    """The message that brings a parcel, in two pieces, so that the data is not copied."""
    return _HEAD.pack(parcel.kind, bytes.fromhex(parcel.digest), parcel.offset), parcel.data


def decode_parcel(message: bytes | memoryview) -> Parcel:
    """Read a parcel; raises BadFrame. The data is not copied."""
    if not _HEAD.size <= len(message) <= _HEAD.size + PART_BYTES or message[0] > max(Kind):
        raise BadFrame("an answer about a value that cannot be read")
    kind, digest, offset = _HEAD.unpack_from(message)
    return Parcel(Kind(kind), digest.hex(), offset, memoryview(message)[_HEAD.size :])
