"""What the two sides of a call say of its large values, which travel apart from it."""

import re
from dataclasses import dataclass
from typing import Any, Final

from easynet.core.errors import BadFrame
from easynet.fabric.wire.frames import fields_of, frame_of, is_count, is_token

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MAX_PARTS_WANTED: Final = 64


@dataclass(frozen=True, slots=True)
class Want:
    """The node, or the client, wants parts of a large value of the call."""

    digest: str
    offset: int = 0
    """Where the first of them begins."""
    parts: int = 1
    """How many, one after the other."""
    store: str = ""
    """The identity of the store of the side that asks; the value can be put there where it is the same."""

    @classmethod
    def read(cls, fields: list[Any]) -> "Want":
        """The wish with these fields; raises BadFrame."""
        match fields:
            case [str(digest), offset, parts, str(store)] if (
                is_digest(digest) and is_count(offset) and is_count(parts) and 0 < parts <= _MAX_PARTS_WANTED
            ):
                return cls(digest, offset, parts, store)
            case _:
                raise BadFrame("a wish for a value that cannot be read")


@dataclass(frozen=True, slots=True)
class Coming:
    """The function has made a large value, whose digest is not known yet; it can be had under a name."""

    name: str
    """In the form of a digest."""
    size_bytes: int
    store: str
    """The identity of the node's store."""


@dataclass(frozen=True, slots=True)
class Known:
    """The digest of a value that was said to be coming is known now."""

    name: str
    digest: str


def encode_want(want: Want, inbox: str) -> bytes:
    """The message by which a client wants a part of a result."""
    return frame_of(inbox, want.digest, want.offset, want.parts, want.store)


def decode_want(data: bytes) -> tuple[Want, str]:
    """Read such a wish, and the inbox of whoever has it; raises BadFrame or VersionMismatch."""
    match fields_of(data):
        case [str(inbox), *wish] if is_token(inbox):
            return Want.read(wish), inbox
        case _:
            raise BadFrame("a wish for a value that cannot be read")


def is_digest(text: str) -> bool:
    """Whether a text has the form of a digest."""
    return _DIGEST.fullmatch(text) is not None
