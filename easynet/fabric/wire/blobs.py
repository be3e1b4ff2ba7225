"""Values that are nothing but bytes, told from others by the few bytes that come before them."""

from dataclasses import dataclass
from typing import Final

BLOB_HEAD_BYTES: Final = 5
_BLOB: Final = b"\xc6"


@dataclass(frozen=True, slots=True)
class Blob:
    """An encoded value that is nothing but bytes, without the few that come before them."""

    content: bytes


def blob_head(size_bytes: int) -> bytes:
    """What comes before so many bytes."""
    return _BLOB + size_bytes.to_bytes(4, "big")


def blob_begins(head: bytes, size_bytes: int) -> int:
    """Where the content begins of an encoded value that is nothing but bytes; 0 for any other value.

    `head` is the first bytes of the value, five or more, and `size_bytes` says how many there are.
    """
    content_bytes = size_bytes - BLOB_HEAD_BYTES
    is_blob = head[:1] == _BLOB and int.from_bytes(head[1:BLOB_HEAD_BYTES], "big") == content_bytes
    return BLOB_HEAD_BYTES if is_blob and len(head) >= BLOB_HEAD_BYTES else 0


def pieces_of(value: bytes | Blob) -> tuple[bytes, ...]:
    """What an encoded value consists of."""
    if isinstance(value, Blob):
        return blob_head(len(value.content)), value.content
    return (value,)
